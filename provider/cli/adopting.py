"""The properties of a resource that adopts a live configuration without changing it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..resources import resource_type
from ..resources.ownership import SHARED_TAG, Ownership, is_shared
from ..schema.check import validate_properties
from ..schema.expand import expand
from ..schema.finding import Spelling
from ..schema.flatten import flatten
from ..schema.model import TAGS, TARGET
from ..schema.rules import OWNERSHIP_TAGS

if TYPE_CHECKING:
    from ..ledger.parts import Part


class OwnPart(NamedTuple):
    """What the resource that adopts a configuration wants of it, by the API's names.

    `contributions` are the paths that it allows, `others` the accepted parts of other resources.
    """

    content: Mapping[str, Any]
    contributions: tuple[str, ...] = ()
    others: tuple["Part", ...] = ()
    notes: tuple[str, ...] = ()


def adopting_properties(
    arn: str, content: Mapping[str, Any], tags: Mapping[str, str], location: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """The properties with a configuration's content, by the API's names, and those of its tags that can be set.

    `location` are its Region and role, if they are not those of the stack.
    """
    not_settable = {*OWNERSHIP_TAGS, SHARED_TAG}
    own = {key: value for key, value in tags.items() if key not in not_settable and not key.startswith("aws:")}
    return flatten({TARGET: arn, **location, **content, **({TAGS: own} if own else {})}, resource_type().schema)


def finding_texts(properties: dict[str, Any]) -> list[str]:
    """The findings about the properties, as text."""
    schema = resource_type().schema
    findings = validate_properties(expand(properties, schema), resource_type().rules)
    return [*map(Spelling(properties, schema).render, findings)]


def owner_warnings(tags: Mapping[str, str]) -> Iterator[str]:
    """A warning if the configuration has an owner, and one if it is shared."""
    if is_shared(tags):
        yield (
            "the configuration is shared: it also has the parts of other stacks, which this resource would claim. To "
            "get only the owner's part, use export --table NAME"
        )
    if (ownership := Ownership.of(tags)).is_complete:
        yield (
            f"the configuration is owned by {ownership}; a resource that adopts it should replace that one, or both "
            "will overwrite each other's updates"
        )
