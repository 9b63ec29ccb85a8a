"""Renders the results of `preflight`: for people, for programs, and for code scanning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from ..arn import Location
    from ..lint.diagnostic import Diagnostic
    from ..preflight.interface import Result

_COLORS = {"pass": "green", "warning": "yellow", "failure": "red", "not-checkable": "blue"}
_LEVELS = {"warning": "warning", "failure": "error", "not-checkable": "note"}
"""The SARIF level of each status that a log contains."""


class Line(NamedTuple):
    """One result, with its resource, its path in the author's spelling, and its position in the file.

    `location` is that of the configuration.
    """

    result: Result
    location: Location
    path: str
    diagnostic: Diagnostic

    @property
    def status(self) -> str:
        """The status as text."""
        return self.result.outcome.status.value


def _human(lines: list[Line], location: Location) -> str:
    """A table: status, check, path, and message, with the remediation below."""
    width = max((len(line.result.check.id) for line in lines), default=0)
    text, resource = [], ""
    for line in lines:
        if line.diagnostic.resource != resource:
            resource = line.diagnostic.resource
            text.append(click.style(f"{resource}{_elsewhere(line.location, location)}", bold=True))
        status = click.style(f"{line.status.replace('-', ' '):<13}", fg=_COLORS[line.status])
        outcome = line.result.outcome
        text.append(f"{status}  {line.result.check.id:<{width}}  {line.path}: {outcome.message}")
        if outcome.remediation:
            text.append(f"{' ' * (width + 17)}To fix: {outcome.remediation}")
    return "\n".join([*text, *([""] if text else []), _summary(lines)])


def _elsewhere(location: Location, stack: Location) -> str:
    """The location of a configuration if it is not that of the stack."""
    is_same = (location.region, location.account) == (stack.region, stack.account)
    return "" if is_same else f" (account {location.account}, {location.region})"


def _summary(lines: list[Line]) -> str:
    if not lines:
        return "No checks apply: the distributions need nothing outside Image Builder."
    count = _counts(lines)
    warnings, failures = (
        f"{count[key]} {key.removesuffix('s')}{'' if count[key] == 1 else 's'}" for key in ("warnings", "failures")
    )
    return f"{count['passed']} passed, {warnings}, {failures}, {count['notCheckable']} not checkable."


def _counts(lines: list[Line]) -> dict[str, int]:
    names = {"passed": "pass", "warnings": "warning", "failures": "failure", "notCheckable": "not-checkable"}
    return {name: sum(line.status == status for line in lines) for name, status in names.items()}


def _json(lines: list[Line], location: Location) -> str:
    results = [
        {
            "file": line.diagnostic.file,
            "line": line.diagnostic.position.line,
            "column": line.diagnostic.position.column,
            "resource": line.diagnostic.resource,
            "region": line.location.region,
            "account": line.location.account,
            "check": line.result.check.id,
            "status": line.status,
            "path": line.path,
            "message": line.result.outcome.message,
            "remediation": line.result.outcome.remediation or None,
            "action": line.result.action or None,
        }
        for line in lines
    ]
    whole = {"region": location.region, "account": location.account, **_counts(lines), "results": results}
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _sarif(lines: list[Line], _: Location) -> str:
    """A SARIF log of everything that did not pass."""
    from ..preflight.checks import CHECKS
    from .reports import sarif_log, sarif_rule

    rules = [
        sarif_rule(one.id, one.title, f"{one.title}. Source: {one.source}.", _LEVELS[one.violation.value])
        for one in CHECKS
    ]
    levels = {line.diagnostic: _LEVELS[line.status] for line in lines if line.status in _LEVELS}
    return sarif_log(rules, levels, levels.__getitem__)


FORMATTERS = {"human": _human, "json": _json, "sarif": _sarif}
"""By the value of --output: what renders the results, given the stack's location."""
