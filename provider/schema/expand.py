"""Properties -> API parameters: names to the API's, strings to the types of the shape. Converts, never validates."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .finding import Finding, Path
from .model import IGNORED, PROPERTIES, REFUSED, Schema, camel_case, pascal_case

_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_LONGEST_INTEGER = 32
"""Digits; far above what any limit of the model allows, far below what Python refuses to read."""

_SLIP = 0.75
"""How like a known name has to be to be taken for the one that was meant, although there is such a name elsewhere."""
_LIKE = 0.65
"""How like a known name has to be to be worth naming alone."""

_LONGEST_NAME = 256
"""Characters; a longer name is never like a known one, and comparing it would take long."""
SUGGESTIONS: Final = 20
"""How many unknown names get a suggestion; finding one takes a hundred times as long as anything else."""
UNKNOWN: Final = "unknown property"
"""The message for an unknown name without a suggestion."""


class _Walk:
    """One conversion: whether it met odd names (unknown, or given twice), and its checkpoint."""

    __slots__ = ("checkpoint", "met_odd_names")

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.met_odd_names = False


Convert = Callable[[Any, _Walk], Any]
"""Takes a value by the user's names."""


class Expanded(NamedTuple):
    """API parameters, and the findings about the *names* in the properties.

    A value that cannot be converted stays as it is; validation reports it. Wrong names are left out.
    """

    parameters: dict[str, Any]
    schema: Schema
    findings: tuple[Finding, ...] = ()


def expand(properties: Mapping[str, Any], schema: Schema, checkpoint: Checkpoint = proceed) -> Expanded:
    """Turn resource properties as CloudFormation delivers them into parameters by the API's names."""
    findings: list[Finding] = []
    written = dict(properties)
    for name in IGNORED:
        written.pop(name, None)
    for member, reason in REFUSED.items():
        for name in (pascal_case(member), member):
            if name in written:
                del written[name]
                findings.append(Finding((name,), reason, "refused-property"))
    walk = _Walk(checkpoint)
    parameters = _converter(schema)(written, walk)
    if walk.met_odd_names:
        findings += _odd_names(written, schema, (), Suggestions(schema, checkpoint), checkpoint)
    return Expanded(parameters, schema, tuple(findings))


def parameters_of(properties: Mapping[str, Any], schema: Schema, checkpoint: Checkpoint = proceed) -> dict[str, Any]:
    """The same parameters as from `expand`, without findings: for properties that cannot be corrected anymore.

    Takes anything: unknown names are left out, and values that do not convert stay as they are.
    """
    parameters: dict[str, Any] = _converter(schema)(dict(properties), _Walk(checkpoint))
    return parameters


def coerce(value: object, schema: Schema) -> Any:
    """Turn a string into the boolean or integer that `schema` asks for; anything else stays as it is."""
    if isinstance(value, str):
        if schema.kind == "boolean":
            return _BOOLEANS.get(value.lower(), value)
        if schema.kind in ("integer", "long") and len(value) <= _LONGEST_INTEGER and _INTEGER.fullmatch(value):
            return int(value)
    return value


@cache
def _converter(schema: Schema) -> Convert:
    """The function that converts a value to what the API takes, made once per schema."""
    if schema.kind == "structure":
        return _structure_converter(schema)
    if schema.kind == "string" or (schema.item is not None and schema.item.kind == "string"):
        return lambda value, _: value
    if schema.item is None:
        return lambda value, _: coerce(value, schema)
    return _entries_converter(schema.kind, _converter(schema.item))


def _entries_converter(kind: str, convert: Convert) -> Convert:
    if kind == "list":
        return lambda value, walk: (
            [convert(entry, walk) for entry in paced(value, walk.checkpoint)] if isinstance(value, list) else value
        )
    return lambda value, walk: (
        {key: convert(entry, walk) for key, entry in paced(value.items(), walk.checkpoint)}
        if isinstance(value, Mapping)
        else value
    )


def _structure_converter(schema: Schema) -> Convert:
    converters = {
        spelling: (member, None if schema.members[member].kind == "string" else _converter(schema.members[member]))
        for spelling, member in schema.spellings.items()
    }

    def convert_structure(value: Any, walk: _Walk) -> Any:
        if not isinstance(value, dict):
            return value
        parameters: dict[str, Any] = {}
        for written, entry in value.items():
            if written not in converters:
                walk.met_odd_names = True
                continue
            member, convert = converters[written]
            if member in parameters:
                walk.met_odd_names = True
            else:
                parameters[member] = entry if convert is None else convert(entry, walk)
        return parameters

    return convert_structure


