"""Parameters -> findings: the service model's own constraints. Each is stated once, as a row of `constraints`.

A quick function for valid values and the report for all others are both made from these rows.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .finding import Finding, Path
from .model import PATTERNS, Schema

Accepts = Callable[[Any], object]
"""Returns something true if a value is accepted."""

_PYTHON_TYPES: Mapping[str, type] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "structure": dict,
    "list": list,
    "map": dict,
}
_ARTICLES = {"string": "a string", "boolean": "true or false", "integer": "an integer", "long": "an integer",
             "structure": "a mapping", "list": "a list", "map": "a mapping"}  # fmt: skip
_ADVICE = {
    "list": ": begin each entry with `- `, or in JSON, put them into [ ]",
    "map": ": write `key: value` for each entry",
}
_UNITS = {"string": " characters", "list": " entries", "map": " entries"}
_SIZES: Mapping[str, Callable[[Any], int]] = {**dict.fromkeys(_UNITS, len), **dict.fromkeys(("integer", "long"), int)}
_LINE_BREAK = "it ends with a line break: begin a block with `|-` or `>-` to omit it"
_SHOWN = 60
"""Characters of a user's value that a message quotes."""
_QUICKLY_CHECKED = 64
"""Entries of a list without a limit that are checked without a checkpoint."""


def validate(value: object, schema: Schema, path: Path = (), checkpoint: Checkpoint = proceed) -> list[Finding]:
    """Check a value by the API's names against its schema: type, required, limits, pattern, enum.

    Accepts nothing that botocore's own `ParamValidator` rejects.
    """
    return [*violations(value, schema, path, checkpoint)]


def violations(value: object, schema: Schema, path: Path = (), checkpoint: Checkpoint = proceed) -> Iterator[Finding]:
    """The findings of `validate`, one after the other."""
    if not acceptance(schema)(value):
        yield from _check(value, schema, path, checkpoint)


class Constraint(NamedTuple):
    """One constraint on a value: whether the value satisfies it, and otherwise the paths below it, with messages."""

    rule: str
    accepts: Accepts
    explain: Callable[[Any], Iterable[tuple[Path, str]]]


@cache
def constraints(schema: Schema) -> tuple[Constraint, ...]:
    """The constraints on a value, without those on what it contains. The first is on its type; the others need that."""
    rows = (_type, _minimum, _maximum, _enum, _pattern, _required, _unknown)
    return tuple(constraint for row in rows for constraint in row(schema))


def _type(schema: Schema) -> Iterator[Constraint]:
    expected = _PYTHON_TYPES.get(schema.kind)

    def explain(value: Any) -> Iterator[tuple[Path, str]]:
        advice = _ADVICE.get(schema.kind, "") if value is not None else ""
        yield (), f"must be {_ARTICLES[schema.kind]}, not {describe(value)}{advice}"

    yield Constraint("type", lambda value: expected is None or type(value) is expected, explain)


def _minimum(schema: Schema) -> Iterator[Constraint]:
    size, unit, least = _SIZES.get(schema.kind), _UNITS.get(schema.kind, ""), schema.minimum
    if size is not None and least is not None:
        yield Constraint(
            "minimum",
            lambda value: size(value) >= least,
            lambda value: [((), f"must be at least {least}{unit}, is {describe(size(value))}")],
        )


def _maximum(schema: Schema) -> Iterator[Constraint]:
    size, unit, most = _SIZES.get(schema.kind), _UNITS.get(schema.kind, ""), schema.maximum
    if size is not None and most is not None:
        yield Constraint(
            "maximum",
            lambda value: size(value) <= most,
            lambda value: [((), f"must be at most {most}{unit}, is {describe(size(value))}")],
        )


def _enum(schema: Schema) -> Iterator[Constraint]:
    allowed = schema.enum
    if allowed:
        message = f"must be one of {', '.join(allowed)}, not"
        yield Constraint("enum", allowed.__contains__, lambda value: [((), f"{message} {describe(value)}")])


def _pattern(schema: Schema) -> Iterator[Constraint]:
    if schema.regex is None:
        return
    search = schema.regex.search
    words = PATTERNS.get(schema.pattern or "")
    form = f"must be {words}, not" if words else f"must match the pattern {schema.pattern}, not"

    def explain(value: str) -> Iterator[tuple[Path, str]]:
        only_line_break = value[-1:] == "\n" and search(value[:-1])
        yield (), f"{form} {describe(value)}{f'; {_LINE_BREAK}' if only_line_break else ''}"

    yield Constraint("pattern", search, explain)


