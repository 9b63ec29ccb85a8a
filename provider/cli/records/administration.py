"""What an administrator does with the records, without a request of CloudFormation.

Each operation holds the lease and combines all parts, as a request does. So nothing is lost if it is interrupted: the
sweep finishes it. All of them raise ProviderError if the ledger or the service cannot be read or written.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

import click

from ...ledger.claims import digest
from ...ledger.combine import LeaseTooShort, Ledger, account_of, combine, effective_owner
from ...ledger.merge import merged, named
from ...ledger.participate import hold, participate, record
from ...ledger.parts import Body, Event, Part, Revision, bury, withdraw
from ...ledger.removals import confirm_removals, held_removals
from ...ledger.store import Lease, LeaseLost
from ...plan import Configuration
from ...resources.deletion import LATE_SECONDS
from ...resources.ownership import Owner, Ownership, State, is_shared, shared_without_record
from ..files import UserError

_MAX_ATTEMPTS: Final = 3
_TICK: Final = 0.001
"""Seconds by which a record is newer than the one that it replaces."""


class Recorded(NamedTuple):
    """The result of recording one configuration. It is recorded unless there is a reason why not."""

    arn: str
    owner: Owner | None
    reason: str = ""


def withdraw_part(ledger: Ledger, part: Part) -> None:
    """Withdraw a part, as its Delete does. Raises ClickException for an owner while others have parts."""
    parts = ledger.store.parts(part.arn)
    others = [one for one in parts if one.is_live and not one.is_owner]
    if part.is_owner and others and not _is_superseded(part, parts):
        raise click.ClickException(
            f"{named(part.owner)} is the owner, and other resources have parts, such as {named(others[0].owner)}. "
            "Withdraw these parts first, or adopt the configuration"
        )
    participate(ledger, part.arn, _withdrawal(ledger, part), None)
    if part.is_owner and effective_owner(ledger.store.parts(part.arn)) is None:
        ledger.api.mark(part.arn, None)


def _is_superseded(part: Part, parts: Sequence[Part]) -> bool:
    owner = effective_owner(parts)
    return owner is not None and owner.owner != part.owner


def _withdrawal(ledger: Ledger, part: Part) -> Event:
    """Return a Delete that replaces the last request that is recorded, and no later one."""
    revision = Revision(part.revision.date, _request_id(ledger))
    end = ledger.deadline.now() + ledger.deadline.left()
    return Event(part.owner, revision, "Delete", end, part.physical_id, part.is_owner)


def _request_id(ledger: Ledger) -> str:
    return str(uuid.UUID(int=ledger.random.getrandbits(128), version=4))


def confirm(ledger: Ledger, arn: str) -> None:
    """Remove all accounts that are held."""
    with _lease(ledger, arn) as lease:
        parts = ledger.store.parts(arn)
        _settle(ledger, lease, parts, [(part, confirm_removals(part)) for part in parts if held_removals(part)])


def give_up_parts(ledger: Ledger, arn: str) -> None:
    """Remove all parts of others from a configuration, the mark that it is shared, and its records.

    Parts that arrive meanwhile are removed, too.
    """
    for _ in range(_MAX_ATTEMPTS):
        with _lease(ledger, arn) as lease:
            parts = ledger.store.parts(arn)
            _settle(ledger, lease, parts, _buried(ledger, parts, is_owner=False))
        if _forget_owners(ledger, arn):
            return
    raise UserError(f"{arn} still gets new parts; repeat the command")


def _forget_owners(ledger: Ledger, arn: str) -> bool:
    """Remove the records of owners. Returns False if there are parts of others again."""
    with _lease(ledger, arn) as lease:
        parts = ledger.store.parts(arn)
        if any(part.is_live and not part.is_owner for part in parts):
            return False
        ledger.api.mark(arn, None)
        ledger.store.settle(lease, _buried(ledger, parts, is_owner=True))
    return True


def _buried(ledger: Ledger, parts: Sequence[Part], *, is_owner: bool) -> list[tuple[Part, Part]]:
    """Return tombstones for the owners' records, or for the others."""
    now = ledger.deadline.now()
    gone = [part for part in parts if part.is_live and part.is_owner == is_owner]
    return [(part, bury(withdraw(part, part.arn, _withdrawal(ledger, part), now), now)) for part in gone]


