"""`drift`: compares live configurations with what the ledger records, and repairs them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from .records.access import Access, Connection, ledger_options, recorded_configurations

if TYPE_CHECKING:
    from ..schema.diff import Difference
    from .records.overview import Overview
    from .screen import Screen

_WAIT_SECONDS = 60.0
"""How long to wait for other holders of a lease. Each has it for at most 40 seconds."""
_PAUSE = 1.0
_COLORS = {"unchanged": "green", "repaired": "green", "combined": "green", "drifted": "yellow", "late write": "yellow",
           "deleted": "yellow"}  # fmt: skip
"""The results that are no failures, with their colors."""

EPILOG = """\b
Examples:
  python -m provider drift --table "$TABLE"
  python -m provider drift "$ARN" --format json | jq '.configurations[].differences'
  python -m provider drift "$ARN" --repair

\b
Exit status:
  0  no drift, or all of it was repaired
  1  a configuration could not be compared or repaired, or is not recorded
  2  a mistake in the command, or the ledger cannot be read
  4  live configurations differ from what is recorded (drift)
"""


class _Row(NamedTuple):
    """The result for one configuration: recorded and live values that differ, or the problem."""

    arn: str
    result: str
    differences: Sequence[Difference] = ()
    problem: str = ""


@click.command(epilog=EPILOG, short_help="Compare live configurations with the ledger.")
@click.argument("arns", metavar="[ARN]...", nargs=-1)
@click.option("--repair", is_flag=True, help="Overwrite what differs with what is recorded, as a sweep repairs it.")
@ledger_options
def drift(access: Access, form: str, arns: tuple[str, ...], repair: bool) -> None:
    """Compare configurations with what the provider's ledger records: those with these ARNs, or all that are recorded.

    Drift is what is live and was neither accepted nor written by the provider. A late or interrupted write of the
    provider is no drift; each sweep repairs it. Without --repair, drift only reads. It shows each difference as
    RECORDED -> LIVE; `+` is only live, and `-` only recorded.

    With --repair, drift does for each configuration what a sweep does with `Drift: Repair`: it waits for the lease,
    combines all parts, overwrites what differs, and reads it back. It does not resolve account sources: their recorded
    accounts count until the next sweep, which has the provider's permissions and its limit of removals. It does not ask
    for confirmation, and shows what it has changed.

    With --format json, standard output is one object: table, region, and configurations, each with arn, result,
    problem (null if there is none), and differences (path, recorded, and live; null if there is no value). A result is
    unchanged, drifted, late write, repaired, combined (parts were waiting), busy (another holder has the lease),
    missing (the configuration does not exist), unfinished, deleted (it was unfinished for hours), or failed.
    """
    from .screen import Screen

    with recorded_configurations(access, arns) as connection:
        chosen = _recorded(connection, arns)
        rows = [_repaired(connection, arn) if repair else _compared(connection, arn) for arn in chosen]
    if form == "json":
        click.echo(_document(connection, rows))
    else:
        _show(Screen(sys.stdout), rows)
    raise SystemExit(_exit_status(rows))


def _recorded(connection: Connection, arns: Sequence[str]) -> list[str]:
    """The chosen configurations, or all that are recorded. Raises ClickException if one is not recorded."""
    store = connection.open()[0].store
    chosen = [*dict.fromkeys(arns)] or sorted(one.lease.arn for one in store.summaries())
    recorded = [arn for arn in chosen if any(part.is_live for part in store.parts(arn))]
    if arns and (unknown := [arn for arn in chosen if arn not in recorded]):
        raise click.ClickException(
            f"not recorded in table {connection.table}: {', '.join(unknown)}. A configuration is recorded at the next "
            "update of its resource, or by the command `record`"
        )
    return recorded


def _compared(connection: Connection, arn: str) -> _Row:
    """Compare a configuration, after other holders of its lease."""
    from .records.overview import read_overview

    ledger, _ = connection.open()
    end = ledger.deadline.now() + _WAIT_SECONDS
    while True:
        overview = read_overview(ledger, arn)
        if overview.comparison is not None:
            return _row(overview)
        if not overview.is_read or overview.live is None:
            return _Row(arn, "missing" if overview.is_read else "failed", (), overview.problem)
        if ledger.deadline.now() >= end:
            return _Row(arn, "busy", (), overview.problem)
        ledger.deadline.wait(_PAUSE)


def _row(overview: Overview) -> _Row:
    comparison = overview.comparison
    if comparison is None or not comparison.differences:
        return _Row(overview.arn, "unchanged")
    return _Row(overview.arn, "late write" if comparison.is_own_write else "drifted", comparison.differences)


def _repaired(connection: Connection, arn: str) -> _Row:
    """Sweep a configuration, after other holders of its lease."""
    from ..ledger.configurations import ImageBuilderConfigurations
    from ..ledger.sweep import DriftMode, Result, Sweep

    ledger, _ = connection.open()
    assert isinstance(ledger.api, ImageBuilderConfigurations), "all commands open the ledger with it"
    sweep = Sweep(ledger, DriftMode.REPAIR, ledger.api.delete)
    end = ledger.deadline.now() + _WAIT_SECONDS
    swept = sweep.one(arn)
    while swept.result is Result.BUSY and ledger.deadline.now() < end:
        ledger.deadline.wait(_PAUSE)
        swept = sweep.one(arn)
    return _Row(arn, swept.result.value, swept.drift, swept.problem)


def _document(connection: Connection, rows: list[_Row]) -> str:
    from .records.output import differences_document

    configurations = [
        {
            "arn": row.arn,
            "result": row.result,
            "problem": row.problem or None,
            "differences": differences_document(row.differences),
        }
        for row in rows
    ]
    whole = {"table": connection.table, "region": connection.region, "configurations": configurations}
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _show(screen: Screen, rows: list[_Row]) -> None:
    """Print a line for each configuration, with its differences: recorded -> live; after a repair, live -> recorded."""
    from .records.overview import without_containers

    width = max((len(row.result) for row in rows), default=0)
    for row in rows:
        problem = f": {row.problem}" if row.problem else ""
        screen.print(f"{row.result:<{width}}  {row.arn}{problem}", fg=_COLORS.get(row.result, "red"))
        for difference in without_containers(row.differences):
            is_repaired = row.result == "repaired"
            screen.difference(_reversed(difference) if is_repaired else difference)
    if not rows:
        screen.print("No configurations are recorded. To record existing ones, use `record`.")


def _reversed(difference: Difference) -> Difference:
    return difference._replace(old=difference.new, new=difference.old)


def _exit_status(rows: list[_Row]) -> int:
    results = {row.result for row in rows}
    if results - {*_COLORS}:
        return 1
    return 4 if "drifted" in results else 0
