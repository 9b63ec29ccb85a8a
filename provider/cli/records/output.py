"""What the ledger shows of a configuration, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .access import as_date

if TYPE_CHECKING:
    from ...ledger.parts import Part
    from ...ledger.store import Lease
    from ...ledger.sweep import Comparison
    from ...resources.ownership import Owner
    from ...schema.diff import Difference
    from ..screen import Screen
    from .overview import Holding, Overview

_SHOWN_VALUES = 5
"""How many values of one list the table shows. JSON has all."""


def document(overview: Overview, table: str, now: float) -> str:
    """One object for programs."""
    from ...ledger.combine import account_of
    from .overview import holdings

    account = account_of(overview.arn)
    whole = {
        "arn": overview.arn,
        "table": table,
        "exists": overview.live is not None if overview.is_read else None,
        "lease": _lease(overview.lease, now),
        "lastSweep": as_date(overview.lease.swept),
        "parts": [_part(part, overview, account) for part in overview.parts],
        "paths": holdings_document(holdings(overview.parts, account)),
        "drift": drift_document(overview.comparison),
        "problem": overview.problem or None,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def holdings_document(found: Iterable[Holding]) -> list[dict[str, Any]]:
    """Values with the resources that have them."""
    from ...ledger.claims import path_text

    return [
        {"path": path_text(one.path), "value": one.value, "owners": [*map(owner_document, one.owners)]} for one in found
    ]


def drift_document(comparison: Comparison | None) -> list[dict[str, Any]] | None:
    """The differences that are drift; None if the configuration could not be compared."""
    return None if comparison is None else differences_document(comparison.drift)


def differences_document(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """Differences between recorded and live values, with null for none."""
    from .overview import without_containers

    return [
        {"path": one.path, "recorded": _value(one.old), "live": _value(one.new)} for one in without_containers([*found])
    ]


def _value(value: object) -> object:
    from ...schema.diff import ABSENT

    return None if value is ABSENT else value


def owner_document(owner: Owner) -> dict[str, str]:
    """A resource of a stack."""
    return {"stackId": owner.stack_id, "logicalId": owner.logical_id}


def _lease(lease: Lease, now: float) -> dict[str, Any]:
    return {
        "state": _lease_state(lease, now),
        "holder": lease.holder or None,
        "expires": as_date(lease.expiry),
        "epoch": lease.epoch,
        "dirty": lease.is_dirty,
    }


def _lease_state(lease: Lease, now: float) -> str:
    if not lease.holder:
        return "free"
    return "expired" if lease.is_free(now) else "held"


def _part(part: Part, overview: Overview, account: str) -> dict[str, Any]:
    from .overview import proposed_changes, status_of

    body = part.accepted_body() or part.proposed_body()
    return {
        **owner_document(part.owner),
        "physicalId": part.physical_id or None,
        "kind": _kind(part),
        "status": status_of(part, overview.parts).value,
        "proposal": _proposal(part),
        "changes": [
            {"path": one.path, "old": _value(one.old), "new": _value(one.new)}
            for one in proposed_changes(part, account)
        ],
        "rejection": part.rejection or None,
        "rolledBack": part.is_rolled_back,
        "requestId": part.revision.request_id,
        "requested": as_date(part.revision.date),
        "contributions": [*body.contributions] if body else [],
        "sources": _sources(part),
    }


def _kind(part: Part) -> str:
    return "owner" if part.is_owner else "contribution"


def _proposal(part: Part) -> str | None:
    if part.is_removing:
        return "withdrawal"
    return "update" if part.proposed is not None else None


def _sources(part: Part) -> list[dict[str, Any]]:
    from ...ledger.removals import held_removals

    body, held = part.accepted_body(), held_removals(part)
    return [
        {"source": source_name(source), "accounts": len(accounts), "heldRemovals": held.get(source, [])}
        for source, accounts in sorted((body.resolved if body else {}).items())
    ]


def source_name(source: str) -> str:
    """The name of a source, from its ID: `OrganizationalUnit ou-ab12-11111111`."""
    from ...schema.model import pascal_case

    name, value = next(iter(sorted(json.loads(source).items(), reverse=True)))
    return f"{pascal_case(name)} {value}"


def show(screen: Screen, overview: Overview, now: float) -> None:
    """Print a configuration's parts, paths, lease, and drift."""
    screen.print(overview.arn, bold=True)
    screen.print(f"  {_lease_line(overview.lease, now)}")
    _show_parts(screen, overview)
    _show_paths(screen, overview)
    _show_drift(screen, overview)