def _settle(ledger: Ledger, lease: Lease, parts: list[Part], settled: Sequence[tuple[Part, Part]]) -> None:
    """Replace records, and make what they change live.

    What is live counts as our own write, so that the sweep finishes this if it is interrupted.
    """
    before = merged(parts, account_of(lease.arn))
    if before is not None:
        ledger.store.mark_dirty(lease, digest(before, account_of(lease.arn)), 0)
    ledger.store.settle(lease, settled)


@contextmanager
def _lease(ledger: Ledger, arn: str) -> Iterator[Lease]:
    """Hold the lease in this block, and then combine. Raises UserError if the lease is lost, or if time runs out."""
    lease = hold(ledger, arn, "command")
    try:
        yield lease
    except LeaseLost:
        raise UserError("the ledger's lease expired, and another request took it; repeat the command") from None
    except BaseException:
        ledger.store.release(lease, is_clean=False)
        raise
    try:
        combine(ledger, lease)
    except LeaseTooShort:
        raise UserError("there was not enough time left to write; repeat the command") from None


def find_owner(ledger: Ledger, arn: str, account: str) -> Recorded:
    """Return whether the owner of an existing configuration can be recorded. `account` is the provider's."""
    if account_of(arn) != account:
        problem = "it is in another account; its owner is recorded at its next update, whose properties name the role"
        return Recorded(arn, None, problem)
    return _recordable(ledger, arn, ledger.api.read(arn))


def record_owner(ledger: Ledger, arn: str, contributions: Sequence[str]) -> Recorded:
    """Record the owner of an existing configuration with its live content, unless an owner is recorded.

    `contributions` are the paths that it allows, until its next update.
    """
    with _lease(ledger, arn):
        live = ledger.api.read(arn)
        found = _recordable(ledger, arn, live)
        if found.reason or live is None or found.owner is None:
            return found
        event = _creation(ledger, live, found.owner)
        record(ledger, arn, event, Body(live.content, tuple(contributions)))
    if contributions:
        ledger.api.mark(arn, found.owner)
    part = ledger.store.part(arn, found.owner)
    return found._replace(reason=part.rejection if part is not None else "its record was replaced")


def _recordable(ledger: Ledger, arn: str, live: Configuration | None) -> Recorded:
    if live is None:
        return Recorded(arn, None, "the configuration does not exist")
    recorded = next((part for part in ledger.store.parts(arn) if part.is_owner and part.is_live), None)
    if recorded is not None:
        return Recorded(arn, recorded.owner, "an owner is already recorded")
    ownership = Ownership.of(live.tags)
    if not ownership.is_complete:
        return Recorded(arn, None, "it has no ownership tags; an adopter is recorded at its next update")
    owner = Owner(ownership.stack_id, ownership.logical_id)
    if is_shared(live.tags):
        return Recorded(arn, owner, shared_without_record(arn).problem)
    if ownership.state in (State.UNFINISHED, State.RELEASED):
        return Recorded(arn, owner, f"it is {ownership.state.value}; an owner is recorded at its next update")
    return Recorded(arn, owner)


def _creation(ledger: Ledger, live: Configuration, owner: Owner) -> Event:
    """Return a Create to which every request since the configuration's last change is newer."""
    now = ledger.deadline.now()
    date = (now if live.changed_at is None else live.changed_at) - LATE_SECONDS
    withdrawn = ledger.store.part(live.arn, owner)
    if withdrawn is not None:
        date = max(date, withdrawn.revision.date + _TICK)
    revision = Revision(date, _request_id(ledger))
    end = now + ledger.deadline.left()
    return Event(owner, revision, "Create", end, live.arn, is_owner=True)
