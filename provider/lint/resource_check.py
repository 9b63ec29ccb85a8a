"""Properties -> findings: in every scenario, with every value of their parameters, as the handler would report them."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

from ..resources.interface import ResourceType
from ..schema.check import validate_properties
from ..schema.expand import expand
from ..schema.finding import Finding, Path, Severity, Spelling, below
from ..schema.model import Schema
from ..template.function_calls import names_in
from ..template.parameters import Value
from .catalog import id_of
from .condition_outcomes import Conditions, Outcome
from .diagnostic import Diagnostic
from .function_check import LIST, TEXT, function_findings, kinds_of_names, may_have_loops
from .scenario import Scenario, Unknown, conditions_in, scenario
from .shown_values import AS_WRITTEN, GUESSES, ParameterBinding, ShownValues, allowed_texts, bound

_TEXT_RULES: Final = frozenset({"build-date", "pattern"})
"""The rules that look at one text only, so that they can be certain about a text that is partly guessed."""


class _Key(NamedTuple):
    """Identifies a finding. `names` are the path without indexes, which shift when an entry is removed."""

    location: Path
    rule: str
    names: tuple[str, ...]
    message: str

    @property
    def location_and_rule(self) -> tuple[Path, str]:
        """The first two fields."""
        return self[:2]


_Found = dict[_Key, tuple[Severity, str]]
"""Findings, each with its severity and as one line."""


@dataclass(frozen=True)
class ResourceCheck:
    """Checks one resource's properties, which are at `path` of a parsed template with these conditions.

    `condition` is the resource's own. `resource` is its logical ID, empty outside a template.
    """

    properties: Any
    path: Path
    template: Mapping[str, Any]
    conditions: Conditions
    type: ResourceType
    resource: str = ""
    condition: str | None = None

    def diagnostics(self) -> list[Diagnostic]:
        """All findings, each once."""
        spelling = Spelling(self.properties, self.type.schema)
        certain = {key: value for _, found in self._found(self.conditions, {}) for key, value in found.items()}
        return [
            *(
                Diagnostic((*self.path, *one.path), id_of(one.rule), one.severity, spelling.render(one), self.resource)
                for one in function_findings(self.properties, self.template)
            ),
            *(self._diagnostic(key, severity, line) for key, (severity, line) in certain.items()),
            *self._parameter_diagnostics({key.location_and_rule for key in certain}),
        ]

    @cached_property
    def _names(self) -> set[str]:
        return names_in(self.properties)

    @cached_property
    def _condition_names(self) -> list[str]:
        own = [self.condition] if self.condition else []
        return list(dict.fromkeys([*conditions_in(self.properties), *own]))

    def _found(self, conditions: Conditions, names: Mapping[str, Value]) -> list[tuple[Outcome, _Found]]:
        """The findings under each outcome of the conditions, with the values `names` of references."""
        in_loop, kinds = may_have_loops(self.template), kinds_of_names(self.template)

        def found_in(outcome: Outcome) -> _Found:
            def resolved(pseudo: Mapping[str, Value]) -> Scenario:
                values = ShownValues({**names, **pseudo}, in_loop, kinds)
                return scenario(self.properties, self.path, outcome, values)

            found = _rendered(resolved({}), self.type)
            return found | _certain(resolved, self.type) if self._names & AS_WRITTEN.keys() else found

        return [(one, found_in(one)) for one in conditions.outcomes(self._condition_names, self.condition)]

    def _parameter_diagnostics(self, reported: set[tuple[Path, str]]) -> Iterator[Diagnostic]:
        """The findings that only certain values of parameters cause, in some Region or account.

        A finding keeps its severity if the values are defaults, or if no allowed value is valid; else it is a warning.
        """
        invalid: dict[tuple[str, object], set[Value]] = defaultdict(set)
        found = [one for one in self._with_parameters() if one[1].location_and_rule not in reported]
        for deployment, key, _ in found:
            for name in self._names_at(key.location) & deployment.names.keys():
                invalid[name, key.location_and_rule].add(str(deployment.names[name]))
        for deployment, key, (severity, line) in found:
            name, here = deployment.chosen, self._names_at(key.location)
            allowed = {*allowed_texts(self.conditions.parameters[name])} if name else set()
            is_full = invalid[name, key.location_and_rule] >= allowed
            rule = key.rule if is_full or severity is Severity.WARNING else "allowed-value"
            severity = severity if rule == key.rule else Severity.WARNING
            yield self._diagnostic(key._replace(rule=rule), severity, f"{line} ({deployment.describe(here)})")

    def _with_parameters(self) -> Iterator[tuple[ParameterBinding, _Key, tuple[Severity, str]]]:
        """The findings of each deployment in some Region or account, if its chosen parameter is mentioned there."""
        by_default: set[tuple[Path, str]] = set()
        for deployment in bound(self.template, self._names):
            parameters = deployment.parameters(self.conditions.parameters)
            conditions = replace(self.conditions, parameters=parameters)
            found = self._found(conditions, deployment.names)
            for key, value in _certain_in_one_place(found, conditions.decided(self._condition_names)).items():
                here, chosen = self._names_at(key.location), deployment.chosen
                if not chosen:
                    by_default.add(key.location_and_rule)
                # If another parameter is mentioned, too, its default can be the cause.
                has_other_cause = key.location_and_rule in by_default and len(here & deployment.names.keys()) > 1
                if not chosen or (chosen in here and not has_other_cause):
                    yield deployment, key, value

    def _names_at(self, location: Path) -> set[str]:
        node: Any = self.template
        for element in location:
            node = node[element]
        return names_in(node)

    def _diagnostic(self, key: _Key, severity: Severity, line: str) -> Diagnostic:
        return Diagnostic(key.location, id_of(key.rule), severity, line, self.resource)


def _certain_in_one_place(found: list[tuple[Outcome, _Found]], decided: list[str]) -> _Found:
    """The findings that do not depend on a choice: under each outcome of the `decided` conditions, those in all."""
    places: dict[tuple[bool, ...], list[_Found]] = defaultdict(list)
    for outcome, one in found:
        places[tuple(outcome[name] for name in decided)].append(one)
    return {
        key: value
        for first, *others in places.values()
        for key, value in first.items()
        if all(key in other for other in others)
    }


def _certain(resolved: Callable[[Mapping[str, Value]], Scenario], type_: ResourceType) -> _Found:
    """The findings about texts that contain pseudo parameters, whatever their values in `resolved` are."""
    as_written = resolved(AS_WRITTEN)
    findings = [one for one in _findings(as_written, type_) if one.rule in _TEXT_RULES]
    if not findings:
        return {}
    guesses = ({(one.path, one.rule) for one in _findings(resolved(guess), type_)} for guess in GUESSES)
    certain = set.intersection(*guesses)
    return _rendered(as_written, type_, [one for one in findings if (one.path, one.rule) in certain])


def _rendered(one: Scenario, type_: ResourceType, findings: list[Finding] | None = None) -> _Found:
    spelling = Spelling(one.properties, type_.schema)
    found: _Found = {}
    for finding in _findings(one, type_) if findings is None else findings:
        names = tuple(element for element in finding.path if isinstance(element, str))
        key = _Key(one.origin(spelling.keys(finding.path)), finding.rule, names, finding.message)
        found[key] = finding.severity, spelling.render(finding)
    return found


def _findings(one: Scenario, type_: ResourceType) -> list[Finding]:
    if not isinstance(one.properties, Mapping):
        return []
    expanded = expand(one.properties, type_.schema)
    return [
        finding._replace(message=f"{finding.message}, which is {value.kind}") if isinstance(value, Unknown) else finding
        for finding in validate_properties(expanded, type_.rules)
        for value in (_at(finding.path, expanded.checked) if finding.rule == "type" else None,)
        if not isinstance(value, Unknown) or _has_wrong_kind(value, _schema_at(finding.path, type_.schema))
    ]


def _schema_at(path: Path, schema: Schema | None) -> Schema | None:
    for element in path:
        schema = below(schema, element)
    return schema


def _has_wrong_kind(value: Unknown, schema: Schema | None) -> bool:
    """Whether an unknown value is certainly of a wrong type. Text can be a number or a boolean."""
    allowed = {"list": (LIST,), "structure": (), "map": ()}.get(schema.type_name if schema else "", (TEXT,))
    return value.kind not in ("", *allowed)


def _at(path: Path, parameters: Any) -> Any:
    for element in path:
        parameters = parameters[element]
    return parameters
