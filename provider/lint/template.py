"""Template -> findings: every resource of the provider's, in every scenario, in the handler's own words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from provider.lint.catalog import id_of
from provider.lint.conditions import Conditions
from provider.lint.functions import LOOP, faults
from provider.lint.scenario import Scenario, Unknown, conditions_in, scenario
from provider.properties.check import find
from provider.properties.expand import expand
from provider.properties.finding import Path, Severity, written
from provider.properties.model import TARGET, resource_type
from provider.protocol.request import RESOURCE_TYPES

_OWN, _GENERIC = RESOURCE_TYPES
_A_SLIP: Final = 0.95
_ALIKE: Final = 0.8
"""Up from what likeness a type is the provider's own misspelt, and from what it is so where the properties agree."""

_PROPERTIES: Final = "Properties"
_LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"


@dataclass(frozen=True)
class Located:
    """A finding and its place in a template: keys and list indexes from its root.

    `message` is the line that the handler would give; `resource` is the logical ID, empty outside a template.
    """

    path: Path
    id: str
    severity: Severity
    message: str
    resource: str = ""


def resources(template: Mapping[str, Any]) -> dict[Path, Mapping[str, Any]]:
    """A template's resources that are the provider's, or are meant to be, by their paths; in loops, too."""
    return {path: entry for path, entry in _entries(template.get("Resources"), ("Resources",)) if _is_ours(entry)}


def _entries(section: object, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for name, entry in section.items() if isinstance(section, Mapping) else ():
        if str(name).startswith(LOOP) and isinstance(entry, list) and entry:
            yield from _entries(entry[-1], (*path, name, len(entry) - 1))
        elif isinstance(entry, Mapping):
            yield (*path, name), entry


def check(template: Mapping[str, Any]) -> list[Located]:
    """All findings of a decoded template, none twice. What is no template has none."""
    return [
        found
        for path, resource in resources(template).items()
        for found in (*_check_type(path, resource), *_check_resource(path, resource, template))
    ]


def check_properties(properties: Mapping[str, Any]) -> list[Located]:
    """All findings of a resource's properties on their own."""
    outcomes = Conditions({}, {}).outcomes(list(dict.fromkeys(conditions_in(properties))))
    return [*_faults(properties, ()), *_judged([scenario(properties, (), outcome) for outcome in outcomes])]


def _check_type(path: Path, resource: Mapping[str, Any]) -> list[Located]:
    kind = resource.get("Type")
    if kind in RESOURCE_TYPES:
        return []
    message = f"ResourceType is {str(kind)!r}; this provider answers for {' and '.join(RESOURCE_TYPES)}"
    return [Located((*path, "Type"), id_of("resource-type"), Severity.ERROR, message, str(path[-1]))]


def _check_resource(path: Path, resource: Mapping[str, Any], template: Mapping[str, Any]) -> list[Located]:
    properties = resource.get(_PROPERTIES, {})
    place = (*path, _PROPERTIES) if _PROPERTIES in resource else path
    holding = resource.get("Condition")
    holding = holding if isinstance(holding, str) else None
    names = list(dict.fromkeys([*conditions_in(properties), *([holding] if holding else [])]))
    outcomes = Conditions.of(template).outcomes(names, holding)
    in_loop = _LANGUAGE_EXTENSIONS in str(template.get("Transform"))
    scenarios = [scenario(properties, place, outcome, in_loop=in_loop) for outcome in outcomes]
    return [*_faults(properties, place, str(path[-1])), *_judged(scenarios, str(path[-1]))]


def _faults(properties: Any, place: Path, resource: str = "") -> list[Located]:
    return [
        Located(
            (*place, *fault.path),
            id_of(fault.rule),
            fault.severity,
            fault.render(properties, resource_type()),
            resource,
        )
        for fault in faults(properties)
    ]


def _judged(scenarios: list[Scenario], resource: str = "") -> list[Located]:
    found: dict[tuple[object, ...], Located] = {}
    for one in scenarios:
        if not isinstance(one.properties, Mapping):
            continue
        expanded = expand(one.properties)
        for finding in find(expanded):
            if finding.rule == "type" and isinstance(_at(finding.path, expanded.parameters), Unknown):
                # What is not known yet has no type to be wrong.
                continue
            place = one.origin(written(finding.path, one.properties, resource_type()))
            message = finding.render(one.properties, resource_type())
            located = Located(place, id_of(finding.rule), finding.severity, message, resource)
            # Indexes left out: what stands after a removed entry is the same finding under another number.
            names = tuple(element for element in finding.path if isinstance(element, str))
            found.setdefault((place, names, finding.message), located)
    return list(found.values())


def _at(path: Path, parameters: Any) -> Any:
    for element in path:
        parameters = parameters[element]
    return parameters


def _is_ours(resource: Mapping[str, Any]) -> bool:
    """Whether a resource is the provider's: by its type, or by its properties where the type leaves that open."""
    kind, properties = resource.get("Type"), resource.get(_PROPERTIES)
    if kind == _OWN or _likeness(kind) >= _A_SLIP:
        return True
    if not isinstance(properties, Mapping) or (kind != _GENERIC and _likeness(kind) < _ALIKE):
        return False
    return _are_distinct(expand(properties).parameters)


def _likeness(kind: object) -> float:
    """How much a resource type looks like the provider's own, from 0 to 1."""
    if not isinstance(kind, str) or not kind.startswith("Custom::"):
        return 0
    from difflib import SequenceMatcher  # only another's resource, or a mistake, needs it

    return SequenceMatcher(None, kind, _OWN).ratio()


def _are_distinct(parameters: Mapping[str, Any]) -> bool:
    """Whether parameters are no other resource's: they name a Region to distribute to, or adopt and distribute."""
    keyed = [(type_.list_key, parameters.get(member)) for member, type_ in resource_type().members.items()]
    names_a_region = any(
        isinstance(entry, dict) and key in entry
        for key, entries in keyed
        if key and isinstance(entries, list)
        for entry in entries
    )
    return names_a_region or (TARGET in parameters and parameters.keys() >= {*resource_type().required})
