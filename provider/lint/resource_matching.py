"""Which of a template's resources are the provider's, or are meant to be."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..cloudformation.request import unsupported_type
from ..resources import CUSTOM_RESOURCE, DISTRIBUTION_CONFIGURATION, is_registered, resource_type
from ..resources.interface import ResourceType
from ..schema.expand import expand
from ..schema.finding import Path, Severity
from ..schema.model import TARGET
from .catalog import id_of
from .diagnostic import Diagnostic
from .functions import IF, LOOP, is_call

_A_SLIP: Final = 0.95
_ALIKE: Final = 0.8
"""Up from what likeness a type is the provider's own misspelt, and from what it is so where the properties agree."""

_PROPERTIES: Final = "Properties"


def provider_resources(template: Mapping[str, Any]) -> dict[Path, Mapping[str, Any]]:
    """A template's resources that are the provider's, or are meant to be, by their paths; in loops, too."""
    return {
        path: entry
        for path, entry in _entries(template.get("Resources"), ("Resources",))
        if is_provider_resource(entry)
    }


def misspelled_types(ours: Mapping[Path, Mapping[str, Any]]) -> list[Diagnostic]:
    """A finding for each of the provider's resources, by their paths, whose type is not quite the provider's."""
    kinds = {path: one.get("Type") for path, one in ours.items()}
    return [
        Diagnostic((*path, "Type"), id_of("resource-type"), Severity.ERROR, unsupported_type(repr(kind)), str(path[-1]))
        for path, kind in kinds.items()
        if not is_registered(kind)
    ]


def _entries(section: object, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for name, entry in section.items() if isinstance(section, Mapping) else ():
        if str(name).startswith(LOOP) and isinstance(entry, list) and entry:
            yield from _entries(entry[-1], (*path, name, len(entry) - 1))
        elif isinstance(entry, Mapping):
            yield (*path, name), entry


def is_provider_resource(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is the provider's: by its type, or by its properties where the type leaves that open."""
    kind, properties = resource.get("Type"), resource.get(_PROPERTIES)
    if (is_registered(kind) and kind != CUSTOM_RESOURCE) or _likeness(kind) >= _A_SLIP:
        return True
    if not isinstance(properties, Mapping) or (_bare(kind) != _bare(CUSTOM_RESOURCE) and _likeness(kind) < _ALIKE):
        return False
    return _are_distinct(expand(properties, resource_type().schema).parameters)


def _likeness(kind: object) -> float:
    """How much a resource type looks like the provider's own, from 0 to 1."""
    if not isinstance(kind, str):
        return 0
    if _bare(kind) == _bare(DISTRIBUTION_CONFIGURATION):
        return 1
    if not kind.startswith("Custom::"):
        return 0
    from difflib import SequenceMatcher  # only another's resource, or a mistake, needs it

    return SequenceMatcher(None, kind, DISTRIBUTION_CONFIGURATION).ratio()


def _bare(kind: object) -> str:
    """A resource type without what is easily mistyped: its colons, and the case of its letters."""
    return str(kind).replace(":", "").lower()


def _entries_of(value: object) -> Iterator[object]:
    """The entries of a list, or of those that a condition chooses from."""
    if isinstance(value, list):
        yield from value
    elif isinstance(value, Mapping) and is_call(value) and isinstance(branches := value.get(IF), list):
        for branch in branches[1:]:
            yield from _entries_of(branch)


def _are_distinct(parameters: Mapping[str, Any]) -> bool:
    """Whether parameters are no other resource's: they name a Region to distribute to, or adopt and distribute."""
    names_a_region = any(
        isinstance(entry, dict) and type_.list_key in map(type_.item.spellings.get, entry)
        for member, type_ in resource_type().schema.members.items()
        if type_.list_key and type_.item
        for entry in _entries_of(parameters.get(member))
    )
    return names_a_region or (TARGET in parameters and parameters.keys() >= {*resource_type().schema.required})


def type_of(resource: Mapping[str, Any]) -> ResourceType:
    """The resource type of one of the provider's resources; the distribution configuration's if it is misspelled."""
    kind = resource.get("Type")
    return resource_type(str(kind)) if is_registered(kind) else resource_type()
