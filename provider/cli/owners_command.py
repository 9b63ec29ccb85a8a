"""`owners`: shows which resource owns which part of a configuration, and manages the parts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from .files import UserError
from .records.access import Access, Connection, confirm, ledger_options, recorded_configurations, yes_option

if TYPE_CHECKING:
    from ..ledger.combine import Ledger
    from ..ledger.parts import Part
    from ..schema.diff import Difference
    from .records.overview import Overview
    from .screen import Screen

EPILOG = """\b
Examples:
  python -m provider owners "$ARN" --table "$TABLE"
  python -m provider owners "$ARN" --format json | jq '.parts[] | select(.rejection)'
  python -m provider owners "$ARN" --confirm-removals
  python -m provider owners "$ARN" --withdraw team-a/Access
  python -m provider owners "$ARN" --release

\b
Exit status:
  0  success
  1  the configuration is not recorded, the part does not exist or cannot be withdrawn, nothing is held, or nothing was
     confirmed
  2  a mistake in the command, or the ledger or the service cannot be read or written
"""


class _Action(NamedTuple):
    """What a command will do: a text, what it changes of the live content, and the action itself."""

    text: str
    changes: Sequence[Difference]
    run: Callable[[Ledger], object]


@click.command(epilog=EPILOG, short_help="Show who owns which part of a configuration.")
@click.argument("arn")
@click.option("--confirm-removals", is_flag=True, help="Remove the accounts whose removal a sweep has held.")
@click.option(
    "--withdraw", metavar="PART", help="Withdraw a part: STACK/LOGICAL_ID, with a stack's name or ID, or a physical ID."
)
@click.option(
    "--release",
    is_flag=True,
    help="Remove the parts of others and all records, so that a provider without the ledger may write again.",
)
@yes_option
@ledger_options
def owners(
    access: Access, form: str, arn: str, confirm_removals: bool, withdraw: str | None, release: bool, yes: bool
) -> None:
    """Show which resource of which stack owns which path of the configuration ARN, as the provider's ledger records it.

    For each part, owners shows what is accepted, proposed, rejected (with the reason), or held, and the last request.
    It also shows the lease, the last sweep, and drift: what is live and was neither accepted nor written by the
    provider. Without one of the options below, nothing is changed.

    --confirm-removals, --withdraw, and --release change the records and the configuration as a request does: they wait
    for the lease, combine what remains, and read it back. They show what they will do and ask for confirmation.

    --release also works without records: if the table is lost, it removes the tag of a shared configuration.

    A withdrawn part is recorded again by the next update of its resource. Withdraw a part whose resource no longer
    exists, for example because of DeletionPolicy: Retain.

    You need the provider's permissions for its table and for Image Builder.

    With --format json, standard output is one object: arn, table, exists (true or false, or null if it cannot be
    read), lease (state, holder, expires, epoch, dirty), lastSweep, parts, paths (each with path, value, and owners),
    drift (path, recorded, and live of each difference, or null if it cannot be compared), and problem. Each part has
    stackId, logicalId, physicalId, kind (owner or contribution), status (accepted, retained, superseded, proposed,
    rejected, rolled back, or withdrawn), proposal (update, withdrawal, or null), changes, rejection, rolledBack,
    requestId, requested, contributions, and sources (each with heldRemovals).
    """
    from .records.output import document, show
    from .records.overview import read_overview
    from .screen import Screen

    if confirm_removals + bool(withdraw) + release > 1:
        raise click.UsageError("--confirm-removals, --withdraw, and --release cannot be used together.")
    screen = Screen(sys.stderr)
    with recorded_configurations(access, [arn], needs_table=not release) as connection:
        ledger, _ = connection.open()
        if release and not (connection.table and ledger.store.parts(arn)):
            _release_mark(arn, connection, screen, yes=yes)
            return
        overview = _recorded(read_overview(ledger, arn), connection.table)
        if action := _action(overview, confirm_removals, withdraw, release):
            screen.print(action.text)
            screen.print(f"In {arn}, {'these values change:' if action.changes else 'nothing changes.'}")
            for difference in action.changes:
                screen.difference(difference)
            confirm("Continue?", yes=yes)
            ledger, _ = connection.open()
            action.run(ledger)
            overview = read_overview(ledger, arn)
        now = ledger.deadline.now()
    if form == "json":
        click.echo(document(overview, connection.table, now))
    else:
        show(Screen(sys.stdout), overview, now)


def _release_mark(arn: str, connection: Connection, screen: Screen, *, yes: bool) -> None:
    """Release a configuration without records. Raises ClickException if it is not marked as shared."""
    from ..resources.ownership import is_shared

    live = connection.open()[0].api.read(arn)
    where = f"in table {connection.table}" if connection.table else "without --table"
    if live is None or not is_shared(live.tags):
        state = "does not exist" if live is None else "is not shared"
        raise click.ClickException(f"{arn} {state}, and there are no records of it {where}")
    screen.print(
        f"There are no records of {arn} {where}. This removes the tag that shows that it is shared. Afterward, a "
        "provider without the ledger may write it, and its next update removes the parts of others."
    )
    confirm("Continue?", yes=yes)
    connection.open()[0].api.mark(arn, None)


def _recorded(overview: Overview, table: str) -> Overview:
    """The overview. Raises ClickException if nothing is recorded."""
    if overview.parts:
        return overview
    exists = "" if overview.live else ", and it does not exist"
    raise click.ClickException(
        f"{overview.arn} is not recorded in table {table}{exists}. A configuration is recorded at the next update of "
        "its resource, or by the command `record`"
    )


def _action(overview: Overview, confirm_removals: bool, withdraw: str | None, release: bool) -> _Action | None:
    if (confirm_removals or withdraw or release) and not overview.is_read:
        raise UserError(f"the configuration cannot be read: {overview.problem}")
    if confirm_removals:
        return _confirmation(overview)
    if withdraw:
        return _withdrawal(overview, withdraw)
    return _release(overview) if release else None


def _confirmation(overview: Overview) -> _Action:
    from ..ledger.removals import confirm_removals, held_removals
    from .records.administration import confirm as confirm_held

    parts = [part for part in overview.parts if held_removals(part)]
    if not parts:
        raise click.ClickException(f"no removals of {overview.arn} are held")
    after = [confirm_removals(part) for part in overview.parts]
    text = "This confirms the removals that a sweep has held."
    return _Action(text, _changes(overview, after), lambda ledger: confirm_held(ledger, overview.arn))


def _withdrawal(overview: Overview, text: str) -> _Action:
    from ..ledger.merge import named
    from .records.administration import withdraw_part

    part = _find(overview, text)
    after = [one for one in overview.parts if one.owner != part.owner]
    changes = () if part.is_owner else _changes(overview, after)
    title = f"This withdraws the part of {named(part.owner)}."
    return _Action(title, changes, lambda ledger: withdraw_part(ledger, part))


def _find(overview: Overview, text: str) -> Part:
    """The part that a stack and logical ID, or a physical ID, identifies. Raises ClickException unless it is one."""
    from ..ledger.merge import named

    live = [part for part in overview.parts if part.is_live]
    found = [part for part in live if text in _names(part)]
    if len(found) == 1:
        return found[0]
    names = "; ".join(named(part.owner) for part in found or live) or "there is none"
    problem = f"{text!r} could be several parts" if found else f"no part is {text!r}"
    raise click.ClickException(f"{problem}. Choose one as STACK_ID/LOGICAL_ID, or by its physical ID: {names}")


def _names(part: Part) -> tuple[str, ...]:
    """What a user may call a part."""
    from .records.output import stack_name

    stacks = (part.owner.stack_id, stack_name(part.owner.stack_id))
    return (part.physical_id, *(f"{stack}/{part.owner.logical_id}" for stack in stacks))


def _release(overview: Overview) -> _Action:
    from .records.administration import give_up_parts

    after = [part for part in overview.parts if part.is_owner]
    text = (
        "This removes the parts of others and all records of the configuration. Afterward, a provider without the "
        "ledger may write it."
    )
    return _Action(text, _changes(overview, after), lambda ledger: give_up_parts(ledger, overview.arn))


def _changes(overview: Overview, after: Sequence[Part]) -> Sequence[Difference]:
    """What is live and differs from the merge of these parts. Raises UserError if it cannot be read."""
    from ..ledger.claims import differences
    from ..ledger.combine import account_of
    from ..ledger.merge import merged
    from .records.overview import without_containers

    account = account_of(overview.arn)
    content = merged(after, account)
    if overview.live is None or content is None:
        return ()
    return without_containers(differences(overview.live.content, content, account))
