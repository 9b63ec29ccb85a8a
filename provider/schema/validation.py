"""Parameters -> findings: the service model's own constraints.

Each constraint is stated once, as a row of `constraints`. A fast check for valid values (`acceptance`) and the report
about all other values (`_check`) are both built from these rows.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .finding import Finding, Path
from .model import PATTERNS, VARIANTS, Schema

Accepts = Callable[[Any], object]
"""Returns a true value if it accepts its argument."""

Explain = Callable[[Any], Iterable[tuple[Path, str]]]
"""Returns why a value is not accepted: paths below it, each with a message."""

_TYPES: Mapping[str, tuple[type, str]] = {
    "string": (str, "a string"),
    "boolean": (bool, "true or false"),
    "integer": (int, "an integer"),
    "long": (int, "an integer"),
    "structure": (dict, "a mapping"),
    "list": (list, "a list"),
    "map": (dict, "a mapping of keys to values"),
}
"""botocore's type name -> the Python type, and its name in messages."""
_UNITS = {"string": (" character", " characters"), **dict.fromkeys(("list", "map"), (" entry", " entries"))}
_SIZES: Mapping[str, Callable[[Any], int]] = {**dict.fromkeys(_UNITS, len), **dict.fromkeys(("integer", "long"), int)}
_MAX_QUOTED = 200
"""Characters of a user's value that a message quotes: enough for every valid ARN and name of an image."""
_MAX_UNPACED = 64
"""Entries of a list without a limit that are checked without a checkpoint."""


def validate(value: object, schema: Schema, path: Path = (), checkpoint: Checkpoint = proceed) -> list[Finding]:
    """Check a value by the API's names against its schema: type, required, limits, pattern, enum.

    Accepts nothing that botocore's own `ParamValidator` rejects.
    """
    return [*violations(value, schema, path, checkpoint)]


def violations(value: object, schema: Schema, path: Path = (), checkpoint: Checkpoint = proceed) -> Iterator[Finding]:
    """Yield the findings of `validate`."""
    if not acceptance(schema)(value):
        yield from _check(value, schema, path, checkpoint)


class Constraint(NamedTuple):
    """One constraint on a value. `explain` is called only for values that it does not accept."""

    rule: str
    accepts: Accepts
    explain: Explain


@cache
def constraints(schema: Schema) -> tuple[Constraint, ...]:
    """Return the constraints on a value itself, without its entries. The first is its type; the others require it."""
    rows = (_type, _limits, _enum, _pattern, _required, _unknown)
    return tuple(constraint for row in rows for constraint in row(schema))


def _type(schema: Schema) -> Iterator[Constraint]:
    if schema.type_name in _TYPES:
        expected, name = _TYPES[schema.type_name]
        yield Constraint("type", lambda value: type(value) is expected, _explain(f"must be {name}, not"))


def _limits(schema: Schema) -> Iterator[Constraint]:
    size, least, most = _SIZES.get(schema.type_name), schema.minimum, schema.maximum
    unit, units = _UNITS.get(schema.type_name, ("", ""))
    must, actual = ("must have", "but has") if unit else ("must be", "but is")
    if size is not None and least is not None:
        message = f"{must} at least {least}{unit if least == 1 else units}, {actual}"
        yield Constraint("minimum", lambda value: size(value) >= least, _explain(message, size))
    if size is not None and most is not None:
        message = f"{must} at most {most}{unit if most == 1 else units}, {actual}"
        yield Constraint("maximum", lambda value: size(value) <= most, _explain(message, size))


def _explain(message: str, shown: Callable[[Any], Any] = lambda value: value) -> Explain:
    return lambda value: [((), f"{message} {describe(shown(value))}")]


def _enum(schema: Schema) -> Iterator[Constraint]:
    allowed = schema.enum
    if allowed:
        yield Constraint("enum", allowed.__contains__, _explain(f"must be one of {', '.join(allowed)}, not"))


