"""What the schedule does: finish or repair what requests left behind, and find drift. It responds to no stack."""

import hashlib
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import Outcome, ProviderError
from ..observability import as_json
from ..plan import Configuration, UpdateConfiguration
from ..resources.ownership import Ownership, State, is_shared
from ..schema.diff import Difference
from .claims import Content, are_equal, differences, digest
from .combine import LEASE_SECONDS, UPDATE_SECONDS, LeaseTooShort, Ledger, account_of, combine, effective_owner
from .merge import effective, merged
from .parts import Part, has_lapsed
from .removals import held_removals
from .settings import DriftMode as DriftMode
from .sources import Refreshed
from .store import Lease, LeaseLost, Store

if TYPE_CHECKING:
    from typing import Protocol

    from .sources import Refresh

    class Deletes(Protocol):
        """Deletes a configuration. Raises ProviderError, with the outcome IN_USE if a pipeline uses it."""

        def __call__(self, arn: str) -> None: ...


UNFINISHED_SECONDS: Final = 3 * 3600.0
"""After this time, no request finishes a configuration."""
_MIN_SECONDS: Final = UPDATE_SECONDS + 7.0
"""Time that a configuration may take; the sweep does not start with another one if less is left."""


class Result(Enum):
    """What a sweep did with a configuration."""

    UNCHANGED = "unchanged"
    COMBINED = "combined"
    REPAIRED = "repaired"
    DRIFTED = "drifted"
    BUSY = "busy"
    MISSING = "missing"
    UNFINISHED = "unfinished"
    DELETED = "deleted"
    FAILED = "failed"


class Swept(NamedTuple):
    """The result for one configuration. `drift` is what is live and was neither accepted nor our own write.

    `held` has the accounts whose removal is held, by `source_id`.
    """

    arn: str
    result: Result
    drift: tuple[Difference, ...] = ()
    problem: str = ""
    held: Mapping[str, list[str]] = {}


class Comparison(NamedTuple):
    """The paths at which the live content differs from what is settled: recorded and live values.

    It is our own write if its digest is recorded: a late or interrupted one, which is always repaired. Anything else is
    drift.
    """

    differences: tuple[Difference, ...] = ()
    is_own_write: bool = False

    @property
    def drift(self) -> tuple[Difference, ...]:
        """The differences that are drift."""
        return () if self.is_own_write else self.differences


def compare_live(store: Store, parts: list[Part], live: Configuration) -> Comparison:
    """Compare a configuration with what is settled."""
    account = account_of(live.arn)
    wanted = merged(parts, account)
    if wanted is None or are_equal(live.content, wanted, account):
        return Comparison()
    is_own_write = digest(live.content, account) in store.digests(live.arn)
    return Comparison(differences(wanted, live.content, account), is_own_write)


