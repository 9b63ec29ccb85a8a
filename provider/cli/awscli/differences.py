"""Differences between configurations by the API's names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ...schema.diff import ABSENT, Difference, differences
from ...schema.model import TARGET, camel_case

if TYPE_CHECKING:
    from ...schema.model import Schema

_STEP: Final = re.compile(r'\["(?:\\.|[^"\\])*"\]|\[\d+\]|\.?(?P<member>[^.\[]+)')
"""A step of a path: a key, an index, or a member's name."""


def with_api_names(difference: Difference, schema: Schema) -> Difference:
    """The difference with the API's names instead of CloudFormation's, in its path and in its values."""
    path = ""
    here: Schema | None = schema
    for step in _STEP.finditer(difference.path):
        member = step["member"] and camel_case(step["member"])
        here = here and (here.members.get(member) if member else here.item)
        path += f".{member}" if member else step[0]
    old, new = (_renamed(value, here) for value in (difference.old, difference.new))
    return Difference(path.removeprefix("."), old, new)


def document(arn: str, live: dict[str, Any], desired: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """What an update would change, for programs. A value that does not exist is null."""
    found = [with_api_names(one, schema) for one in differences(live, desired, schema)]
    entries = [{"path": path, "old": _or_null(old), "new": _or_null(new)} for path, old, new in found]
    return {TARGET: arn, "changes": bool(entries), "differences": entries}


def _or_null(value: object) -> object:
    return None if value is ABSENT else value


def _renamed(value: Any, schema: Schema | None) -> Any:
    if schema and schema.type_name == "structure" and isinstance(value, dict):
        names = {name: camel_case(name) for name in value}
        return {names[name]: _renamed(entry, schema.members.get(names[name])) for name, entry in value.items()}
    if schema and isinstance(value, list):
        return [_renamed(entry, schema.item) for entry in value]
    return value
