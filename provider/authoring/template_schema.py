"""Generates a JSON Schema of whole templates, for editors: our resource types within CloudFormation's public schemas.

The public schemas describe values as the registry receives them. A template can have a function instead of any value,
and YAML's booleans and numbers instead of texts. So the public schemas are made as lenient as editors need them.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from ..resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION
from .json_schema import DIALECT, FUNCTION, schema

TITLE: Final = "CloudFormation template with EC2 Image Builder distribution configurations"
SECTIONS: Final = ("template", "parameters", "resources", "outputs")
"""The parts of a template whose public schemas are used."""

Schemas: TypeAlias = Mapping[str, Mapping[str, Any]]

_OWN: Final = (DISTRIBUTION_CONFIGURATION, CONTRIBUTION)
_RESOURCE: Final = "ResourceConfiguration"
"""The name of the definition of a resource in the public schema of resources."""
_KEPT: Final = frozenset(
    {
        *("additionalProperties", "allOf", "anyOf", "const", "default", "description", "enum", "items"),
        *("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties", "oneOf"),
        *("patternProperties", "properties", "required", "type", "uniqueItems", "$ref"),
    }
)
"""The keywords of public schemas that are kept. Patterns are not: functions in short form would have to match them.
Without patterns, negations and conditions would mean something else.
"""
_SCALARS: Final = ("string", "integer", "number", "boolean")


def template_schema(sections: Schemas, native: Schemas) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a template.

    `sections` are the public schemas of SECTIONS. `native` are those of other resource types, by type; the properties
    of types that it lacks are not checked.
    """
    definitions = {**_own_definitions(), **_native_definitions(native)}
    root = _lenient(sections["template"], "template")
    for name in SECTIONS[1:]:
        root["properties"][name.capitalize()] = _lenient(sections[name], name)
        for definition, one in sections[name].get("definitions", {}).items():
            definitions[_name(name, definition)] = _lenient(one, name)
    _add_types(definitions[_name("resources", _RESOURCE)], [*_OWN, *native])
    root["properties"]["Resources"]["patternProperties"]["^Fn::ForEach::"] = {"type": "array"}
    return {"$schema": DIALECT, "title": TITLE, **root, "$defs": dict(sorted(definitions.items()))}


def _own_definitions() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    for type_ in _OWN:
        own = schema(type_)
        named = {name: one for name, one in own["$defs"].items() if name != FUNCTION}
        definitions |= {_name(type_, name): _moved(one, type_) for name, one in named.items()}
        definitions[FUNCTION] = own["$defs"][FUNCTION]
        definitions[type_] = {key: _moved(one, type_) for key, one in own.items() if not key.startswith("$")}
    return definitions


def _native_definitions(native: Schemas) -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    for type_, registered in native.items():
        parts = registered.get("definitions", {}).items()
        definitions |= {_name(type_, name): _lenient(one, type_, functions=True) for name, one in parts}
        definitions[type_] = _lenient(_settable(registered), type_, functions=True)
    return definitions


def _name(owner: str, definition: str) -> str:
    """The name of a definition of a type or section among all definitions."""
    return f"{owner}.{definition}"


def _add_types(resource: dict[str, Any], types: list[str]) -> None:
    """Add the properties of these types to the schema of a resource."""
    type_names = {"anyOf": [{"enum": types}, {"type": "string"}], "description": "The resource type."}
    resource["properties"]["Type"] = type_names
    resource["allOf"] = [
        {
            "if": {"properties": {"Type": {"const": type_}}, "required": ["Type"]},
            "then": {"properties": {"Properties": {"$ref": f"#/$defs/{type_}"}}},
        }
        for type_ in types
    ]


def _moved(value: Any, type_: str) -> Any:
    """A part of the schema of one type, whose definitions have other names now."""
    if isinstance(value, dict):
        return {
            key: _reference(one, type_) if key == "$ref" and isinstance(one, str) else _moved(one, type_)
            for key, one in value.items()
        }
    return [_moved(one, type_) for one in value] if isinstance(value, list) else value


def _reference(pointer: str, owner: str) -> str:
    name = pointer.rpartition("/")[2]
    return pointer if pointer == f"#/$defs/{FUNCTION}" else f"#/$defs/{_name(owner, name)}"


def _settable(registered: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a registered type that a template can set."""
    attributes = {pointer.removeprefix("/properties/") for pointer in registered.get("readOnlyProperties", ())}
    settable = {name: one for name, one in registered["properties"].items() if name not in attributes}
    return {"type": "object", **registered, "properties": settable}


def _lenient(value: Mapping[str, Any] | bool, owner: str, *, functions: bool = False) -> Any:
    """A public schema that also accepts any scalar instead of another, and with `functions`, functions as values."""
    if isinstance(value, bool):
        return value
    kept = ((key, one) for key, one in value.items() if key in _KEPT)
    # Without patterns, a value can match several alternatives.
    return {"anyOf" if key == "oneOf" else key: _keyword(key, one, owner, functions) for key, one in kept}


def _keyword(key: str, value: Any, owner: str, functions: bool) -> Any:
    def below(one: Any) -> Any:
        return _or_function(one, owner) if functions else _lenient(one, owner)

    if key == "$ref":
        return _reference(value, owner)
    if key == "type":
        return _types(value)
    if key in ("properties", "patternProperties"):
        return {name: below(one) for name, one in value.items()}
    if key in ("allOf", "anyOf", "oneOf"):
        return [_lenient(one, owner, functions=functions) for one in value]
    if key == "items":
        return below(value)
    return _lenient(value, owner, functions=functions) if key == "additionalProperties" else value


def _types(types: str | list[str]) -> list[str]:
    """The types of a value. Each scalar can be written as any other, because CloudFormation converts them."""
    given = [types] if isinstance(types, str) else types
    known = [one for one in given if one in ("object", "array", "null")]
    return [*known, *(_SCALARS if {*given} - {*known} else ())]


def _or_function(value: Any, owner: str) -> Any:
    """A value, or a function that returns it. A schema that accepts everything stays as it is."""
    if isinstance(value, bool) or not value:
        return value
    described = {"description": value["description"]} if "description" in value else {}
    return {**described, "anyOf": [_lenient(value, owner, functions=True), {"$ref": f"#/$defs/{FUNCTION}"}]}