def _pattern(schema: Schema) -> Iterator[Constraint]:
    if schema.regex is None:
        return
    search = schema.regex.search
    words = PATTERNS.get(schema.pattern or "")
    requirement = f"must be {words}, not" if words else f"must match the pattern {schema.pattern}, not"

    def explain(value: str) -> Iterator[tuple[Path, str]]:
        only_line_break = value[-1:] == "\n" and search(value[:-1])
        # The end of the longest valid beginning. For the patterns of short values, this can be wrong; they are not cut.
        wrong = bisect_left(range(1, len(value)), True, key=lambda end: not search(value[:end]))
        shown = describe(value, wrong)
        yield (), f"{requirement} {shown}{'; remove the trailing line break' if only_line_break else ''}"

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
    if schema.type_name == "structure":
        known = schema.members.keys()
        yield Constraint(
            "unknown",
            lambda value: value.keys() <= known,
            lambda value: (((name,), "is unknown to the service model") for name in value if name not in known),
        )
    if schema.shape in VARIANTS:
        from .account_sources import explain_variants, is_variant  # imported here because only sources need them

        yield Constraint("variant", is_variant, explain_variants)


@cache
def acceptance(schema: Schema) -> Accepts:
    """Return a fast function that accepts a value if it and all that it contains are valid. Most values are.

    It has no checkpoints, so it rejects long lists whose length the model does not limit; `_check` checks those.
    """
    if schema.type_name not in _TYPES:
        return lambda _: True
    predicates = [constraint.accepts for constraint in constraints(schema)[1:]]
    if schema.type_name == "list" and schema.maximum is None:
        predicates.append(lambda value: len(value) <= _MAX_UNPACED)
    if schema.type_name == "structure":
        predicates.append(_accepts_members(schema.members))
    if schema.key is not None:
        predicates.append(_accepts_all(acceptance(schema.key)))
    if schema.item is not None:
        accepts_all = _accepts_all(acceptance(schema.item))
        predicates.append(accepts_all if schema.key is None else lambda value: accepts_all(value.values()))
    return _all_of(_TYPES[schema.type_name][0], predicates)


def _all_of(expected: type, predicates: list[Accepts]) -> Accepts:
    """Combine a type and predicates in one function. Nested calls are faster than a loop."""
    match predicates:
        case []:
            return lambda value: type(value) is expected
        case [one]:
            return lambda value: type(value) is expected and one(value)
    *others, last = predicates
    first = _all_of(expected, others)
    return lambda value: first(value) and last(value)


def _accepts_members(members: Mapping[str, Schema]) -> Accepts:
    used: dict[str, Accepts] = {}  # made on first use, because compiling all patterns takes long

    def accepts(value: dict[str, Any]) -> bool:
        for name, entry in value.items():
            if name not in used:
                used[name] = acceptance(members[name])
            if not used[name](entry):
                return False
        return True

    return accepts


def _accepts_all(accepts: Accepts) -> Accepts:
    return lambda value: all(map(accepts, value))


def _check(value: Any, schema: Schema, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    """Yield the findings of a value that `acceptance` rejected."""
    certain = value
    if schema.item is not None and schema.item.source is not None and isinstance(value, list):
        from .account_sources import certain_entries  # imported here because only lists of accounts need it

        certain = certain_entries(value)
    for constraint in constraints(schema):
        if not constraint.accepts(certain):
            for below, message in constraint.explain(certain):
                yield Finding((*path, *below), message, constraint.rule)
            if constraint.rule == "type":
                return
    if schema.type_name == "structure":
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
            schema = item.of(entry)
            if schema is item or not acceptance(schema)(entry):
                yield from _check(entry, schema, (*path, place), checkpoint)


def describe(value: object, wrong: int = 0) -> str:
    """Return a user's value for a message: its JSON, or only its type if it contains other values.

    A long value is shortened to the part around the character at `wrong`.
    """
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str) and len(value) > _MAX_QUOTED:
        start = max(0, min(wrong - _MAX_QUOTED // 2, len(value) - _MAX_QUOTED))
        end = start + _MAX_QUOTED
        value = f"{'...' if start else ''}{value[start:end]}{'...' if end < len(value) else ''}"
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # Python does not convert integers this long to text
        return "an integer of thousands of digits"
    return text if isinstance(value, str) or len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}..."
