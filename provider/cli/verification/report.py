"""The result of `verify`, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from .installation import ALLOWED, DENIED, Access, Alarm, Installation

if TYPE_CHECKING:
    from ..screen import Screen
    from .throw_away_stack import Response

_COLORS = {"OK": "green", "ALARM": "red", ALLOWED: "green", DENIED: "red"}


class NotRead(NamedTuple):
    """Why something could not be read: the missing permission, or the problem."""

    action: str
    problem: str

    def __str__(self) -> str:
        return f"not permitted ({self.action})" if self.action else self.problem


class Verification(NamedTuple):
    """Everything that `verify` found. `remains` names what could not be deleted."""

    installation: Installation
    alarms: list[Alarm] | NotRead
    access: list[Access] | NotRead
    arn: str
    stack: str
    response: Response
    remains: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        """What is wrong, in sentences; what could not be read is no problem."""
        alarms = [] if isinstance(self.alarms, NotRead) else self.alarms
        access = [] if isinstance(self.access, NotRead) else self.access
        return [
            *([] if self.response.succeeded else [f"the deployment failed: {self.response.reason}"]),
            *(f"{one} remains" for one in self.remains),
            *(f"{one.name} is in state ALARM: {one.reason}" for one in alarms if one.state == "ALARM"),
            *(
                f"the role may not call {', '.join(one.actions)} on {one.resource}"
                for one in access
                if one.decision == DENIED
            ),
        ]


def show(screen: Screen, found: Verification) -> None:
    """Print a result for people."""
    for title, rows in _sections(found):
        screen.heading(title)
        width = max((len(name) for name, _, _ in rows), default=0)
        for name, value, color in rows:
            screen.print(f"  {name:<{width}}  {value}", fg=color)
    screen.print()
    for problem in found.problems:
        screen.print(f"Problem: {problem}", fg="red")
    if not found.problems:
        screen.print("The provider works: the stack was created and deleted.", fg="green")


def _sections(found: Verification) -> Iterator[tuple[str, list[tuple[str, str, str | None]]]]:
    installation, response = found.installation, found.response
    yield (
        "Provider",
        [
            ("stack", installation.stack, None),
            ("version", installation.version or "unknown: the stack has no output Version", None),
            ("function", installation.function, None),
            ("role", installation.role or "unknown: the stack has no output RoleArn", None),
        ],
    )
    details = [("reason", response.reason)] if response.reason else [*response.attributes.items()]
    yield (
        "Response",
        [
            ("status", f"{response.status} after {response.seconds} seconds", "green" if response.succeeded else "red"),
            ("physical ID", response.physical_id or "none", None),
            *((name, value, None) for name, value in details),
        ],
    )
    yield "Alarms", _rows(found.alarms, lambda one: (one.name, one.state, _COLORS.get(one.state)))
    yield "What the role may access", _rows(found.access, _access_row)


def _rows(found: Any, row: Any) -> list[tuple[str, str, str | None]]:
    if isinstance(found, NotRead):
        return [(str(found), "", "yellow")]
    return [row(one) for one in found] or [("none", "", None)]


def _access_row(one: Access) -> tuple[str, str, str | None]:
    actions = f": {', '.join(one.actions)}" if one.decision not in (ALLOWED, "none") else ""
    resource = f"  {one.resource}" if one.resource else ""
    return one.what, f"{one.decision}{actions}{resource}", _COLORS.get(one.decision)


def as_json(found: Verification) -> str:
    """The result as one JSON object."""
    installation, response = found.installation, found.response
    document = {
        "stack": installation.stack,
        "region": installation.region,
        "account": installation.account,
        "version": installation.version or None,
        "function": installation.function,
        "role": installation.role or None,
        "configuration": found.arn,
        "throwAwayStack": found.stack,
        "response": {
            "status": response.status,
            "physicalId": response.physical_id or None,
            "reason": response.reason or None,
            "attributes": {**response.attributes},
            "seconds": response.seconds,
        },
        "alarms": _list(found.alarms),
        "access": _list(found.access),
        "notPermitted": [one.action for one in (found.alarms, found.access) if isinstance(one, NotRead) and one.action],
        "remains": [*found.remains],
        "problems": found.problems,
    }
    return json.dumps(document, indent=2)


def _list(found: list[Alarm] | list[Access] | NotRead) -> list[dict[str, Any]] | None:
    return None if isinstance(found, NotRead) else [one._asdict() for one in found]
