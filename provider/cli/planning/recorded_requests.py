"""Executes planned requests as a provider with the ledger does, on copies: nothing is written.

The handler's own code processes each request. Its reads see the table, the live configurations, and the effects of the
requests that were planned before.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...arn import Location
from ...cloudformation.deadline import Deadline
from ...cloudformation.request import Request
from ...errors import ProviderError
from ...ledger.combine import Ledger
from ...ledger.configurations import ImageBuilderConfigurations
from ...ledger.contributor import ContributionRequest
from ...ledger.entry import max_removals
from ...ledger.merge import effective
from ...ledger.owner_roles import Reached, reach, recorded_role
from ...ledger.participate import as_it_is
from ...ledger.parts import Body, Part, source_id
from ...ledger.recorded_owner import OwnerRequest
from ...ledger.sharing import RecordedAdapter
from ...ledger.sources import resolved
from ...ledger.store import Store
from ...observability import logger
from ...plan import Configuration, Step, Target, WriteResult
from ...reconciler.api_calls import ApiCalls
from ...reconciler.reconcile import Reconciliation
from ...resources import CONTRIBUTION, resource_type
from ...resources.interface import ResourceType
from ...resources.locations import Locations
from ...resources.ownership import Owner, is_shared, without_shared
from ...schema.account_sources import Source, source_entries
from ...schema.finding import Path
from ...schema.model import TARGET, distribution_configuration
from .ledger_copy import LedgerCopy
from .live_state import LiveState
from .requests import target_of

if TYPE_CHECKING:
    from ...ledger.table import Table

_SECONDS: Final = 600.0
"""The time of a planned request. Its waits take no time."""
_TICK: Final = 0.001
"""Seconds by which a planned request is newer than what has been read."""

Accounts = Mapping[Path, tuple[str, ...]]
"""The accounts of sources, by the paths of the sources in the properties."""


class Effect(NamedTuple):
    """What a request does to a configuration: the executed steps, and its state and records before and afterward."""

    arn: str
    owner: Owner
    steps: tuple[Step, ...]
    before: Configuration | None
    after: Configuration | None
    parts_before: Sequence[Part]
    parts_after: Sequence[Part]


class RecordedRequests:
    """Executes the requests of one plan, each with the effects of those before it."""

    def __init__(self, table: "Table", live_state: LiveState) -> None:
        self._copy, self._live_state = LedgerCopy(table), live_state
        self._clock, self._random = _SkippingClock(), Random()  # noqa: S311 - jitter and nonces, not secrets
        self._store = Store(self._copy, self._clock.time)
        self._undo: tuple[Any, Any] = ({}, {})
        self._count = 0
        self.arns: dict[str, None] = {}
        """The configurations of the executed requests."""

    def parts(self, arn: str) -> list[Part]:
        """Return the records of a configuration's parts. Raises UnreadableLedgerError."""
        return self._store.parts(arn)

    def owner(self, arn: str) -> Part | None:
        """Return the record of a configuration's owner; None if none is recorded."""
        parts = self.parts(arn)
        owners = [*effective(parts), *(part for part in parts if part.is_live)]
        return next((part for part in owners if part.is_owner), None)

    def now(self) -> float:
        """Return the time of the next request, in seconds since the epoch. All that has been read is older."""
        return self._clock.time()

    def seen(self, live: Configuration | None) -> Configuration | None:
        """Return a configuration as requests see it: without the mark that it is shared, if its owner is recorded."""
        self._clock.pass_(live.changed_at if live else None)
        if live is None or not is_shared(live.tags) or self.owner(live.arn) is None:
            return live
        return live._replace(tags=without_shared(live.tags))

    def execute(
        self,
        request: Request,
        desired: Mapping[str, Any],
        old: Mapping[str, Any],
        locations: Locations,
        accounts: Accounts | None = None,
    ) -> Effect:
        """Execute a request. `accounts` are those of the sources in `desired`; None if there are none.

        Raises ProviderError if the handler rejects it, without an effect, and UnreadableLedgerError and UnreadableError
        if what it needs cannot be read.
        """
        self._undo = self._copy.state(), self._live_state.state()
        try:
            return self._execute(request, desired, old, locations, accounts)
        except BaseException:
            self.undo()
            raise

    def undo(self) -> None:
        """Discard the effect of the last request."""
        records, configurations = self._undo
        self._copy.restore(records)
        self._live_state.restore(configurations)

    def _execute(
        self,
        request: Request,
        desired: Mapping[str, Any],
        old: Mapping[str, Any],
        locations: Locations,
        accounts: Accounts | None,
    ) -> Effect:
        arn = _target_arn(request, desired, locations, self._live_state)
        self.arns[arn] = None
        owner = Owner.of(request)
        parts = self.parts(arn)
        steps: list[Step] = []
        ledger, _ = self._handler(request, desired, old, locations, accounts, steps)
        before = ledger.api.read(arn)
        request = self._dated(request, [part for part in parts if part.owner == owner])
        ledger, run = self._handler(request, desired, old, locations, accounts, steps)
        run.run(lambda *_: None)
        return Effect(arn, owner, tuple(steps), before, ledger.api.read(arn), parts, self.parts(arn))

    def _dated(self, request: Request, own: Iterable[Part]) -> Request:
        """Return a request that is newer than the recorded ones of its resource."""
        self._count += 1
        for part in own:
            self._clock.pass_(part.revision.date)
        return request._replace(date=self._clock.time(), request_id=f"plan-{self._count}")

    def _handler(
        self,
        request: Request,
        desired: Mapping[str, Any],
        old: Mapping[str, Any],
        locations: Locations,
        accounts: Accounts | None,
        steps: list[Step],
    ) -> tuple[Ledger, ContributionRequest | OwnerRequest]:
        """Return what executes a request, as the function does, and its ledger. `steps` gets the executed steps."""
        deadline, log = Deadline(_SECONDS, clock=self._clock), logger()
        calls = ApiCalls(_no_client, deadline)
        type_, live_state, store = resource_type(request.resource_type), self._live_state, self._store
        adapter = _Adapter(live_state, locations, request.stack_id, steps, self._clock)
        recorded = RecordedAdapter(adapter, store)
        recorded_type = type_._replace(connect=lambda _calls, _locations: recorded)

        def reconcile(one: Request, properties: Mapping[str, Any]) -> Reconciliation:
            return Reconciliation(one, properties, old, recorded_type, locations, calls, deadline, log)

        elsewhere = partial(_elsewhere, store, type_, locations, live_state, calls, steps, self._clock)
        configurations = ImageBuilderConfigurations(adapter, calls, elsewhere)
        ledger = Ledger(store, configurations, deadline, self._random, log)
        with_sources = as_it_is if accounts is None else partial(_resolved, accounts, request)
        if request.resource_type == CONTRIBUTION:
            return ledger, ContributionRequest(request, desired, old, ledger, with_sources)
        return ledger, OwnerRequest(request, desired, old, type_, locations, recorded, ledger, reconcile, with_sources)


