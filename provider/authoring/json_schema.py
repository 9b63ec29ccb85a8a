"""Generates the JSON Schema of the properties, for editors, for reviews, and to compare botocore releases.

Editors hide YAML tags from schemas: `!Ref Accounts` is the string "Accounts", and `!If [...]` is a list. So each value
can also be a function, or look like one without its tag. `validate` and cfn-lint check the functions themselves.
"""

from typing import Any, Final

from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.model import ALIASES, HINTS, NAME, TARGET, Schema, pascal_case
from .documentation import description
from .variants import variants

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

FUNCTION: Final = "Function"
"""The name of the definition of intrinsic functions."""

# Ref and GetAtt; the name of an export that consists of words; Sub; and a dynamic reference.
_TEXT_OF_A_FUNCTION: Final = (
    r"^(AWS::)?[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9.]+)?$|^[A-Za-z]+([:-][A-Za-z]+)+$|\$\{|\{\{resolve:"
)
_FUNCTION: Final[dict[str, Any]] = {
    "$comment": "A CloudFormation function: its long form, or its short form without the tag, as editors see it.",
    "anyOf": [
        {
            "type": "object",
            "propertyNames": {"pattern": "^(Ref|Fn::[A-Za-z0-9:]+)$"},
            "minProperties": 1,
            "maxProperties": 1,
        },
        {"type": "string", "pattern": _TEXT_OF_A_FUNCTION},
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
"""The strings that are accepted for other types."""


def schema(name: str = DISTRIBUTION_CONFIGURATION) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a resource type's `Properties`, by CloudFormation's names."""
    definitions: dict[str, Any] = {}
    properties = resource_type(name).schema
    root = _structure(properties, definitions)
    root["properties"] |= {"ServiceToken": _OR_FUNCTION, "ServiceTimeout": {"type": ["integer", "string", "object"]}}
    if {NAME, TARGET} <= properties.members.keys():
        root["oneOf"] = [{"required": [pascal_case(name)]} for name in (NAME, TARGET)]
    definitions = dict(sorted(definitions.items()))
    return {"$schema": DIALECT, "title": name, **root, "$defs": {**definitions, FUNCTION: _FUNCTION}}


def _reference(schema: Schema, definitions: dict[str, Any]) -> dict[str, Any]:
    """A reference to the definition of a shape, which is added on first use."""
    if schema.shape not in definitions:
        definitions[schema.shape] = {}  # a recursive shape refers to it
        typed = _structure(schema, definitions) if schema.type_name == "structure" else _value(schema, definitions)
        if each := variants(schema):
            typed = {"anyOf": [_structure(variant, definitions) for variant in each.values()]}
        texts = [{"type": "string", "pattern": _AS_TEXT[schema.type_name]}] if schema.type_name in _AS_TEXT else []
        definitions[schema.shape] = {"anyOf": [typed, *texts, {"$ref": f"#/$defs/{FUNCTION}"}]}
    return {"$ref": f"#/$defs/{schema.shape}"}


def _structure(schema: Schema, definitions: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            pascal_case(name): _member(schema, api_name, definitions)
            for api_name in schema.members
            for name in (api_name, ALIASES.get((schema.shape, api_name)))
            if name
        },
        "required": [pascal_case(name) for name in schema.required],
        "additionalProperties": False,
    }


def _member(structure: Schema, name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    member, default = structure.members[name], structure.default(name)
    return {
        **_description(description(structure, name), member),
        **({"default": default} if default is not None else {}),
        **_reference(member, definitions),
    }


def _description(text: str, schema: Schema) -> dict[str, str]:
    """The description of a property. Definitions have none, because editors would show that one instead."""
    hint = f"{hint[:1].upper()}{hint[1:]}." if (hint := HINTS.get(schema.shape)) else ""
    text = f"{text} {hint}".strip()
    return {"description": text} if text else {}


def _value(schema: Schema, definitions: dict[str, Any]) -> dict[str, Any]:
    value: dict[str, Any] = {"type": _JSON_TYPES.get(schema.type_name, schema.type_name)}
    limits = zip(_LIMITS.get(schema.type_name, ()), (schema.minimum, schema.maximum), strict=False)
    value |= {keyword: limit for keyword, limit in limits if limit is not None}
    if schema.pattern is not None:
        value["pattern"] = schema.pattern
    if schema.enum:
        value["enum"] = list(schema.enum)
    if schema.item is not None:
        item = _entry(schema.item, definitions)
        value["items" if schema.type_name == "list" else "additionalProperties"] = item
    if schema.key is not None:
        value["propertyNames"] = _value(schema.key, definitions)
    return value


def _entry(item: Schema, definitions: dict[str, Any]) -> dict[str, Any]:
    """An entry of a list, or a value of a map: of the item's schema, or an account source."""
    if item.source is None:
        return _description("", item) | _reference(item, definitions)
    return _description("", item) | {"anyOf": [_reference(one, definitions) for one in (item, item.source)]}
