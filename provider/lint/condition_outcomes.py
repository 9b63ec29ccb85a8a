"""A template's conditions -> the combinations of true and false that can occur together.

Conditions compare parameters and other references with texts. Each reference gets every value that can change a
result, so that conditions that exclude each other are never both true.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, product
from math import prod
from typing import Any, Final, TypeAlias

from ..template.intrinsics import SCALARS, Evaluator, Operand, text
from ..template.parameters import allowed_values
from ..template.template_error import TemplateError, TreePath
from .shown_values import AS_WRITTEN, NOTHING_SHOWN

Outcome = Mapping[str, bool]
"""Whether each condition is true, by its name."""

Comparison: TypeAlias = tuple[Any, Any]
"""The two operands of an `Fn::Equals`."""

_MAX_COMBINATIONS: Final = 256
"""With more combinations of values than this, each value is tried at least once instead."""
_MAX_ATTEMPTS: Final = 4096
_MAX_STARTS: Final = 4
"""How many combinations are tried to make a resource's own condition true, and how many of those that do are used."""


@dataclass
class _ConditionEvaluator(Evaluator):
    """Evaluates conditions with the values in `assigned`, or, if it is None, only collects their comparisons."""

    assigned: Mapping[str, str] | None = None
    comparisons: list[Comparison] = field(default_factory=list)

    def condition(self, node: Any, path: TreePath) -> bool:
        """Whether a condition is true. One that cannot be evaluated compares an unknown value."""
        try:
            return super().condition(node, path)
        except TemplateError:
            return self.equals(({"Unknown": node}, path), ("true", path))

    def equals(self, left: Operand, right: Operand) -> bool:
        """Whether two operands are equal."""
        if self.assigned is None:
            self.comparisons.append((left[0], right[0]))
            return False
        one, other = (text(node) if _is_literal(node) else self.assigned[repr(node)] for node, _ in (left, right))
        return one == other


@dataclass(frozen=True)
class Conditions:
    """A template's conditions, and its parameters, whose allowed values limit what conditions can compare."""

    definitions: Mapping[str, Any]
    parameters: Mapping[str, Any]
    _outcomes: dict[Any, list[Outcome]] = field(default_factory=dict, init=False)
    """The results of `outcomes`, as many resources of a template depend on the same conditions."""

    @classmethod
    def of(cls, template: Mapping[str, Any]) -> "Conditions":
        """The conditions of a template. A section that is not a mapping counts as empty."""
        sections = (template.get("Conditions"), template.get("Parameters"))
        return cls(*(section if isinstance(section, Mapping) else {} for section in sections))

    def outcomes(self, names: list[str], required: str | None = None) -> list[Outcome]:
        """The outcomes of the conditions `names` that can occur. If `required` is one of them, only those with it."""
        key = (*names, required)
        if key not in self._outcomes:
            self._outcomes[key] = list(self._possible(names, required))
        return self._outcomes[key]

    def _possible(self, names: list[str], required: str | None) -> Iterable[Outcome]:
        domains = self._domains(self._comparisons(names))
        found: dict[tuple[bool, ...], Outcome] = {}
        for start in self._starts(domains, required):
            for rest in _assignments({key: values for key, values in domains.items() if key not in start}):
                outcome = self._outcome(names, {**start, **rest})
                if required is None or outcome[required]:
                    found.setdefault(tuple(outcome.values()), outcome)
        return found.values()

    def is_exact(self, names: list[str]) -> bool:
        """Whether every outcome of these conditions can occur: not if the compared values can depend on each other."""
        operands = [operand for comparison in self._comparisons(names) for operand in comparison]
        return len(names) <= 1 or all(
            _is_literal(one) or (isinstance(one, dict) and [*one] == ["Ref"]) for one in operands
        )

    def decided(self, names: Iterable[str]) -> list[str]:
        """The conditions that compare only pseudo parameters, and parameters with a single allowed value."""
        return [
            name
            for name in names
            if all(self._is_decided(one) for comparison in self._comparisons([name]) for one in comparison)
        ]

    def _is_decided(self, operand: Any) -> bool:
        if _is_literal(operand) or len(self._allowed(operand)) == 1:
            return True
        return isinstance(operand, Mapping) and operand.get("Ref") in AS_WRITTEN

    def _outcome(self, names: Iterable[str], assigned: Mapping[str, str]) -> Outcome:
        evaluator = _ConditionEvaluator({}, self.definitions, NOTHING_SHOWN, assigned)
        return {name: evaluator.condition({"Condition": name}, ()) for name in names}

    def _comparisons(self, names: Iterable[str]) -> list[Comparison]:
        """The comparisons on which conditions depend."""
        evaluator = _ConditionEvaluator({}, self.definitions, NOTHING_SHOWN)
        for name in names:
            evaluator.condition({"Condition": name}, ())
        return evaluator.comparisons

    def _starts(self, domains: Mapping[str, list[str]], required: str | None) -> list[Mapping[str, str]]:
        """Return some assignments that make `required` true, if there are too many combinations to try all."""
        if required is None or prod(map(len, domains.values())) <= _MAX_COMBINATIONS:
            return [{}]
        own = [key for key in self._domains(self._comparisons([required])) if key in domains]
        tried = (dict(zip(own, values, strict=True)) for values in product(*(domains[key] for key in own)))
        true = (values for values in islice(tried, _MAX_ATTEMPTS) if self._outcome([required], values)[required])
        return [*islice(true, _MAX_STARTS)] or [{}]

    def _domains(self, comparisons: list[Comparison]) -> dict[str, list[str]]:
        """The values that can change a result, by the compared operand's key."""
        compared: dict[str, dict[str, None]] = {}
        allowed: dict[str, list[str]] = {}
        for one, other in [*comparisons, *(pair[::-1] for pair in comparisons)]:
            if not _is_literal(one):
                key = repr(one)
                allowed[key] = self._allowed(one)
                values = [text(other)] if _is_literal(other) else self._allowed(other) or [repr(other)]
                compared.setdefault(key, {}).update(dict.fromkeys(values))
        return {key: _domain(values, allowed[key], key) for key, values in compared.items()}

    def _allowed(self, operand: Any) -> list[str]:
        parameter = self.parameters.get(str(operand.get("Ref"))) if isinstance(operand, Mapping) else None
        return allowed_values(parameter) if isinstance(parameter, Mapping) else []


def condition_of(resource: Mapping[str, Any]) -> str | None:
    """The name of a resource's own condition."""
    name = resource.get("Condition")
    return name if isinstance(name, str) else None


def _domain(compared: Iterable[str], allowed: list[str], key: str) -> list[str]:
    """The compared values that are allowed, and one other: the key itself if any value is allowed."""
    if not allowed:
        return [*compared, key]
    others = [value for value in allowed if value not in compared]
    return [*(value for value in allowed if value not in others), *others[:1]]


def _assignments(domains: Mapping[str, list[str]]) -> Iterator[Mapping[str, str]]:
    if prod(map(len, domains.values())) <= _MAX_COMBINATIONS:
        yield from (dict(zip(domains, values, strict=True)) for values in product(*domains.values()))
        return
    for position in (0, -1):
        others = {key: values[position] for key, values in domains.items()}
        yield from ({**others, key: value} for key, values in domains.items() for value in values)


def _is_literal(operand: object) -> bool:
    return isinstance(operand, SCALARS)
