"""Renders a plan as text and as JSON."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...resources import CONTRIBUTION, resource_type
from ...schema.diff import ABSENT, Difference
from ...schema.finding import Severity, Spelling
from ..records.output import holdings_document, owner_document, owner_name, show_holdings
from ..screen import Screen
from .changes import CHANGING, Action, Change

if TYPE_CHECKING:
    from .recorded_changes import MergedConfiguration

_FORMATS = {
    Action.CREATE: ("+", "green", "{0.arn} is created"),
    Action.UPDATE: ("~", "yellow", "{0.arn} is changed"),
    Action.REPLACE: ("±", "yellow", "{0.replaced.arn} is replaced by {0.arn}"),
    Action.DELETE: ("-", "red", "{0.arn} is deleted"),
    Action.RETAIN: (" ", None, "{0.arn} is removed from the stack and retained"),
    Action.NONE: (" ", None, "{0.arn} is unchanged"),
    Action.DRIFT: ("!", "yellow", "{0.arn} differs from the template, and this deployment does not update it"),
    Action.REFUSED: ("x", "red", "refused"),
    Action.UNKNOWN: ("?", "yellow", "cannot be planned"),
}
_PART_TEXTS = {
    Action.CREATE: "a part of {0.arn} is added",
    Action.UPDATE: "its part of {0.arn} is changed",
    Action.REPLACE: "its part of {0.replaced.arn} is replaced by a part of {0.arn}",
    Action.DELETE: "its part of {0.arn} is withdrawn",
    Action.RETAIN: "it is removed from the stack, and its part of {0.arn} stays",
    Action.NONE: "its part of {0.arn} is unchanged",
    Action.DRIFT: "{0.arn} differs from its parts, and this deployment does not update it",
}
_COUNTED = {Action.NONE: "unchanged"}
_SEVERITY_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def show(
    screen: Screen, notes: Sequence[str], changes: Sequence[Change], merged: "Sequence[MergedConfiguration]"
) -> None:
    """Print the findings, the notes, the change of each resource, what is shared, and the number of changes by action.

    `merged` are the recorded configurations after the deployment.
    """
    for change in changes:
        spelling = Spelling(change.properties, resource_type(change.type_name).schema)
        for one in change.findings:
            text = f"{one.severity.value}: {change.logical_id}: {spelling.render(one)}"
            screen.print(text, fg=_SEVERITY_COLORS[one.severity])
    for note in notes:
        screen.print(f"note: {note}", dim=True)
    if notes or any(change.findings for change in changes):
        screen.print()
    for change in changes:
        _show(screen, change)
    for configuration in merged:
        if configuration.is_shared:
            screen.heading(f"{configuration.arn} after the deployment")
            show_holdings(screen, configuration.holdings)
    screen.print()
    screen.print(f"Plan: {_counts(changes)}.", bold=True)


def _counts(changes: Sequence[Change]) -> str:
    counts = {action: sum(change.action is action for change in changes) for action in Action}
    return ", ".join(f"{count} {_COUNTED.get(action, action.value)}" for action, count in counts.items() if count)


def _show(screen: Screen, change: Change) -> None:
    sign, color, text = _FORMATS[change.action]
    text = _PART_TEXTS.get(change.action, text) if change.type_name == CONTRIBUTION else text
    # If the configuration no longer exists, there is no ARN, and the reason says so.
    outcome = "" if change.action is Action.NONE and not change.arn else text.format(change)
    screen.print(f"{sign} {change.logical_id}: {': '.join(filter(None, (outcome, change.reason)))}", fg=color)
    for warning in change.warnings:
        screen.print(f"      {warning}", fg="yellow")
    _show_differences(screen, change)
    if change.replaced:
        _show(screen, change.replaced)


def _show_differences(screen: Screen, change: Change) -> None:
    for difference in change.differences:
        screen.difference(difference)
        if note := _others(change, difference):
            screen.print(f"          {note}", dim=True)
    paths = [path for path in change.placeholders if any(_overlap(path, one.path) for one in change.differences)]
    if paths:
        text = f"with placeholders for values that are known only at deployment: {', '.join(paths)}"
        screen.print(f"      {text}", fg="yellow")


def _others(change: Change, difference: Difference) -> str:
    """Who has a value, if that is not just the resource itself."""
    owners = (change.owners or {}).get(difference.path, ())
    names = [owner_name(owner) for owner in owners]
    is_own = len(owners) == 1 and owners[0].logical_id == change.logical_id
    return "" if is_own or not names else f"of {', '.join(names)}"


def document(
    region: str,
    account: str,
    notes: Sequence[str],
    changes: Sequence[Change],
    merged: "Sequence[MergedConfiguration]",
) -> str:
    """The plan as JSON; `plan --help` describes it."""
    plan = {
        "region": region,
        "account": account,
        "changes": any(change.action in CHANGING for change in changes),
        "drift": any(change.action is Action.DRIFT for change in changes),
        "notes": list(notes),
        "resources": [_entry(change) for change in changes],
        "configurations": [{"arn": one.arn, "paths": holdings_document(one.holdings)} for one in merged],
    }
    return json.dumps(plan, indent=2, ensure_ascii=False)


def _entry(change: Change) -> dict[str, Any]:
    spelling = Spelling(change.properties, resource_type(change.type_name).schema)
    findings = [
        {
            "severity": finding.severity.value,
            "rule": finding.rule,
            "path": spelling.text(finding.path),
            "message": spelling.render(finding),
        }
        for finding in change.findings
    ]
    differences = [
        {
            "path": one.path,
            "old": None if one.old is ABSENT else one.old,
            "new": None if one.new is ABSENT else one.new,
            "known": not any(_overlap(one.path, path) for path in change.placeholders),
            "owners": None if change.owners is None else [*map(owner_document, change.owners.get(one.path, ()))],
        }
        for one in change.differences
    ]
    return {
        "logicalId": change.logical_id,
        "action": change.action.value,
        "arn": change.arn,
        "reason": change.reason,
        "findings": findings,
        "warnings": list(change.warnings),
        "differences": differences,
        "replaced": _entry(change.replaced) if change.replaced else None,
    }


def _overlap(path: str, other: str) -> bool:
    """Whether one of the paths contains the other."""
    return path.startswith(other) or other.startswith(path)