class Suggestions:
    """The messages for unknown names: with a suggestion for the first few different ones, without for the rest."""

    def __init__(self, root: Schema, checkpoint: Checkpoint = proceed) -> None:
        self._root, self._checkpoint = root, checkpoint
        self._messages: dict[tuple[str, Schema], str] = {}

    def message(self, written: str, schema: Schema, spelled: Callable[[str], str] = str) -> str:
        """What to say of a name that a structure of `schema` does not know. See `unknown`."""
        key = (written, schema)
        if key not in self._messages:
            if len(self._messages) >= SUGGESTIONS:
                return UNKNOWN
            self._checkpoint()
            self._messages[key] = unknown(written, schema, self._root, spelled)
        return self._messages[key]


def _odd_names(
    value: Any, schema: Schema, path: Path, suggestions: Suggestions, checkpoint: Checkpoint
) -> Iterator[Finding]:
    """The names that are unknown, or given twice."""
    if schema.kind == "structure" and isinstance(value, dict):
        yield from _odd_names_of(value, schema, path, suggestions, checkpoint)
    elif schema.item and not schema.item.is_scalar and isinstance(value, list if schema.kind == "list" else dict):
        entries = value.items() if isinstance(value, dict) else [*enumerate(value)]
        for key, entry in paced(entries, checkpoint):
            yield from _odd_names(entry, schema.item, (*path, key), suggestions, checkpoint)


def _odd_names_of(
    value: dict[str, Any], schema: Schema, path: Path, suggestions: Suggestions, checkpoint: Checkpoint
) -> Iterator[Finding]:
    given: dict[str, str] = {}
    for written, entry in paced(value.items(), checkpoint):
        member = schema.spellings.get(written)
        if member is None:
            yield Finding((*path, written), suggestions.message(written, schema), "unknown")
        elif member in given:
            message = f"given twice, as {given[member]} and as {written}; omit one"
            yield Finding((*path, member), message, "twice")
        else:
            given[member] = written
            yield from _odd_names(entry, schema.members[member], (*path, member), suggestions, checkpoint)


def unknown(written: str, schema: Schema, root: Schema, spelled: Callable[[str], str] = str) -> str:
    """The message for a name that is unknown in a structure of `schema`: the name that was meant, or where it is known.

    `root` is the schema that the structure is part of; `spelled` spells the suggested name.
    """
    if home := _where_known(written, schema):
        cure = f"it is known in {spelled(home)}"
    elif near := _misspelled(written, schema, root):
        cure = f"the nearest known name is {spelled(near)}"
    elif (place := _where_else(written, root)) is not None:
        cure = f"it is known {f'in {place}' if place else 'at the top level'}"
    else:
        names = dict.fromkeys(spelled(_in_style_of(written)(member)) for member in schema.members)
        cure = f"known are {', '.join(names)}"
    return f"{UNKNOWN}; {cure}"


def is_meant(written: str, members: Collection[str], schema: Schema) -> bool:
    """Whether an unknown name at the top level is a misspelling of one of these members."""
    return not _where_known(written, schema) and schema.spellings.get(_misspelled(written, schema, schema)) in members


def _misspelled(written: str, schema: Schema, root: Schema) -> str:
    """The known name that was meant; empty if none is similar enough. A name that is known elsewhere needs more."""
    if len(written) > _LONGEST_NAME:
        return ""
    near, likeness = _nearest(written, schema)
    enough = _LIKE if _where_else(written, root) is None else _SLIP
    return near if likeness >= enough else ""


def _where_known(written: str, schema: Schema) -> str | None:
    """The member of a structure, or of its entries, that has a member which `written` names."""
    for member, inner in schema.members.items():
        structure = inner.item if inner.kind == "list" and inner.item else inner
        if written in structure.spellings:
            return _in_style_of(written)(member)
    return None


def _where_else(written: str, root: Schema) -> str | None:
    """The first place, from the root on, whose structure has a member of this name; "" is the root."""
    places = [("", root)]
    for place, schema in places:
        if written in schema.spellings:
            return place
        for member, inner in schema.members.items():
            is_list = inner.kind == "list" and inner.item is not None
            structure = inner.item if is_list and inner.item else inner
            name = f"{_in_style_of(written)(member)}{'[]' if is_list else ''}"
            places.append((f"{place}.{name}" if place else name, structure))
    return None


def _in_style_of(written: str) -> Callable[[str], str]:
    """What spells a member's name in the letter case that another name has."""
    return camel_case if written[:1].islower() else pascal_case


def _nearest(written: str, schema: Schema) -> tuple[str, float]:
    """The known name in a structure of `schema` that is most like `written`, in its letter case, and their likeness.

    Likeness is from 0 to 1, which is as good as the same.
    """
    from difflib import SequenceMatcher  # only a mistake needs it

    lower = written.lower()

    def likeness(name: str) -> float:
        known = name.lower()
        ratio = SequenceMatcher(None, lower, known).ratio()
        return (1 + ratio) / 2 if lower in known or known in lower else ratio

    names = [_in_style_of(written)(name) for name in schema.spellings]
    most = max([*names, *sorted(IGNORED)] if schema.shape == PROPERTIES else names, key=likeness)
    return most, likeness(most)
