"""Properties -> API parameters: names to the API's, strings to what the shape says. Converts, never judges."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from provider.properties.finding import Finding, Path
from provider.properties.model import IGNORED, REFUSED, Type, camel_case, pascal_case, resource_type

_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_LONGEST_INTEGER = 32
"""Digits; far above what any limit of the model allows, far below what Python refuses to read."""

_SLIP = 0.75
"""How like a known name has to be to be taken for the one that was meant, although there is such a name elsewhere."""
_LIKE = 0.65
"""How like a known name has to be to be worth naming alone."""

Convert = Callable[[Any, list[str]], Any]
"""Takes a value by the user's names, and a list for the names in it that are odd: unknown, or given twice."""


class Expanded(NamedTuple):
    """API parameters, and what about the *names* in the properties was wrong.

    A value that does not convert stays as it is, for validation to judge. Names that are wrong are left out.
    """

    parameters: dict[str, Any]
    findings: tuple[Finding, ...] = ()


def expand(properties: Mapping[str, Any]) -> Expanded:
    """Turn resource properties as CloudFormation delivers them into parameters by the API's names."""
    findings: list[Finding] = []
    written = {name: value for name, value in properties.items() if name not in IGNORED}
    for name in [name for name in written if camel_case(name) in REFUSED]:
        del written[name]
        findings.append(Finding((name,), REFUSED[camel_case(name)], "refused-property"))
    odd: list[str] = []
    parameters = _converter(resource_type())(written, odd)
    if odd:
        findings += _odd_names(written, resource_type(), ())
    return Expanded(parameters, tuple(findings))


def coerce(value: object, type_: Type) -> Any:
    """Turn a string into the boolean or integer that `type_` asks for; anything else stays as it is."""
    if isinstance(value, str):
        if type_.kind == "boolean":
            return _BOOLEANS.get(value.lower(), value)
        if type_.kind in ("integer", "long") and len(value) <= _LONGEST_INTEGER and _INTEGER.fullmatch(value):
            return int(value)
    return value


@cache
def _converter(type_: Type) -> Convert:
    """What turns a value into what the API takes, made once a type."""
    if type_.kind == "structure":
        return _structure_converter(type_)
    if type_.kind == "string" or (type_.item is not None and type_.item.kind == "string"):
        return lambda value, _: value
    if type_.item is None:
        return lambda value, _: coerce(value, type_)
    convert = _converter(type_.item)
    if type_.kind == "list":
        return lambda value, odd: [convert(entry, odd) for entry in value] if isinstance(value, list) else value
    return lambda value, odd: (
        {key: convert(entry, odd) for key, entry in value.items()} if isinstance(value, Mapping) else value
    )


def _structure_converter(type_: Type) -> Convert:
    converters = {
        spelling: (member, None if type_.members[member].kind == "string" else _converter(type_.members[member]))
        for spelling, member in type_.spellings.items()
    }

    def convert_structure(value: Any, odd: list[str]) -> Any:
        if not isinstance(value, dict):
            return value
        parameters: dict[str, Any] = {}
        for written, entry in value.items():
            if written not in converters:
                odd.append(written)
                continue
            member, convert = converters[written]
            if member in parameters:
                odd.append(written)
            else:
                parameters[member] = entry if convert is None else convert(entry, odd)
        return parameters

    return convert_structure


def _odd_names(value: Any, type_: Type, path: Path) -> Iterator[Finding]:
    """The names that lead nowhere or to the same place."""
    if type_.kind == "structure" and isinstance(value, dict):
        met: set[str] = set()
        for written, entry in value.items():
            member = type_.spellings.get(written)
            if member is None:
                yield _unknown(written, type_, path)
            elif member in met:
                yield _twice(written, value, member, type_, path)
            else:
                met.add(member)
                yield from _odd_names(entry, type_.members[member], (*path, member))
    elif type_.item is not None and isinstance(value, list if type_.kind == "list" else dict):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _odd_names(entry, type_.item, (*path, key))


def _unknown(written: str, type_: Type, path: Path) -> Finding:
    return Finding((*path, written), unknown(written, type_), "unknown")


def unknown(written: str, type_: Type, root: Type | None = None, spelled: Callable[[str], str] = str) -> str:
    """What to say of a name that a structure of `type_` does not know: the name to take, else where it belongs.

    `root` is the whole that the structure is part of, by default the properties; names to take are `spelled`.
    """
    if home := _where_known(written, type_):
        cure = f"it is known in {spelled(home)}"
    elif near := _slip_of(written, type_, root or resource_type()):
        cure = f"the nearest known name is {spelled(near)}"
    elif (place := _where_else(written, root or resource_type())) is not None:
        cure = f"it is known {f'in {place}' if place else 'at the top level'}"
    else:
        names = dict.fromkeys(spelled(_in_style_of(written)(member)) for member in type_.members)
        cure = f"known are {', '.join(names)}"
    return f"unknown property; {cure}"


def is_meant(written: str, members: Collection[str]) -> bool:
    """Whether the name to take instead of an unknown one among the properties is that of one of these members."""
    type_ = resource_type()
    return not _where_known(written, type_) and type_.spellings.get(_slip_of(written, type_, type_)) in members


def _slip_of(written: str, type_: Type, root: Type) -> str:
    """The known name that was meant; empty where it is like none, or less like than what is known elsewhere."""
    near, likeness = _nearest(written, type_)
    enough = _LIKE if _where_else(written, root) is None else _SLIP
    return near if likeness >= enough else ""


def _where_known(written: str, type_: Type) -> str | None:
    """The member of a structure, or of its entries, that has a member which `written` names."""
    for member, inner in type_.members.items():
        structure = inner.item if inner.kind == "list" and inner.item else inner
        if written in structure.spellings:
            return _in_style_of(written)(member)
    return None


def _where_else(written: str, root: Type) -> str | None:
    """The first place, from the root on, whose structure has a member of this name; "" is the root."""
    places = [("", root)]
    for place, type_ in places:
        if written in type_.spellings:
            return place
        for member, inner in type_.members.items():
            is_list = inner.kind == "list" and inner.item is not None
            structure = inner.item if is_list and inner.item else inner
            name = f"{_in_style_of(written)(member)}{'[]' if is_list else ''}"
            places.append((f"{place}.{name}" if place else name, structure))
    return None


def _in_style_of(written: str) -> Callable[[str], str]:
    """What spells a member's name in the letter case that another name has."""
    return camel_case if written[:1].islower() else pascal_case


def _twice(written: str, value: Mapping[str, Any], member: str, type_: Type, path: Path) -> Finding:
    first = next(name for name in value if type_.spellings.get(name) == member)
    return Finding((*path, member), f"given twice, as {first} and as {written}; leave one out", "twice")


def nearest(written: str, type_: Type) -> str:
    """The name a user may write in a structure of `type_` that looks most like `written`, in its letter case."""
    return _nearest(written, type_)[0]


def _nearest(written: str, type_: Type) -> tuple[str, float]:
    """That name, and how like it is: from 0 to 1, which is as good as the same."""
    from difflib import SequenceMatcher  # only a mistake needs it

    wanted = written.lower()

    def likeness(name: str) -> float:
        known = name.lower()
        ratio = SequenceMatcher(None, wanted, known).ratio()
        return (1 + ratio) / 2 if wanted in known or known in wanted else ratio

    names = [_in_style_of(written)(name) for name in type_.spellings]
    most = max([*names, *sorted(IGNORED)] if type_ is resource_type() else names, key=likeness)
    return most, likeness(most)
