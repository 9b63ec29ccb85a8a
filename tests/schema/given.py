"""Hypothesis strategies that generate parameters from the API's shapes."""

from typing import Any

from hypothesis import strategies as st

from provider.resources import resource_type
from provider.schema.model import Schema

_TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=12)


def value_of(schema: Schema) -> st.SearchStrategy[Any]:
    """Return valid values of a schema, with its limits, patterns, and enumerations."""
    match schema.type_name:
        case "structure":
            required = {name: value_of(schema.members[name]) for name in schema.required}
            optional = {name: value_of(member) for name, member in schema.members.items() if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
        case "list" if schema.item is not None:
            least = schema.minimum or 0
            return st.lists(value_of(schema.item), min_size=least, max_size=max(least, 3))
        case "map" if schema.item is not None and schema.key is not None:
            return st.dictionaries(
                value_of(schema.key), value_of(schema.item), min_size=schema.minimum or 0, max_size=3
            )
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.minimum, schema.maximum)
        case _ if schema.enum:
            return st.sampled_from(schema.enum)
        case _ if schema.regex is not None:
            size = (schema.minimum or 0, schema.maximum or 10_000)
            return st.from_regex(schema.regex).filter(lambda text: size[0] <= len(text) <= size[1])
        case _:
            return _TEXT.filter(lambda text: len(text) >= (schema.minimum or 0))


PARAMETERS = value_of(resource_type().schema)
"""Parameters of the whole resource that are valid by the model, but may violate the service's own rules."""


def as_cloudformation_sends(value: Any) -> Any:
    """Convert every scalar to a string, as CloudFormation delivers properties."""
    if isinstance(value, dict):
        return {key: as_cloudformation_sends(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_cloudformation_sends(entry) for entry in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
