"""Shapes -> JSON Schema of the resource's properties, for editors, for review, and for a diff at each botocore bump."""

from typing import Any, Final

from provider.properties.model import ALIASES, NAME, TARGET, Type, pascal_case, resource_type

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_JSON_TYPES: Final = {"structure": "object", "map": "object", "list": "array", "long": "integer", "float": "number"}
_LIMITS: Final = {
    "string": ("minLength", "maxLength"),
    "list": ("minItems", "maxItems"),
    "map": ("minProperties", "maxProperties"),
    "integer": ("minimum", "maximum"),
    "long": ("minimum", "maximum"),
}


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the resource's `Properties`, in CloudFormation's names."""
    root = _of(resource_type())
    root["oneOf"] = [{"required": [pascal_case(NAME)]}, {"required": [pascal_case(TARGET)]}]
    root["properties"] |= {"ServiceToken": {"type": "string"}, "ServiceTimeout": {"type": ["integer", "string"]}}
    return {"$schema": DIALECT, "title": "Custom::ImageBuilderDistributionConfiguration", **root}


def _of(type_: Type) -> dict[str, Any]:
    made: dict[str, Any] = {"type": _JSON_TYPES.get(type_.kind, type_.kind)}
    limits = zip(_LIMITS.get(type_.kind, ()), (type_.minimum, type_.maximum), strict=False)
    made |= {keyword: limit for keyword, limit in limits if limit is not None}
    if type_.pattern is not None:
        made["pattern"] = type_.pattern
    if type_.enum:
        made["enum"] = list(type_.enum)
    if type_.kind == "structure":
        made["properties"] = {
            pascal_case(name): _of(member)
            for api_name, member in type_.members.items()
            for name in (api_name, ALIASES.get((type_.shape, api_name)))
            if name
        }
        made["required"] = [pascal_case(name) for name in type_.required]
        made["additionalProperties"] = False
    elif type_.item is not None:
        made["items" if type_.kind == "list" else "additionalProperties"] = _of(type_.item)
    if type_.key is not None:
        made["propertyNames"] = _of(type_.key)
    return made
