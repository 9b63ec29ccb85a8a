"""Finds a template's resources that are the provider's, or are meant to be."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..cloudformation.request import unsupported_type
from ..resources import CONTRIBUTION, CUSTOM_RESOURCE, DISTRIBUTION_CONFIGURATION, is_registered, resource_type
from ..resources.interface import ResourceType
from ..schema.expand import expand
from ..schema.finding import Path, Severity
from ..schema.model import TARGET
from ..template.function_calls import LOOP
from .catalog import id_of
from .diagnostic import Diagnostic
from .function_check import is_call

_CERTAIN: Final = 0.95
_LIKELY: Final = 0.8
"""How similar a misspelled type must be to the provider's: if it alone decides, and if the properties confirm it."""

_OWN_TYPES: Final = (DISTRIBUTION_CONFIGURATION, CONTRIBUTION)
_PROPERTIES: Final = "Properties"


def provider_resources(template: Mapping[str, Any]) -> dict[Path, Mapping[str, Any]]:
    """The resources that are the provider's, or are meant to be, by their paths; including those in loops."""
    entries = _entries(template.get("Resources"), ("Resources",))
    return {path: entry for path, entry in entries if is_provider_resource(entry)}


def misspelled_types(resources: Mapping[Path, Mapping[str, Any]]) -> list[Diagnostic]:
    """A finding for each of the provider's resources, by their paths, whose type is misspelled."""
    types = {path: resource.get("Type") for path, resource in resources.items()}
    return [
        Diagnostic((*path, "Type"), id_of("resource-type"), Severity.ERROR, unsupported_type(repr(name)), str(path[-1]))
        for path, name in types.items()
        if not is_registered(name)
    ]


def _entries(section: object, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for name, entry in section.items() if isinstance(section, Mapping) else ():
        if str(name).startswith(LOOP) and isinstance(entry, list) and entry:
            yield from _entries(entry[-1], (*path, name, len(entry) - 1))
        elif isinstance(entry, Mapping):
            yield (*path, name), entry


def is_provider_resource(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is the provider's: by its type, or, if the type is not enough, by its properties."""
    name, properties = resource.get("Type"), resource.get(_PROPERTIES)
    if (is_registered(name) and name != CUSTOM_RESOURCE) or _similarity(name) >= _CERTAIN:
        return True
    if not isinstance(properties, Mapping) or (
        _simplified(name) != _simplified(CUSTOM_RESOURCE) and _similarity(name) < _LIKELY
    ):
        return False
    return _are_distinctive(expand(properties, resource_type().schema).parameters)


def _similarity(name: object) -> float:
    """How similar a type's name is to the most similar one of the provider's own, from 0 to 1."""
    return max(_similarity_to(own, name) for own in _OWN_TYPES)


def _similarity_to(own: str, name: object) -> float:
    if not isinstance(name, str):
        return 0
    if _simplified(name) == _simplified(own):
        return 1
    if not name.startswith("Custom::"):
        return 0
    from difflib import SequenceMatcher  # only another provider's resource, or a mistake, needs it

    return SequenceMatcher(None, name, own).ratio()


def _simplified(name: object) -> str:
    """A type's name without colons and capital letters, which are easily mistyped."""
    return str(name).replace(":", "").lower()


def _list_entries(value: object) -> Iterator[object]:
    """The entries of a list, or of all lists from which a condition chooses."""
    if isinstance(value, list):
        yield from value
    elif isinstance(value, Mapping) and is_call(value) and isinstance(branches := value.get("Fn::If"), list):
        for branch in branches[1:]:
            yield from _list_entries(branch)


def _are_distinctive(parameters: Mapping[str, Any]) -> bool:
    """Whether no other resource has such properties: they name a Region, or adopt a configuration and distribute."""
    names_a_region = any(
        isinstance(entry, dict) and type_.list_key in map(type_.item.spellings.get, entry)
        for member, type_ in resource_type().schema.members.items()
        if type_.list_key and type_.item
        for entry in _list_entries(parameters.get(member))
    )
    return names_a_region or (TARGET in parameters and parameters.keys() >= {*resource_type().schema.required})


def type_of(resource: Mapping[str, Any]) -> ResourceType:
    """The type of one of the provider's resources; the most similar one if its name is misspelled."""
    name = resource.get("Type")
    return resource_type(
        str(name) if is_registered(name) else max(_OWN_TYPES, key=lambda own: _similarity_to(own, name))
    )
