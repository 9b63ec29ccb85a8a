"""What one request does: propose its part, and wait until it is settled, combining all parts if the lease is free."""

from typing import TYPE_CHECKING, Final

from ..errors import Outcome, ProviderError
from .combine import LEASE_SECONDS, UPDATE_SECONDS, LeaseTooShort, Ledger, combine
from .merge import named
from .parts import Body, Event, Order, Part, bury, compare, propose, roll_back, withdraw

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import Lease

    WithSources = Callable[[Body, Part | None], Body]
    """Returns a body with the accounts of its sources, given the record before the request. Raises ProviderError."""

_MIN_PAUSE: Final = 0.1
_MAX_PAUSE: Final = 1.5
_PAUSE_PER_WAITING: Final = 0.0015
"""Seconds by which the longest pause grows with each request that waits: a thousand wait for up to 1.5 seconds."""
_RESERVE_SECONDS: Final = 2.0
"""Time to withdraw a proposal before the response."""
_MIN_HOLDING_SECONDS: Final = UPDATE_SECONDS + 2.0
"""A lease that is shorter leaves no time for an Update."""
_MAX_ATTEMPTS: Final = 20
"""Attempts to write a record that others write at the same time. Only copies of one resource's requests do."""


def as_it_is(body: Body, _part: Part | None) -> Body:
    """Return a body without sources."""
    return body


def participate(
    ledger: Ledger, arn: str, event: Event, body: Body | None, with_sources: "WithSources" = as_it_is
) -> Part:
    """Propose a part of a configuration, or withdraw it (without a body), and wait until that is settled.

    Returns the settled record, whose content has been read live; a withdrawn part's record is a tombstone. Raises
    ProviderError if the proposal is rejected, if a newer request has replaced it, or if time runs out. By then, the
    proposal has been withdrawn.
    """
    part = record(ledger, arn, event, body, with_sources)
    try:
        while part.is_newcomer:
            _reserve_time(ledger, arn, event)
            has_combined = _combine_if_free(ledger, arn, event)
            if not has_combined:
                _pause(ledger, arn)
            part = _own(ledger, arn, event)
            if has_combined and part.is_newcomer and ledger.api.read(arn) is None:
                raise ProviderError(f"{arn} was deleted in the meantime", outcome=Outcome.NOT_FOUND)
    except ProviderError as error:
        return give_up(ledger, arn, event, error)
    return settled(part)


def hold(ledger: Ledger, arn: str, holder: str) -> "Lease":
    """Wait for the lease of a configuration, and take it. Raises ProviderError if time runs out."""
    while True:
        lease = _take(ledger, ledger.store.lease(arn), holder)
        if lease is not None:
            return lease
        if ledger.deadline.left() < _RESERVE_SECONDS:
            raise _timed_out(ledger, arn)
        _pause(ledger, arn)


def _take(ledger: Ledger, lease: "Lease", holder: str) -> "Lease | None":
    now = ledger.deadline.now()
    if not lease.is_free(now):
        return None
    unique = f"{holder} {ledger.random.getrandbits(64):016x}"
    return ledger.store.take(lease, unique, now + min(LEASE_SECONDS, ledger.deadline.left()))


def record(ledger: Ledger, arn: str, event: Event, body: Body | None, with_sources: "WithSources" = as_it_is) -> Part:
    """Record a proposal or a withdrawal, unless a newer request has been recorded.

    The sources of a body are resolved only if it is proposed. Raises ProviderError if one cannot be.
    """
    for _ in range(_MAX_ATTEMPTS):
        part = ledger.store.part(arn, event.owner)
        order = compare(part, event)
        if order is not Order.NEWER:
            assert part is not None, "only a record has a revision"
            if order is Order.OLDER:
                return _replaced(part, event, ledger.deadline.now())
            if not part.is_rolled_back:
                return part
        now = ledger.deadline.now()
        new = withdraw(part, arn, event, now) if body is None else propose(part, arn, event, with_sources(body, part))
        if ledger.store.put(part, new):
            return new
    raise ProviderError(
        f"the part of {named(event.owner)} is being changed by other requests", remediation="Deploy again"
    )


