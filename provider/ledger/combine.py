"""What the holder of a lease does: merge all parts, write the content, read it back, and settle the newcomers.

One write serves all waiting requests. Image Builder's Update cannot be conditional. So the holder starts none that
could outlast the lease, and the dirty flag stays set until a read shows the merge of what is settled.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import API_ERRORS, Outcome, ProviderError
from ..observability import Logger, as_json
from ..plan import Configuration, UpdateConfiguration, WriteResult
from ..resources.ownership import Owner, Ownership, State
from .claims import Content, are_equal, differences, digest
from .merge import Verdict, effective, in_order, judge, merged, named, values_in
from .parts import Part, accept, bury, has_lapsed, reject
from .store import Lease, LeaseLost, Store

if TYPE_CHECKING:
    from typing import Protocol

    from ..cloudformation.deadline import Deadline

    class Configurations(Protocol):
        """Reads and writes configurations. Raises ProviderError."""

        def read(self, arn: str) -> Configuration | None:
            """Return the observed state of a configuration; None if it does not exist."""

        def update(self, step: UpdateConfiguration, token: str, seconds: float) -> WriteResult:
            """Replace a configuration's content. No attempt starts after this many seconds."""

        def mark(self, arn: str, owner: Owner | None) -> None:
            """Mark a configuration as shared by an owner, or without one, as not shared."""


MAX_PASSES: Final = 3
LEASE_SECONDS: Final = 40.0
UPDATE_SECONDS: Final = 18.0
"""The longest time of one attempt of an Update: the client's timeouts for connecting and for reading."""
_ARRIVAL_SECONDS: Final = 2.0
"""How long to wait while new proposals keep arriving."""
_ARRIVAL_PAUSE: Final = 0.1
_READ_BACK_SECONDS: Final = 10.0
_FIRST_PAUSE: Final = 0.2
_MAX_PAUSE: Final = 1.0
_MAX_REMEDIES: Final = 3
"""How many newcomers are tried alone if Image Builder rejects even what was accepted before."""
_NOT_CREATED: Final = "does not exist, or its owner has not finished creating it. Deploy the owner first"
_LAPSED: Final = "CloudFormation stopped waiting for this request before it was settled"


class Ledger(NamedTuple):
    """What the algorithm needs: the records, the API, the time, and a source of jitter."""

    store: Store
    api: "Configurations"
    deadline: "Deadline"
    random: Random
    log: Logger


class LeaseTooShort(Exception):  # noqa: N818 - an event, not an error
    """An Update could outlast the lease."""


