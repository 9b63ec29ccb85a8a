"""Generates the JSON Schema of the properties, for editors, for reviews, and to compare botocore releases.

Editors hide YAML tags from schemas: `!Ref Accounts` is the string "Accounts", and `!If [...]` is a list. So each value
may also have the form of a function. `validate` and cfn-lint check functions.
"""

from typing import Any, Final

from ..resources import resource_type
from ..schema.model import ALIASES, HINTS, NAME, TARGET, Type, pascal_case
from .block import RESOURCE_TYPE
from .documentation import of_member

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

FUNCTION: Final = "Function"
"""The name of the definition of intrinsic functions."""

_FUNCTION: Final[dict[str, Any]] = {
    "$comment": "A function of CloudFormation: its long form, or what an editor sees of its short form.",
    "anyOf": [
        {
            "type": "object",
            "propertyNames": {"pattern": "^(Ref|Fn::[A-Za-z0-9:]+)$"},
            "minProperties": 1,
            "maxProperties": 1,
        },
        {"type": "string", "pattern": r"^(AWS::)?[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9.]+)?$|\$\{|\{\{resolve:"},
        {"type": "array", "prefixItems": [{"type": ["string", "integer"]}], "minItems": 2},
    ],
}
_OR_FUNCTION: Final = {"anyOf": [{"type": "string"}, {"$ref": f"#/$defs/{FUNCTION}"}]}
_JSON_TYPES: Final = {"structure": "object", "map": "object", "list": "array", "long": "integer", "float": "number"}
_LIMITS: Final = {
    "string": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
    "integer": ("minimum", "maximum"),
    "long": ("minimum", "maximum"),
}
_AS_TEXT: Final = {
    "boolean": r"^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$",
    "integer": "^-?[0-9]+$",
    "long": "^-?[0-9]+$",
}
"""The strings that are accepted for a value of a kind."""


def schema(name: str = RESOURCE_TYPE) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a resource type's `Properties`, in CloudFormation's names."""
    definitions: dict[str, Any] = {}
    properties = resource_type(name).schema
    root = _structure(properties, definitions)
    root["properties"] |= {"ServiceToken": _OR_FUNCTION, "ServiceTimeout": {"type": ["integer", "string", "object"]}}
    if TARGET in properties.members:
        root["oneOf"] = [{"required": [pascal_case(name)]} for name in (NAME, TARGET)]
    definitions = dict(sorted(definitions.items()))
    return {"$schema": DIALECT, "title": name, **root, "$defs": {**definitions, FUNCTION: _FUNCTION}}


def _reference(type_: Type, definitions: dict[str, Any]) -> dict[str, Any]:
    """A reference to the definition of a type, which is added on first use."""
    if type_.shape not in definitions:
        definitions[type_.shape] = {}  # a recursive shape refers to it
        made = _structure(type_, definitions) if type_.kind == "structure" else _value(type_, definitions)
        texts = [{"type": "string", "pattern": _AS_TEXT[type_.kind]}] if type_.kind in _AS_TEXT else []
        definitions[type_.shape] = {"anyOf": [made, *texts, {"$ref": f"#/$defs/{FUNCTION}"}]}
    return {"$ref": f"#/$defs/{type_.shape}"}


def _structure(type_: Type, definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            pascal_case(name): _member(type_, api_name, definitions)
            for api_name in type_.members
            for name in (api_name, ALIASES.get((type_.shape, api_name)))
            if name
        },
        "required": [pascal_case(name) for name in type_.required],
        "additionalProperties": False,
    }


def _member(structure: Type, name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    member, default = structure.members[name], structure.default(name)
    return {
        **_description(of_member(structure, name), member),
        **({"default": default} if default is not None else {}),
        **_reference(member, definitions),
    }


def _description(said: str, type_: Type) -> dict[str, str]:
    """The description of a property and its type. Definitions have none, because editors would show that instead."""
    hint = f"{hint[:1].upper()}{hint[1:]}." if (hint := HINTS.get(type_.shape)) else ""
    text = f"{said} {hint}".strip()
    return {"description": text} if text else {}


def _value(type_: Type, definitions: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": _JSON_TYPES.get(type_.kind, type_.kind)}
    limits = zip(_LIMITS.get(type_.kind, ()), (type_.minimum, type_.maximum), strict=False)
    made |= {keyword: limit for keyword, limit in limits if limit is not None}
    if type_.pattern is not None:
        made["pattern"] = type_.pattern
    if type_.enum:
        made["enum"] = list(type_.enum)
    if type_.item is not None:
        item = _description("", type_.item) | _reference(type_.item, definitions)
        made["items" if type_.kind == "list" else "additionalProperties"] = item
    if type_.key is not None:
        made["propertyNames"] = _value(type_.key, definitions)
    return made
