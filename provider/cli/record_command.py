"""`record`: records the owners of existing configurations in the ledger."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from .records.access import Access, Connection, confirm, ledger_options, recorded_configurations, yes_option

if TYPE_CHECKING:
    from .records.administration import Recorded
    from .screen import Screen

EPILOG = """\b
Examples:
  python -m provider record --table "$TABLE"
  python -m provider record "$ARN" --contributions 'Distributions[].AmiDistributionConfiguration.LaunchPermission'

\b
Exit status:
  0  each configuration is recorded, except those that are skipped: the output shows why
  1  nothing was confirmed, or a configuration could not be recorded
  2  a mistake in the command, or the ledger or the service cannot be read or written
"""


@click.command(epilog=EPILOG, short_help="Record the owners of existing configurations.")
@click.argument("arns", metavar="[ARN]...", nargs=-1)
@click.option(
    "--contributions",
    "paths",
    metavar="PATH",
    multiple=True,
    help="A path at which the owners allow the parts of others; repeatable. Their next update sets what the templates "
    "say, and fails while other resources have parts that it would no longer allow.",
)
@yes_option
@ledger_options
def record(access: Access, form: str, arns: tuple[str, ...], paths: tuple[str, ...], yes: bool) -> None:
    """Record the owners of existing configurations in the ledger now, instead of at their next updates.

    After the ledger has been enabled, it does not know a configuration until its resource is updated: no drift is found
    in it, and contributions to it are rejected. `record` records the configurations with these ARNs, or all in the
    Region. The ownership tags show the owner, and its content is what is live now.

    Only a resource's next update records what the tags and the content do not show: that a resource has adopted the
    configuration, the RoleArn with which one in another account is reached, and account sources. So configurations that
    are adopted or in another account are not recorded, and sweeps do not follow the sources of the others until then.
    For configurations of this account in another Region, specify their ARNs, and the provider's --region.

    Nothing changes in the configurations, except that with --contributions, their tags say that they are shared. You
    need the provider's permissions for its table and for Image Builder.

    With --format json, standard output is one object: table, region, and configurations, each with arn, stackId and
    logicalId of the owner (null if it is unknown), recorded (true or false), and reason (why it was not, or null).
    """
    from .screen import Screen

    _check(paths)
    progress = Screen(sys.stderr)
    with recorded_configurations(access, arns) as connection:
        found = _candidates(connection, arns)
        if owners := [one for one in found if not one.reason]:
            progress.print(f"This records the owners of these configurations in table {connection.table}:")
            progress.print("\n".join(f"  {one.arn}: {_owner(one)}" for one in owners))
            confirm("Continue?", yes=yes)
        done = {one.arn: _recorded(connection, one, paths) for one in owners}
        recorded = [done.get(one.arn, one) for one in found]
    if form == "json":
        click.echo(_document(connection, recorded))
    else:
        _show(Screen(sys.stdout), recorded)
    raise SystemExit(any(one.reason for one in done.values()))


def _check(paths: tuple[str, ...]) -> None:
    """Raise UsageError for a path that names no property."""
    from ..schema.merging import members_of, similar_path

    for path in paths:
        if members_of(path) is None:
            suggestion = f"; did you mean {similar}?" if (similar := similar_path(path)) else ""
            raise click.UsageError(f"--contributions: no such property: {path}{suggestion}")


def _candidates(connection: Connection, arns: Sequence[str]) -> list[Recorded]:
    """Whether the owners of these configurations can be recorded, or of all in the Region."""
    from .records.administration import find_owner

    if not arns:
        _, builder = connection.open()
        arns = sorted(str(summary["arn"]) for summary in builder.summaries("the ledger"))
    return [find_owner(connection.open()[0], arn, connection.account) for arn in arns]


def _recorded(connection: Connection, one: Recorded, paths: Sequence[str]) -> Recorded:
    """Record an owner. A failure does not stop the others."""
    from ..errors import ProviderError
    from .records.administration import record_owner

    try:
        return record_owner(connection.open()[0], one.arn, paths)
    except ProviderError as error:
        return one._replace(reason=error.problem)


def _owner(one: Recorded) -> str:
    return f"{one.owner.logical_id} of {one.owner.stack_id}" if one.owner else "unknown"


def _document(connection: Connection, recorded: list[Recorded]) -> str:
    configurations = [
        {
            "arn": one.arn,
            "stackId": one.owner.stack_id if one.owner else None,
            "logicalId": one.owner.logical_id if one.owner else None,
            "recorded": not one.reason,
            "reason": one.reason or None,
        }
        for one in recorded
    ]
    whole = {"table": connection.table, "region": connection.region, "configurations": configurations}
    return json.dumps(whole, indent=2, ensure_ascii=False)


def _show(screen: Screen, recorded: list[Recorded]) -> None:
    for one in recorded:
        result = f"not recorded: {one.reason}" if one.reason else f"recorded, owned by {_owner(one)}"
        screen.print(f"{one.arn}: {result}", fg="yellow" if one.reason else "green")
    if not recorded:
        screen.print("No configurations found.")