class Sweep:
    """One sweep.

    `refresh` resolves the sources of a configuration's parts anew. `delete` deletes an unfinished configuration.
    """

    def __init__(
        self,
        ledger: Ledger,
        drift: DriftMode,
        delete: "Deletes",
        refresh: "Refresh | None" = None,
    ) -> None:
        self._ledger, self._drift = ledger, drift
        self._delete, self._refresh = delete, refresh

    def run(self) -> list[Swept]:
        """Sweep the configurations, the one first that was swept longest ago, while time remains.

        Raises ProviderError if the ledger cannot be read. The failure of one configuration never stops the others.
        """
        swept = []
        for summary in self._ledger.store.summaries():
            if self._ledger.deadline.left() < _MIN_SECONDS:
                break
            swept.append(self.one(summary.lease.arn))
        return swept

    def one(self, arn: str) -> Swept:
        """Sweep one configuration. Its failure is a result."""
        try:
            result = self._one(arn)
        except ProviderError as error:
            result = Swept(arn, Result.FAILED, problem=str(error))
        except LeaseLost:
            result = Swept(arn, Result.BUSY)
        except LeaseTooShort:
            result = Swept(arn, Result.FAILED, problem="there was not enough time left to write")
        except Exception as error:
            self._ledger.log.exception("the sweep of a configuration failed", arn=arn)
            result = Swept(arn, Result.FAILED, problem=f"{type(error).__name__}: {error}")
        self._log(result)
        return result

    def _one(self, arn: str) -> Swept:
        store = self._ledger.store
        holder = f"sweep {self._ledger.random.getrandbits(64):016x}"
        lease, now = store.lease(arn), self._ledger.deadline.now()
        if not lease.is_free(now):
            return Swept(arn, Result.BUSY)
        # The time of the sweep is recorded first, so that a configuration that stops the sweep is not always the first.
        # Without time for reading sources, the next sweep starts with it.
        may_read = self._refresh is None or self._refresh.has_time()
        end = now + min(LEASE_SECONDS, self._ledger.deadline.left())
        taken = store.take(lease, holder, end, swept=now if may_read else None)
        if taken is None:
            return Swept(arn, Result.BUSY)
        held = _Held(self._ledger, taken)
        try:
            parts = store.parts(arn)
            if self._refresh is None or not may_read or self._refresh.has_read(parts):
                return self._as_holder(held, parts)
        finally:
            held.release()
        self._refresh.read(parts)  # without the lease, because it may take long
        return self._one(arn)

    def _as_holder(self, held: "_Held", parts: list[Part]) -> Swept:
        arn = held.lease.arn
        if not any(part.is_live or (part.is_owner and not part.is_deletion) for part in parts):
            return Swept(arn, Result.UNCHANGED)  # nothing counts, and no Create left anything behind
        live = self._ledger.api.read(arn)
        if live is None:
            held.combine()  # settles the withdrawals
            return Swept(arn, Result.MISSING if any(part.accepted for part in parts) else Result.UNCHANGED)
        if self._is_unfinished(live):
            return self._finish(live, parts)
        self._correct_mark(live, parts)
        return self._sources_and_drift(held, parts, live)

    def _correct_mark(self, live: Configuration, parts: list[Part]) -> None:
        """Mark a configuration as shared or not, if a request was interrupted before it did."""
        owner = effective_owner(parts)
        body = owner.accepted_body() if owner is not None else None
        if owner is not None and body is not None and is_shared(live.tags) != bool(body.contributions):
            self._ledger.api.mark(live.arn, owner.owner if body.contributions else None)

    def _sources_and_drift(self, held: "_Held", parts: list[Part], live: Configuration) -> Swept:
        """Apply what sources contain now, even under `Report`; otherwise, compare the content."""
        comparison, account = compare_live(self._ledger.store, parts, live), account_of(live.arn)
        refreshed = self._refresh(parts) if self._refresh and self._refresh.has_read(parts) else Refreshed()
        changed = dict(refreshed.changes)
        now_wanted = [changed.get(part, part) for part in parts]
        content = merged(now_wanted, account) if changed else None
        is_new = content is not None and content != merged(parts, account)
        if content is not None and is_new:
            self._write(held.lease, live, content)
        self._ledger.store.settle(held.lease, refreshed.changes)
        if is_new:
            held.combine()
            result = Swept(live.arn, Result.COMBINED, comparison.drift)
        else:
            result = self._compare(held, parts, comparison)
        problem = "; ".join(refreshed.problems)
        result = result._replace(result=Result.FAILED, problem=problem) if problem else result
        return result._replace(held=_held_accounts(now_wanted))

    def _write(self, lease: Lease, live: Configuration, content: Content) -> None:
        """Write new content before it is settled, because Image Builder may reject it. Raises ProviderError.

        What was live counts as our own write, too, so that the next sweep finishes this if it is interrupted.
        """
        account = account_of(lease.arn)
        written = digest(content, account)
        for each in (digest(live.content, account), written):
            self._ledger.store.mark_dirty(lease, each, 1)
        seconds = lease.expiry - self._ledger.deadline.now() - UPDATE_SECONDS
        if seconds <= 0:
            raise LeaseTooShort
        token = hashlib.sha256(f"{lease.arn} {lease.epoch} {written}".encode()).hexdigest()
        self._ledger.api.update(UpdateConfiguration(lease.arn, content), token, seconds)

    def _compare(self, held: "_Held", parts: list[Part], comparison: Comparison) -> Swept:
        arn = held.lease.arn
        newcomers = [part for part in parts if part.is_newcomer]
        if not comparison.differences:
            return self._without_drift(held, newcomers)
        drift = comparison.drift
        is_waiting = self._is_waiting(newcomers)
        if drift and self._drift is DriftMode.REPORT and not is_waiting:
            return Swept(arn, Result.DRIFTED, drift)
        held.combine()
        return Swept(arn, Result.COMBINED if is_waiting else Result.REPAIRED, drift)

    def _without_drift(self, held: "_Held", newcomers: list[Part]) -> Swept:
        if newcomers or held.lease.is_dirty:
            held.combine()
            return Swept(held.lease.arn, Result.COMBINED)
        return Swept(held.lease.arn, Result.UNCHANGED)

    def _is_waiting(self, parts: list[Part]) -> bool:
        now = self._ledger.deadline.now()
        return any(part.is_newcomer and not has_lapsed(part, now) for part in parts)

    def _is_unfinished(self, live: Configuration) -> bool:
        return Ownership.of(live.tags).state is State.UNFINISHED

    def _finish(self, live: Configuration, parts: list[Part]) -> Swept:
        """Delete an unfinished configuration that no request will finish, if its owner's part was never settled."""
        created = live.created_at if live.created_at is not None else self._ledger.deadline.now()
        if self._is_waiting(parts) or self._ledger.deadline.now() - created < UNFINISHED_SECONDS:
            return Swept(live.arn, Result.UNCHANGED)
        if any(part.accepted is not None for part in parts):
            return Swept(live.arn, Result.UNFINISHED, problem="its owner's part was settled")
        try:
            self._delete(live.arn)
        except ProviderError as error:
            if error.outcome is not Outcome.IN_USE and not error.details:
                raise
            return Swept(live.arn, Result.UNFINISHED, problem=str(error))
        return Swept(live.arn, Result.DELETED)

    def _log(self, swept: Swept) -> None:
        log, result, problem = self._ledger.log, swept.result.value, swept.problem or None
        if swept.held:
            how = f"To confirm them, deploy a change of the resource, or run: owners {swept.arn} --confirm-removals"
            log.warning("removals held", arn=swept.arn, accounts=swept.held, remediation=how)
        if swept.drift:
            log.warning("drift", arn=swept.arn, result=result, changes=as_json(swept.drift))
        if problem or swept.result is Result.MISSING:
            log.warning("sweep", arn=swept.arn, result=result, problem=problem)
        elif not swept.drift:
            log.info("sweep", arn=swept.arn, result=result)


def _held_accounts(parts: list[Part]) -> dict[str, list[str]]:
    """Return the accounts whose removal is held, by `source_id`."""
    return {source: accounts for part in effective(parts) for source, accounts in held_removals(part).items()}


class _Held:
    """The lease that a sweep holds of one configuration. It is released once, by `combine` or by `release`."""

    def __init__(self, ledger: Ledger, lease: Lease) -> None:
        self._ledger, self.lease = ledger, lease
        self._is_held = True

    def combine(self) -> None:
        """Combine all parts, and release the lease."""
        self._is_held = False
        combine(self._ledger, self.lease)

    def release(self) -> None:
        """Release the lease unless that has been done. The dirty flag stays."""
        if self._is_held:
            self._ledger.store.release(self.lease, is_clean=False)
