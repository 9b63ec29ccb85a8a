"""The properties of a resource that adopts a live configuration without changing it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ..resources import resource_type
from ..resources.ownership import Ownership
from ..schema.check import validate_properties
from ..schema.expand import expand
from ..schema.finding import Spelling
from ..schema.flatten import flatten
from ..schema.model import TAGS, TARGET
from ..schema.rules import OWNERSHIP_TAGS


def adopting_properties(
    arn: str, content: Mapping[str, Any], tags: Mapping[str, str], location: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """The properties with a configuration's content, by the API's names, and those of its tags that can be set.

    `location` are its Region and role, if they are not those of the stack.
    """
    own = {key: value for key, value in tags.items() if key not in OWNERSHIP_TAGS and not key.startswith("aws:")}
    return flatten({TARGET: arn, **location, **content, **({TAGS: own} if own else {})}, resource_type().schema)


def finding_texts(properties: dict[str, Any]) -> list[str]:
    """The findings about the properties, as text."""
    schema = resource_type().schema
    findings = validate_properties(expand(properties, schema), resource_type().rules)
    return [*map(Spelling(properties, schema).render, findings)]


def owner_warnings(tags: Mapping[str, str]) -> Iterator[str]:
    """A warning if the configuration has an owner."""
    if (ownership := Ownership.of(tags)).is_complete:
        yield (
            f"the configuration is owned by {ownership}; a resource that adopts it should replace that one, or both "
            "will overwrite each other's updates"
        )