def _own(ledger: Ledger, arn: str, event: Event) -> Part:
    """Return the record of this request's part. Raises ProviderError if a newer request has replaced it."""
    part = ledger.store.part(arn, event.owner)
    if part is not None and part.revision == event.revision:
        return part
    return _replaced(part, event, ledger.deadline.now())


def _replaced(part: Part | None, event: Event, now: float) -> Part:
    """Return the result of a Delete whose part is gone or was created since. Raises ProviderError for anything else."""
    check_not_replaced(part, event)
    assert part is not None, "it has been checked"
    return bury(part, now)


def check_not_replaced(part: Part | None, event: Event) -> None:
    """Raise ProviderError if the record shows a newer request, unless that leaves a Delete with nothing to do."""
    if event.is_delete and part is not None and (not part.is_live or part.created > event.revision.date):
        return
    if event.is_delete and part is None:
        raise ProviderError(f"the record of {named(event.owner)} has expired", remediation="Repeat the deletion")
    raise ProviderError(
        f"a newer request for {named(event.owner)} has replaced this one: this request is a late copy, or it was "
        "canceled. It changed nothing",
        remediation="To apply this template, deploy again",
    )


def settled(part: Part) -> Part:
    """Return a settled record. Raises ProviderError if its proposal was rejected or withdrawn."""
    if part.rejection:
        raise ProviderError(part.rejection)
    if part.is_rolled_back:
        raise ProviderError("another delivery of this request has failed", remediation="Deploy again")
    return part


def _combine_if_free(ledger: Ledger, arn: str, event: Event) -> bool:
    """Take the lease if it is free, and combine. Returns whether that happened."""
    if ledger.deadline.left() < _MIN_HOLDING_SECONDS:
        return False
    lease = _take(ledger, ledger.store.lease(arn), event.revision.request_id)
    if lease is None:
        return False
    try:
        combine(ledger, lease)
    except LeaseTooShort:
        ledger.log.info("the ledger's lease was too short for another update; taking it again")
    return True


def _pause(ledger: Ledger, arn: str) -> None:
    """Wait, the longer the more requests wait."""
    longest = min(_MAX_PAUSE, _MIN_PAUSE + 0.1 + _PAUSE_PER_WAITING * ledger.store.lease(arn).waiting)
    ledger.deadline.current_operation = f"the update of {arn} by another request that combines all parts"
    ledger.deadline.wait(ledger.random.uniform(_MIN_PAUSE, longest))


def _reserve_time(ledger: Ledger, arn: str, event: Event) -> None:
    left = min(ledger.deadline.left(), event.end - ledger.deadline.now())
    if left < _RESERVE_SECONDS:
        raise _timed_out(ledger, arn)


def _timed_out(ledger: Ledger, arn: str) -> ProviderError:
    failure = f": {ledger.deadline.retry_reason}" if ledger.deadline.retry_reason else ""
    return ProviderError(
        f"timed out before the parts of {arn} were combined, by this request or by another one{failure}",
        remediation="Deploy again; if it happens again, increase the provider's Timeout and the resource's "
        f"ServiceTimeout: a write needs at least {_MIN_HOLDING_SECONDS:.0f} seconds",
        outcome=Outcome.OUT_OF_TIME,
    )


def give_up(ledger: Ledger, arn: str, event: Event, error: ProviderError) -> Part:
    """Withdraw this request's proposal before it fails. If it is settled by now, respond as settled."""
    for _ in range(_MAX_ATTEMPTS):
        part = ledger.store.part(arn, event.owner)
        if part is None or part.revision != event.revision:
            raise error
        if not part.is_newcomer:
            return settled(part)
        if ledger.store.put(part, roll_back(part, ledger.deadline.now())):
            raise error
    raise error
