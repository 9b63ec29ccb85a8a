"""Properties -> findings: in every scenario, with what their parameters can be, in the handler's own words."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from ..resources.interface import ResourceType
from ..schema.check import validate_properties
from ..schema.expand import expand
from ..schema.finding import Finding, Path, Severity, Spelling
from .catalog import id_of
from .conditions import Conditions
from .diagnostic import Diagnostic
from .functions import faults, may_have_loops
from .names import AS_WRITTEN, GUESSES, Bound, allowed, bound
from .scenario import Scenario, Unknown, conditions_in, scenario
from .texts import Texts, Value, mentioned

_OF_ONE_TEXT: Final = frozenset({"build-date", "pattern"})
"""The rules that can be sure of a text in which something is guessed: they look at nothing else."""


class _Key(NamedTuple):
    """What tells findings apart. `names` are its path without indexes, which shift where an entry is removed."""

    place: Path
    rule: str
    names: tuple[str, ...]
    message: str

    @property
    def spot(self) -> tuple[Path, str]:
        """Where it is, by which rule."""
        return self[:2]


_Found = dict[_Key, tuple[Severity, str]]
"""Findings, each with its severity and as one line."""


def judged(
    properties: Any,
    path: Path,
    template: Mapping[str, Any],
    kind: ResourceType,
    resource: str = "",
    holding: str | None = None,
) -> list[Diagnostic]:
    """All findings of the properties at `path` of a decoded template, none twice.

    They belong to a resource that is there where the condition `holding` is true.
    """
    subject = _Subject(properties, path, template, kind, resource, holding)
    sure = {key: told for found in subject.found(subject.conditions, {}) for key, told in found.items()}
    return [
        *subject.faults(),
        *(subject.located(key, severity, text) for key, (severity, text) in sure.items()),
        *subject.hanging_on_parameters({key.spot for key in sure}),
    ]


class _Subject:
    """The properties of one resource in their template."""

    def __init__(
        self,
        properties: Any,
        path: Path,
        template: Mapping[str, Any],
        kind: ResourceType,
        resource: str,
        holding: str | None,
    ) -> None:
        self._kind = kind
        self.conditions = Conditions.of(template)
        self._properties, self._path, self._template, self._resource = properties, path, template, resource
        self._holding = holding
        self._conditions_in = list(dict.fromkeys([*conditions_in(properties), *([holding] if holding else [])]))
        self._in_loop = may_have_loops(template)

    def faults(self) -> Iterator[Diagnostic]:
        """What CloudFormation refuses in the functions."""
        spelling = Spelling(self._properties, self._kind.schema)
        for fault in faults(self._properties):
            text = spelling.render(fault)
            key = _Key((*self._path, *fault.path), fault.rule, (), fault.message)
            yield self.located(key, fault.severity, text)

    def found(self, conditions: Conditions, names: Mapping[str, Value]) -> list[_Found]:
        """What is found where `names` stand for those values, under each outcome of the conditions."""

        def under(outcome: Mapping[str, bool]) -> _Found:
            return _found_in(
                lambda guessed: scenario(
                    self._properties, self._path, outcome, Texts({**names, **guessed}, self._in_loop)
                ),
                self._kind,
            )

        return [under(outcome) for outcome in conditions.outcomes(self._conditions_in, self._holding)]

    def hanging_on_parameters(self, told: set[tuple[Path, str]]) -> Iterator[Diagnostic]:
        """What is found for certain values of parameters only, whatever else the deployment is like.

        What the parameters are by default counts in full, and so does a value where no other is allowed that works.
        """
        refused: dict[tuple[str, object], set[Value]] = defaultdict(set)
        found = [one for one in self._with_parameters() if one[1].spot not in told]
        for deployment, key, _ in found:
            for name in self._mentioned_at(key.place) & deployment.names.keys():
                refused[name, key.spot].add(str(deployment.names[name]))
        for deployment, key, (severity, text) in found:
            name, here = deployment.chosen, self._mentioned_at(key.place)
            whole = not name or refused[name, key.spot] >= {*allowed(self.conditions.parameters[name])}
            rule = key.rule if whole or severity is Severity.WARNING else "allowed-value"
            line = f"{text} ({deployment.describe(here)})"
            yield self.located(key._replace(rule=rule), severity if rule == key.rule else Severity.WARNING, line)

    def _with_parameters(self) -> Iterator[tuple[Bound, _Key, tuple[Severity, str]]]:
        """What is found under all outcomes of a deployment, where its chosen parameter is mentioned."""
        by_default: set[tuple[Path, str]] = set()
        for deployment in bound(self._template, {*mentioned(self._properties)}):
            parameters = deployment.parameters(self.conditions.parameters)
            found = self.found(replace(self.conditions, parameters=parameters), deployment.names)
            for key, told in _in_all(found).items():
                here, chosen = self._mentioned_at(key.place), deployment.chosen
                if not chosen:
                    by_default.add(key.spot)
                # If another parameter is mentioned, too, the cause may be the default of that one.
                may_be_another = key.spot in by_default and len(here & deployment.names.keys()) > 1
                if not chosen or (chosen in here and not may_be_another):
                    yield deployment, key, told

    def _mentioned_at(self, place: Path) -> set[str]:
        node: Any = self._template
        for element in place:
            node = node[element]
        return {*mentioned(node)}

    def located(self, key: _Key, severity: Severity, text: str) -> Diagnostic:
        return Diagnostic(key.place, id_of(key.rule), severity, text, self._resource)


def _in_all(found: list[_Found]) -> _Found:
    """What is found under every outcome."""
    first, *others = found or [{}]
    return {key: told for key, told in first.items() if all(key in other for other in others)}


def _found_in(resolve: Callable[[Mapping[str, Value]], Scenario], kind: ResourceType) -> _Found:
    """What is found in properties: for sure, or whatever the pseudo parameters that `resolve` is given."""
    plain, as_written = resolve({}), resolve(AS_WRITTEN)
    found = dict(_told(plain, kind))
    if as_written.properties != plain.properties:
        common = set.intersection(
            *({(one.path, one.rule) for one in _findings(resolve(guess), kind)} for guess in GUESSES)
        )
        sure = [
            one for one in _findings(as_written, kind) if one.rule in _OF_ONE_TEXT and (one.path, one.rule) in common
        ]
        found |= dict(_told(as_written, kind, sure))
    return found


def _told(
    one: Scenario, kind: ResourceType, findings: list[Finding] | None = None
) -> Iterator[tuple[_Key, tuple[Severity, str]]]:
    spelling = Spelling(one.properties, kind.schema)
    for finding in _findings(one, kind) if findings is None else findings:
        place = one.origin(spelling.keys(finding.path))
        names = tuple(element for element in finding.path if isinstance(element, str))
        key = _Key(place, finding.rule, names, finding.message)
        yield key, (finding.severity, spelling.render(finding))


def _findings(one: Scenario, kind: ResourceType) -> list[Finding]:
    if not isinstance(one.properties, Mapping):
        return []
    expanded = expand(one.properties, kind.schema)
    # What is not known yet has no type to be wrong.
    return [
        finding
        for finding in validate_properties(expanded, kind.rules)
        if finding.rule != "type" or not isinstance(_at(finding.path, expanded.parameters), Unknown)
    ]


def _at(path: Path, parameters: Any) -> Any:
    for element in path:
        parameters = parameters[element]
    return parameters
