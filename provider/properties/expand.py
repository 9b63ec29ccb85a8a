"""Properties -> API parameters: names to the API's, strings to what the shape says. Converts, never judges."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from provider.properties.finding import Finding, Path
from provider.properties.model import IGNORED, REFUSED, Type, camel_case, pascal_case, resource_type

_BOOLEANS = {"true": True, "false": False}
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_LONGEST_INTEGER = 32
"""Digits; far above what any limit of the model allows, far below what Python refuses to read."""


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
    return Expanded(_structure(written, resource_type(), (), findings), tuple(findings))


def coerce(value: object, type_: Type) -> Any:
    """Turn a string into the boolean or integer that `type_` asks for; anything else stays as it is."""
    if isinstance(value, str):
        if type_.kind == "boolean":
            return _BOOLEANS.get(value.lower(), value)
        if type_.kind in ("integer", "long") and len(value) <= _LONGEST_INTEGER and _INTEGER.fullmatch(value):
            return int(value)
    return value


def _expand(value: Any, type_: Type, path: Path, findings: list[Finding]) -> Any:
    item = type_.item
    if type_.kind == "structure":
        return _structure(value, type_, path, findings) if isinstance(value, Mapping) else value
    if item is None:
        return coerce(value, type_)
    if item.kind == "string":
        return value
    if isinstance(value, list):
        return [_expand(entry, item, (*path, index), findings) for index, entry in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: _expand(entry, item, (*path, key), findings) for key, entry in value.items()}
    return value


def _structure(value: Mapping[str, Any], type_: Type, path: Path, findings: list[Finding]) -> dict[str, Any]:
    spellings, members = type_.spellings, type_.members
    parameters: dict[str, Any] = {}
    for written, entry in value.items():
        member = spellings.get(written)
        if member is None:
            findings.append(_unknown(written, type_, path))
        elif member in parameters:
            findings.append(_twice(written, value, member, type_, path))
        else:
            member_type = members[member]
            if member_type.is_scalar:
                parameters[member] = entry if member_type.kind == "string" else coerce(entry, member_type)
            else:
                parameters[member] = _expand(entry, member_type, (*path, member), findings)
    return parameters


def _unknown(written: str, type_: Type, path: Path) -> Finding:
    message = f"unknown property; the nearest known name is {nearest(written, type_)}"
    if (home := _where_known(written, type_)) is not None:
        message += f". It is known in {home}"
    return Finding((*path, written), message, "unknown")


def _where_known(written: str, type_: Type) -> str | None:
    """The member of a structure, or of its entries, that has a member which `written` names."""
    for member, inner in type_.members.items():
        structure = inner.item if inner.kind == "list" and inner.item else inner
        if written in structure.spellings:
            return camel_case(member) if written[:1].islower() else pascal_case(member)
    return None


def _twice(written: str, value: Mapping[str, Any], member: str, type_: Type, path: Path) -> Finding:
    first = next(name for name in value if type_.spellings.get(name) == member)
    return Finding((*path, member), f"given twice, as {first} and as {written}; leave one out", "twice")


def nearest(written: str, type_: Type) -> str:
    """The name a user may write in a structure of `type_` that looks most like `written`, in its letter case."""
    from difflib import SequenceMatcher  # only a mistake needs it

    style = camel_case if written[:1].islower() else pascal_case
    wanted = written.lower()

    def likeness(name: str) -> tuple[bool, float]:
        known = name.lower()
        return (wanted in known or known in wanted, SequenceMatcher(None, wanted, known).ratio())

    return max((style(name) for name in type_.spellings), key=likeness)