class _ContentRejected(Exception):  # noqa: N818 - an event, not an error
    """Image Builder rejects a content."""

    def __init__(self, cause: ProviderError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Outcome(NamedTuple):
    """The result of one pass: what was judged, and the last read. It shows the verdict's content or not."""

    verdict: Verdict
    live: Configuration
    is_shown: bool


def account_of(arn: str) -> str:
    """Return the account of a configuration."""
    return arn.split(":")[4]


def combine(ledger: Ledger, lease: Lease) -> None:
    """Combine all parts of a configuration as the holder of its lease, and release the lease.

    Raises ProviderError, and LeaseTooShort if there was not enough time. If another holder has taken the lease over, it
    returns, because that holder combines.
    """
    combination = _Combination(ledger, lease)
    is_clean = False
    try:
        is_clean = combination.run()
    except LeaseLost:
        ledger.log.warning("the ledger's lease has expired; another request has taken it over")
        return
    except Exception:
        with suppress(ProviderError):
            ledger.store.release(lease, is_clean=False)
        raise
    ledger.store.release(lease, is_clean=is_clean)


class _Combination:
    """The passes of one holder."""

    def __init__(self, ledger: Ledger, lease: Lease) -> None:
        self._ledger, self._lease = ledger, lease
        self._store, self._deadline = ledger.store, ledger.deadline
        self._arn, self._account = lease.arn, account_of(lease.arn)
        self._writes = count(1)
        self._pass = 0
        self._parts: list[Part] = []
        self._written = WriteResult(lease.arn)
        self._logged = False

    def run(self) -> bool:
        """Run at most three passes. Returns whether the last read shows the merge of what is settled."""
        is_clean = False
        for self._pass in range(1, MAX_PASSES + 1):
            is_clean, is_done = self._run_pass()
            if is_done:
                break
        return is_clean

    def _run_pass(self) -> tuple[bool, bool]:
        """Return whether the live content is the merge of what is settled, and whether there is nothing left to do."""
        self._written = WriteResult(self._arn)
        self._parts = self._arrived()
        live = self._ledger.api.read(self._arn)
        if live is None or Ownership.of(live.tags).state is State.UNFINISHED:
            self._settle_without_configuration()
            return live is None, True
        outcome = self._converge(live)
        if outcome.is_shown:
            self._settle(outcome.verdict)
        parts = self._store.parts(self._arn)
        if outcome.is_shown:
            self._forget_gone_owners(parts)
        settled = merged(parts, self._account)
        is_clean = settled is None or are_equal(outcome.live.content, settled, self._account)
        return is_clean, is_clean and not self._newcomers(parts)

    def _arrived(self) -> list[Part]:
        """Return all parts. While new proposals keep arriving, wait up to two seconds."""
        parts = self._store.parts(self._arn)
        end = self._deadline.now() + _ARRIVAL_SECONDS
        while len(self._newcomers(parts)) > 1 and self._deadline.now() < end:
            known = {part.revision for part in self._newcomers(parts)}
            self._deadline.wait(_ARRIVAL_PAUSE)
            parts = self._store.parts(self._arn)
            if {part.revision for part in self._newcomers(parts)} <= known:
                break
        return parts

    def _newcomers(self, parts: Sequence[Part]) -> list[Part]:
        now = self._deadline.now()
        return [part for part in parts if part.is_newcomer and not has_lapsed(part, now)]

    # merge and write

    def _converge(self, live: Configuration) -> _Outcome:
        """Make the merge of what is accepted and of the newcomers live.

        A newcomer whose content Image Builder rejects is rejected with its message. The others are judged again.
        """
        waiting = in_order(self._newcomers(self._parts), live.content, self._account)
        first: tuple[Part, ...] = ()
        while True:
            verdict = judge(self._parts, [*dict.fromkeys((*first, *waiting))], self._account)
            content = verdict.content
            if content is None or are_equal(live.content, content, self._account):
                return _Outcome(verdict, live, is_shown=True)
            self._log_differences(live, content)
            try:
                shown = self._write(content, verdict.standing)
                return _Outcome(verdict, shown, is_shown=are_equal(shown.content, content, self._account))
            except _ContentRejected as rejection:
                if not verdict.standing:
                    raise rejection.cause from rejection
                refused, first = self._culprits(verdict.standing, first, rejection)
            waiting = tuple(part for part in waiting if part.owner not in refused)
            live = self._ledger.api.read(self._arn) or live

    def _culprits(
        self, standing: tuple[Part, ...], first: tuple[Part, ...], rejection: _ContentRejected
    ) -> tuple[frozenset[Owner], tuple[Part, ...]]:
        """Find which newcomer is at fault, and reject it. `first` are newcomers that are known to be accepted.

        Returns the rejected ones, and the newcomers to judge first. If Image Builder rejects even what was accepted
        before, a newcomer that changes it comes first; if none helps, all are rejected.
        """
        known_good, rejected = len(first), len(standing)
        while rejected - known_good > 1:
            middle = (known_good + rejected) // 2
            failure = self._rejection_of(standing[:middle])
            if failure is None:
                known_good = middle
            else:
                rejected, rejection = middle, failure
        failure = self._rejection_of(()) if known_good == 0 else None
        if failure is None:
            return self._refuse(standing[rejected - 1 : rejected], str(rejection.cause)), first
        accepted = failure or rejection
        remedy = next((part for part in self._remedies(standing, accepted) if not self._rejection_of((part,))), None)
        if remedy is not None:
            return frozenset(), (remedy,)
        return self._refuse(standing, self._accepted_is_rejected(accepted)), ()

    def _rejection_of(self, prefix: tuple[Part, ...]) -> _ContentRejected | None:
        """Return why Image Builder rejects the merge of what is accepted and some newcomers; None if it does not."""
        content = judge(self._parts, prefix, self._account).content
        try:
            if content is not None:
                self._write(content, prefix)
        except _ContentRejected as rejection:
            return rejection
        return None

    def _remedies(self, standing: tuple[Part, ...], rejection: _ContentRejected) -> list[Part]:
        """Return the newcomers that change accepted content; first those whose part the message is about."""
        named_parts = {part.owner for part in values_in(str(rejection), self._parts, self._account)}
        changing = [part for part in standing if part.accepted is not None]
        return sorted(changing, key=lambda part: part.owner not in named_parts)[:_MAX_REMEDIES]

    def _accepted_is_rejected(self, rejection: _ContentRejected) -> str:
        if rejection.cause.outcome is Outcome.DENIED:
            return str(rejection.cause)
        parts = values_in(str(rejection), self._parts, self._account)
        who = ", ".join(named(part.owner) for part in parts[:_MAX_REMEDIES]) or "a part that was accepted before"
        return (
            f"Image Builder rejects content that was accepted before, which is a value of {who}: {rejection.cause}. "
            "Update or delete that resource, then deploy again"
        )

    def _refuse(self, parts: Sequence[Part], reason: str) -> frozenset[Owner]:
        now = self._deadline.now()
        rejected = {part.owner: reject(part, reason, now) for part in parts}
        self._store.settle(self._lease, [(part, rejected[part.owner]) for part in parts])
        self._parts = [rejected.get(part.owner, part) for part in self._parts]
        return frozenset(rejected)

    def _write(self, content: Content, standing: Sequence[Part]) -> Configuration:
        """Write a content, and return what is read back, which may be something else.

        Raises _ContentRejected, LeaseTooShort, LeaseLost, and ProviderError.
        """
        step = UpdateConfiguration(self._arn, content)
        for attempt in count(1):
            self._reserve_time()
            waiting = len(self._newcomers(self._parts))
            self._store.mark_dirty(self._lease, digest(content, self._account), waiting)
            try:
                token = self._token(content, standing)
                self._written = self._ledger.api.update(step, token, self._reserve_time())
            except ProviderError as error:
                if _is_about_content(error):
                    raise _ContentRejected(error) from error
                if error.outcome not in _RETRIED:
                    raise
                live = self._ledger.api.read(self._arn)
                if live is not None and are_equal(live.content, content, self._account):
                    return live
                self._deadline.retry_reason = error.problem
                self._deadline.wait(self._ledger.random.uniform(0.0, min(_MAX_PAUSE, 0.1 * 2**attempt)))
            else:
                return self._read_back(content)
        raise AssertionError("unreachable")

    def _reserve_time(self) -> float:
        """Return for how many seconds an Update may start. Raises LeaseTooShort if there are none."""
        seconds = self._lease.expiry - self._deadline.now() - UPDATE_SECONDS
        if seconds <= 0:
            raise LeaseTooShort
        return seconds

    def _token(self, content: Content, standing: Sequence[Part]) -> str:
        """Return the client token of a write: the RequestId if it is the first write for a single request."""
        number = next(self._writes)
        requests = sorted(part.revision.request_id for part in standing)
        if number == 1 and len(requests) == 1 and self._store.use_token(self._arn, requests[0]):
            return requests[0]
        source = [requests[:1], self._lease.epoch, self._pass, number, digest(content, self._account)]
        return hashlib.sha256(json.dumps(source).encode()).hexdigest()

    def _read_back(self, content: Content) -> Configuration:
        """Read until the content shows, for at most ten seconds. Returns the last read."""
        end, pause = self._deadline.now() + _READ_BACK_SECONDS, _FIRST_PAUSE
        while True:
            live = self._ledger.api.read(self._arn)
            if live is None:
                raise ProviderError(f"{self._arn} was deleted in the meantime", outcome=Outcome.NOT_FOUND)
            is_over = self._deadline.now() + pause > min(end, self._lease.expiry) or self._deadline.left() <= pause
            if is_over or are_equal(live.content, content, self._account):
                return live
            self._deadline.wait(pause)
            pause = min(2 * pause, _MAX_PAUSE)

    def _log_differences(self, live: Configuration, content: Content) -> None:
        """Log what the write changes, and which of it is drift: content that was neither accepted nor our own write."""
        if self._logged:
            return
        self._logged = True
        base = merged(self._parts, self._account)
        if base is not None and not are_equal(live.content, base, self._account):
            own = self._store.digests(self._arn)
            if digest(live.content, self._account) not in own:
                drift = differences(base, live.content, self._account)
                self._ledger.log.warning("drift is overwritten", arn=self._arn, changes=as_json(drift))
        changes = differences(live.content, content, self._account)
        self._ledger.log.info("difference", arn=self._arn, changes=as_json(changes))

    # settle

    def _settle(self, verdict: Verdict) -> None:
        now = self._deadline.now()
        standing = {part.owner for part in verdict.standing}
        judged = [(part, self._judged(part, standing, verdict.rejected, now)) for part in self._parts]
        settled = [(part, new) for part, new in judged if new is not None]
        # The others were judged by what an owner proposes. If it has withdrawn that, they are judged again.
        if self._store.settle(self._lease, [pair for pair in settled if pair[0].is_owner]):
            self._store.settle(self._lease, [pair for pair in settled if not pair[0].is_owner])

    def _judged(
        self, part: Part, standing: Collection[Owner], rejected: Mapping[Owner, str], now: float
    ) -> Part | None:
        """Return the record of a part after a verdict; None if nothing is settled."""
        if part.is_newcomer and part.owner in standing:
            return self._accepted(part, now)
        reason = rejected.get(part.owner) or (_LAPSED if has_lapsed(part, now) else "")
        return reject(part, reason, now) if reason else None

    def _forget_gone_owners(self, parts: Sequence[Part]) -> None:
        """Remove the records of owners that are gone, and their mark, once nobody has a part anymore.

        Until then, their content counts again if a new owner's adoption fails.
        """
        gone = [*filter(_is_gone_owner, parts)]
        if not gone or any(part.is_live and not part.is_owner for part in parts):
            return
        if effective_owner([part for part in parts if part not in gone]) is None:
            self._ledger.api.mark(self._arn, None)
        now = self._deadline.now()
        self._store.settle(self._lease, [(part, bury(part, now)) for part in gone])

    def _accepted(self, part: Part, now: float) -> Part:
        rank = max((other.rank for other in self._parts if other.is_owner and other.owner != part.owner), default=-1)
        is_new_owner = part.is_owner and (part.accepted is None or part.is_retained or part.is_adoption)
        written = self._written
        return accept(part, now, written.client_token, written.request_id, rank + 1 if is_new_owner else part.rank)

    def _settle_without_configuration(self) -> None:
        """Settle the newcomers of a configuration that does not exist or is unfinished.

        The owner's own request creates or finishes it.
        """
        now = self._deadline.now()
        settled = []
        for part in self._parts:
            if part.is_removing:
                settled.append((part, accept(part, now)))
            elif part.is_newcomer and (not part.is_owner or has_lapsed(part, now)):
                settled.append((part, reject(part, f"{self._arn} {_NOT_CREATED}", now)))
        self._store.settle(self._lease, settled)


_RETRIED: Final = frozenset({Outcome.THROTTLED, Outcome.UNSENT, Outcome.UNKNOWN, Outcome.TOKEN_REUSED})
"""Outcomes of an Update after which a further one may succeed."""


def _is_gone_owner(part: Part) -> bool:
    """Return whether a part is the record of an owner that was deleted or released, and of nothing newer."""
    return part.is_owner and part.is_retained and not part.is_newcomer


def _is_about_content(error: ProviderError) -> bool:
    """Return whether Image Builder rejected the content: its values, or access to what they name."""
    if error.outcome is Outcome.DENIED:
        return True
    return error.outcome is Outcome.REFUSED and bool(error.code) and error.code not in API_ERRORS


def effective_owner(parts: Sequence[Part]) -> Part | None:
    """Return the owner whose accepted body counts; None if there is none."""
    return next((part for part in effective(parts) if part.is_owner), None)