def recorded_accounts(part: Part | None) -> dict[Source, list[str]]:
    """Return the accounts of the sources in an accepted body, as the ledger records them."""
    body = part.accepted_body() if part is not None else None
    if body is None or not body.resolved:
        return {}
    entries = source_entries(body.wanted, distribution_configuration())
    return {Source.of(entry): body.resolved[source_id(entry)] for _, entry in entries}


def _resolved(accounts: Accounts, request: Request, body: Body, part: Part | None) -> Body:
    is_update = request.request_type == "Update"
    return resolved(body, part, lambda _share: accounts, max_removals(), logger(), is_update=is_update)


def _target_arn(request: Request, desired: Mapping[str, Any], locations: Locations, live_state: LiveState) -> str:
    if request.resource_type == CONTRIBUTION:
        return str(desired[TARGET])
    return request.physical_id if request.request_type == "Delete" else live_state.arn(target_of(desired), locations)


def _elsewhere(
    store: Store,
    type_: ResourceType,
    locations: Locations,
    live_state: LiveState,
    calls: ApiCalls,
    steps: list[Step],
    clock: "_SkippingClock",
    arn: str,
) -> Reached | None:
    """Return what reaches a configuration with its owner's role, if the request has no role of its account."""
    try:
        locations.at(arn)
    except ProviderError:
        found = recorded_role(store, arn)
        if found is None:
            return None
        stack_id = found[0].stack_id
        planned = type_._replace(connect=lambda _calls, there: _Adapter(live_state, there, stack_id, steps, clock))
        return reach(store, planned, locations.function, lambda _owner: calls, arn)
    return None


def _no_client(_location: Location, _renew: bool) -> Any:
    raise AssertionError("planned requests make no calls")


class _Adapter:
    """Reads the live configurations with the planned effects, and executes steps on them.

    `stack_id` is that of the stack for which roles are assumed.
    """

    def __init__(
        self,
        live_state: LiveState,
        locations: Locations,
        stack_id: str,
        steps: list[Step],
        clock: "_SkippingClock",
    ) -> None:
        self._live_state, self._locations, self._stack_id = live_state, locations, stack_id
        self._steps, self._clock = steps, clock
        self.not_found: ProviderError | None = None

    def arn(self, target: Target) -> str:
        return self._live_state.arn(target, self._locations)

    def read(self, target: Target) -> Configuration | None:
        before = self._live_state.assume_roles_for(self._stack_id)
        try:
            live = self._live_state.read(target, self._locations)
        finally:
            self._live_state.assume_roles_for(before)
        self._clock.pass_(live.changed_at if live else None)
        return live

    def execute(self, step: Step, token: str) -> WriteResult:
        arn = self._live_state.execute(step, self._locations)
        self._steps.append(step)
        return WriteResult(arn, client_token=token)


class _SkippingClock:
    """Time passes as usual, but waits skip it."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def time(self) -> float:
        return time.time() + self._skipped

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        self._skipped += seconds

    def pass_(self, date: float | None) -> None:
        """Skip the time until this date: a request is newer than what it reads, although clocks differ."""
        if date is not None:
            self._skipped += max(0.0, date + _TICK - self.time())
