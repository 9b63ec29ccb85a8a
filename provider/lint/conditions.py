"""A template's conditions -> the combinations of true and false in which they can occur together.

Conditions compare parameters and the like with texts. Each of those is given every value that makes a difference,
so that conditions which exclude each other are never both true.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Any, Final

Outcome = Mapping[str, bool]
"""Which conditions hold, by their names."""

_MOST: Final = 256
"""Up to here, every combination of values is tried; beyond, each value at least once."""

_LOOKED_AT: Final = 4096
_STARTS: Final = 4
"""Of the values under which a resource's own condition holds: how many are looked for, and how many are taken."""

_FUNCTIONS: Final[Mapping[str, Callable[[Iterable[bool]], bool]]] = {
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Not": lambda values: not all(values),
}


@dataclass(frozen=True)
class Conditions:
    """The conditions of a template, by their names, with its parameters, which bound what they can compare."""

    formulas: Mapping[str, Any]
    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, template: Mapping[str, Any]) -> "Conditions":
        """Those of a template; a section that is not as it should be counts as empty."""
        return cls(_mapping(template.get("Conditions")), _mapping(template.get("Parameters")))

    def outcomes(self, names: list[str], holding: str | None = None) -> list[Outcome]:
        """The outcomes of the conditions `names` that can occur; where `holding` is one of them, with it true."""
        comparisons = [two for name in names for two in self._comparisons({"Condition": name}, ())]
        domains = self._domains(comparisons)
        found: dict[tuple[bool, ...], Outcome] = {}
        for start in self._starts(domains, holding):
            for rest in _assignments({key: values for key, values in domains.items() if key not in start}):
                outcome = {name: self._holds({"Condition": name}, {**start, **rest}, ()) for name in names}
                if holding is None or outcome[holding]:
                    found.setdefault(tuple(outcome.values()), outcome)
        return list(found.values())

    def is_exact(self, names: list[str]) -> bool:
        """Whether all outcomes of these conditions occur: not where two things that are compared may hang together."""
        sides = [side for name in names for two in self._comparisons({"Condition": name}, ()) for side in two]
        return len(names) <= 1 or all(_is_literal(side) or [*side] == ["Ref"] for side in sides)

    def _starts(self, domains: Mapping[str, list[str]], holding: str | None) -> list[Mapping[str, str]]:
        """Where there are too many combinations to try all: some values under which the condition `holding` is true."""
        if holding is None or prod(map(len, domains.values())) <= _MOST:
            return [{}]
        own = [key for key in self._domains([*self._comparisons({"Condition": holding}, ())]) if key in domains]
        tried = (dict(zip(own, values, strict=True)) for values in product(*(domains[key] for key in own)))
        holds = (values for values in islice(tried, _LOOKED_AT) if self._holds({"Condition": holding}, values, ()))
        return [*islice(holds, _STARTS)] or [{}]

    def _comparisons(self, formula: Any, open_: tuple[str, ...]) -> Iterator[list[Any]]:
        """The two sides of each comparison on which a formula rests."""
        name, function, operands = self._parts(formula, open_)
        if function == "Condition":
            yield from self._comparisons(self.formulas[name], (*open_, name))
        elif function in _FUNCTIONS:
            for operand in operands:
                yield from self._comparisons(operand, open_)
        else:
            yield operands

    def _domains(self, comparisons: list[list[Any]]) -> dict[str, list[str]]:
        """The values that make a difference to what is compared, by its key."""
        compared: dict[str, dict[str, None]] = {}
        allowed: dict[str, list[str]] = {}
        for one, other in [*comparisons, *(two[::-1] for two in comparisons)]:
            if not _is_literal(one):
                allowed[_key(one)] = self._allowed(one)
                values = [_text(other)] if _is_literal(other) else self._allowed(other) or [_key(other)]
                compared.setdefault(_key(one), {}).update(dict.fromkeys(values))
        return {key: _bounded(values, allowed[key], key) for key, values in compared.items()}

    def _holds(self, formula: Any, values: Mapping[str, str], open_: tuple[str, ...]) -> bool:
        name, function, operands = self._parts(formula, open_)
        if function == "Condition":
            return self._holds(self.formulas[name], values, (*open_, name))
        if function in _FUNCTIONS:
            return _FUNCTIONS[function](self._holds(operand, values, open_) for operand in operands)
        one, other = (_text(side) if _is_literal(side) else values[_key(side)] for side in operands)
        return one == other

    def _parts(self, formula: Any, open_: tuple[str, ...]) -> tuple[str, str, list[Any]]:
        """A formula's condition name, function and operands; what cannot be worked out compares something unknown."""
        if isinstance(formula, Mapping) and len(formula) == 1:
            ((function, argument),) = formula.items()
            if function == "Condition" and isinstance(argument, str) and argument in self.formulas.keys() - {*open_}:
                return argument, function, []
            if isinstance(argument, list) and (
                function in _FUNCTIONS or (function == "Fn::Equals" and len(argument) == 2)
            ):
                return "", function, argument
        return "", "Fn::Equals", [{"Unknown": formula}, "true"]

    def _allowed(self, operand: Any) -> list[str]:
        parameter = self.parameters.get(str(operand.get("Ref"))) if isinstance(operand, Mapping) else None
        allowed = parameter.get("AllowedValues") if isinstance(parameter, Mapping) else None
        return [_text(value) for value in allowed] if isinstance(allowed, list) else []


def condition_of(resource: Mapping[str, Any]) -> str | None:
    """The name of a resource's own condition."""
    name = resource.get("Condition")
    return name if isinstance(name, str) else None


def _bounded(compared: Iterable[str], allowed: list[str], key: str) -> list[str]:
    """The values among those compared that may occur, and one that is none of them: the key, where all may."""
    if not allowed:
        return [*compared, key]
    others = [value for value in allowed if value not in compared]
    return [*(value for value in allowed if value not in others), *others[:1]]


def _assignments(domains: Mapping[str, list[str]]) -> Iterator[Mapping[str, str]]:
    if prod(map(len, domains.values())) <= _MOST:
        yield from (dict(zip(domains, values, strict=True)) for values in product(*domains.values()))
        return
    for position in (0, -1):
        others = {key: values[position] for key, values in domains.items()}
        yield from ({**others, key: value} for key, values in domains.items() for value in values)


def _mapping(section: object) -> Mapping[str, Any]:
    return section if isinstance(section, Mapping) else {}


def _is_literal(operand: object) -> bool:
    return not isinstance(operand, (Mapping, list))


def _text(literal: object) -> str:
    return str(literal).lower() if isinstance(literal, bool) else str(literal)


def _key(node: object) -> str:
    return repr(node)