def _required(schema: Schema) -> Iterator[Constraint]:
    required = schema.required
    if required:
        needed = frozenset(required)
        yield Constraint(
            "required",
            lambda value: needed <= value.keys(),
            lambda value: (((name,), "is required") for name in required if name not in value),
        )


def _unknown(schema: Schema) -> Iterator[Constraint]:
    if schema.kind == "structure":
        known = schema.members.keys()
        yield Constraint(
            "unknown",
            lambda value: value.keys() <= known,
            lambda value: (((name,), "is unknown to the service model") for name in value if name not in known),
        )


@cache
def acceptance(schema: Schema) -> Accepts:
    """Whether a value and all that it contains are valid, as one quick function: almost every value is.

    It does not stop at a checkpoint. So it leaves long lists to `_check` if the model does not limit them.
    """
    expected = _PYTHON_TYPES.get(schema.kind)
    own = [constraint.accepts for constraint in constraints(schema)[1:]]
    if schema.kind == "list" and schema.maximum is None:
        own.append(lambda value: len(value) <= _QUICKLY_CHECKED)
    if schema.kind == "structure":
        own.append(_accepts_members(schema.members))
    if schema.key is not None:
        own.append(_accepts_all(acceptance(schema.key)))
    if schema.item is not None:
        own.append(_accepts_entries(schema, acceptance(schema.item)))
    return _all_of(expected, own) if expected else lambda _: True


def _all_of(expected: type, predicates: list[Accepts]) -> Accepts:
    """One function for a type and several predicates; calls in one expression take less time than a loop."""
    match predicates:
        case []:
            return lambda value: type(value) is expected
        case [one]:
            return lambda value: type(value) is expected and one(value)
        case [one, two]:
            return lambda value: type(value) is expected and one(value) and two(value)
    one, two, *rest = predicates
    others = _all_of(expected, rest)
    return lambda value: type(value) is expected and one(value) and two(value) and others(value)


def _accepts_members(members: Mapping[str, Schema]) -> Accepts:
    def accepts(value: dict[str, Any]) -> bool:
        for name, entry in value.items():  # noqa: SIM110 - a generator takes longer
            if not acceptance(members[name])(entry):
                return False
        return True

    return accepts


def _accepts_all(accepts: Accepts) -> Accepts:
    return lambda value: all(map(accepts, value))


def _accepts_entries(schema: Schema, accepts: Accepts) -> Accepts:
    return _accepts_all(accepts) if schema.key is None else lambda value: all(map(accepts, value.values()))


def _check(value: Any, schema: Schema, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    """The findings of a value that is not known to be valid."""
    for constraint in constraints(schema):
        if not constraint.accepts(value):
            for below, message in constraint.explain(value):
                yield Finding((*path, *below), message, constraint.rule)
            if constraint.rule == "type":
                return
    if schema.kind == "structure":
        yield from _check_members(value, schema.members, path, checkpoint)
    elif schema.item is not None:
        yield from _check_entries(value, schema.key, schema.item, path, checkpoint)


def _check_members(
    value: dict[str, Any], members: Mapping[str, Schema], path: Path, checkpoint: Checkpoint
) -> Iterator[Finding]:
    for name, entry in paced(value.items(), checkpoint):
        if name in members and not acceptance(members[name])(entry):
            yield from _check(entry, members[name], (*path, name), checkpoint)


def _check_entries(
    value: Any, key: Schema | None, item: Schema, path: Path, checkpoint: Checkpoint
) -> Iterator[Finding]:
    accepts = acceptance(item)
    entries = [*enumerate(value)] if key is None else value.items()
    for place, entry in paced(entries, checkpoint):
        if key is not None:
            for finding in _check(place, key, (*path, place), checkpoint):
                yield finding._replace(message=f"the key {finding.message}")
        if not accepts(entry):
            yield from _check(entry, item, (*path, place), checkpoint)


def describe(value: object) -> str:
    """A user's value for a message: its JSON, cut short; for a value that contains others, only its type."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        value = value[: _SHOWN + 1]  # enough to see whether it is too long
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # Python does not write integers of more digits
        return "an integer of thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