def _lease_line(lease: Lease, now: float) -> str:
    state = _lease_state(lease, now)
    holder = "" if state == "free" else f" by {lease.holder} until {as_date(lease.expiry)}"
    dirty = "; the last write may be unfinished, so the next sweep repairs it" if lease.is_dirty else ""
    return f"lease: {state}{holder}{dirty}; last sweep: {as_date(lease.swept) or 'never'}"


def _show_parts(screen: Screen, overview: Overview) -> None:
    from ...ledger.combine import account_of
    from .overview import Status, proposed_changes, status_of

    screen.heading("Parts")
    for part in overview.parts:
        status = status_of(part, overview.parts)
        color = {Status.ACCEPTED: "green", Status.REJECTED: "red", Status.PROPOSED: "blue"}.get(status, "yellow")
        proposal = _proposal(part)
        also = f", {proposal} proposed" if proposal and status is not Status.PROPOSED else ""
        screen.print(f"  {part.owner.logical_id}: {_kind(part)}, {status.value}{also}", fg=color)
        screen.print(f"    stack: {part.owner.stack_id}")
        if part.physical_id and not part.is_owner:
            screen.print(f"    physical ID: {part.physical_id}")
        screen.print(f"    last request: {part.revision.request_id}, {as_date(part.revision.date)}")
        for line in _notes(part):
            screen.print(f"    {line}")
        for difference in proposed_changes(part, account_of(overview.arn)):
            screen.difference(difference)


def _notes(part: Part) -> Iterator[str]:
    body = part.accepted_body() or part.proposed_body()
    if body and body.contributions:
        yield f"allows: {', '.join(body.contributions)}"
    if part.rejection:
        yield f"rejected: {part.rejection}"
    if part.is_rolled_back:
        yield "rolled back: the last request failed before its proposal was settled"
    for one in _sources(part):
        held = one["heldRemovals"]
        text = f"; {len(held)} removals are held: {_few(held)}" if held else ""
        yield f"source: {one['source']} ({one['accounts']} accounts{text})"


def _show_paths(screen: Screen, overview: Overview) -> None:
    from ...ledger.combine import account_of
    from .overview import holdings

    screen.heading("Paths")
    show_holdings(screen, holdings(overview.parts, account_of(overview.arn)))


def show_holdings(screen: Screen, found: Iterable[Holding]) -> None:
    """Print values with the resources that have them."""
    rows = [*_rows(found)]
    width = max((len(path) for path, _, _ in rows), default=0)
    for path, owners, values in rows:
        screen.print(f"  {path:<{width}}  {owners}: {values}")


def _rows(found: Iterable[Holding]) -> Iterator[tuple[str, str, str]]:
    """Path, owners, and values. The entries of a set with the same owners share a row."""
    from ...ledger.claims import Key, path_text

    rows: dict[tuple[str, tuple[Owner, ...]], list[object]] = {}
    for one in found:
        is_entry = one.path[-1] == Key((str(one.value),))
        rows.setdefault((path_text(one.path[:-1] if is_entry else one.path), one.owners), []).append(one.value)
    for (path, owners), values in rows.items():
        yield path, ", ".join(map(owner_name, owners)), _few(values)


def owner_name(owner: Owner) -> str:
    """A resource with its stack's name."""
    return f"{owner.logical_id} ({stack_name(owner.stack_id)})"


def stack_name(stack_id: str) -> str:
    """The name in a stack's ID."""
    return stack_id.split("/")[1] if stack_id.count("/") > 1 else stack_id


def _few(values: list[Any]) -> str:
    more = f", and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else ""
    return ", ".join(json.dumps(value, ensure_ascii=False) for value in values[:_SHOWN_VALUES]) + more


def _show_drift(screen: Screen, overview: Overview) -> None:
    screen.heading("Drift")
    if overview.comparison is None:
        screen.print(f"  not compared: {overview.problem}", fg="yellow")
    else:
        show_comparison(screen, overview.comparison)


def show_comparison(screen: Screen, comparison: Comparison) -> None:
    """Print how the live content differs from what is recorded."""
    from .overview import without_containers

    if not comparison.differences:
        screen.print("  none", fg="green")
        return
    if comparison.is_own_write:
        screen.print(
            "  none, but an unfinished or late write of the provider, which the next sweep repairs", fg="yellow"
        )
    for difference in without_containers(comparison.differences):
        screen.difference(difference)
