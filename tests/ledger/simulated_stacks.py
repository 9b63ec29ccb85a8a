"""Stacks with owners, adopters, and contributions, as CloudFormation deploys them, in the simulated world.

Each resource has one request at a time: a failed Create is deleted, and a failed Update is rolled back. The requests
are those of the provider, from `provider.ledger.entry` on. Their lists may name sources, whose accounts change and
which cannot be read at times.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from provider.arn import Location
from provider.cloudformation.request import Request, RequestType
from provider.errors import ProviderError
from provider.ledger import sources
from provider.ledger.claims import are_equal, claims_of, values_of
from provider.ledger.contributor import ContributionRequest
from provider.ledger.merge import effective, merged
from provider.ledger.participate import as_it_is
from provider.ledger.parts import Body, Part, fingerprint
from provider.ledger.recorded_owner import OwnerRequest
from provider.ledger.removals import held_removals
from provider.ledger.sharing import RecordedAdapter
from provider.ledger.sources import Refresh
from provider.ledger.table import Item
from provider.reconciler.api_calls import ApiCalls
from provider.reconciler.reconcile import Reconciliation
from provider.resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION, resource_type
from provider.resources.locations import Locations
from provider.resources.ownership import Owner, is_shared
from provider.schema.account_sources import Source, source_entries, with_accounts
from provider.schema.model import distribution_configuration
from tests.ledger.bodies import ACCOUNT, ARN
from tests.ledger.simulation import Adapter, Function, World, logger_of, no_client

HERE = Location("aws", "us-east-1", ACCOUNT, is_verified=True)
MAX_REMOVALS = 20.0
FREE_REMOVALS = 5

Properties = Mapping[str, Any]


class Resource:
    """One resource of a stack. `properties` are those of the last request that succeeded.

    `pending` is the request that has no response yet, and `failed` the last one if it was a rollback or a deletion and
    has failed.
    """

    def __init__(self, owner: Owner, *, is_owner: bool) -> None:
        self.owner, self.is_owner = owner, is_owner
        self.physical_id = ""
        self.properties: Properties | None = None
        self.pending: Request | None = None
        self.failed: Request | None = None


class Response(NamedTuple):
    """What a request responded."""

    resource: Resource
    request: Request
    error: ProviderError | None


class Stacks(World):
    """A world with stacks, and with sources whose accounts change. A source without accounts cannot be read."""

    def __init__(self, seed: int, kill: float = 0.0, late: float = 0.0, freeze: float = 0.0) -> None:
        super().__init__(seed, kill, late, freeze)
        self.sources: dict[str, tuple[str, ...]] = {}
        self.unreadable: set[str] = set()
        self.history: dict[str, list[frozenset[str]]] = {}
        self.answers: list[Response] = []
        self.confirming: set[str] = set()
        """The IDs of requests that confirm removals: all but rollbacks."""
        self._count = 0

    # sources

    def put_source(self, name: str, accounts: tuple[str, ...]) -> None:
        """Change the accounts of a parameter."""
        self.sources[name] = accounts
        self.history.setdefault(name, []).append(frozenset(accounts))

    def refresh(self, function: Function) -> Refresh:
        """Return what reads the sources in a sweep."""
        return Refresh(partial(self._accounts, function), MAX_REMOVALS)

    def _accounts(self, function: Function, source: Source) -> tuple[str, ...]:
        function.stop_until(self.now)
        if source.id in self.unreadable:
            raise ProviderError(f"{source} could not be resolved")
        return self.sources[source.id]

    # requests

    def deploy(
        self, resource: Resource, kind: RequestType, properties: Properties, old: Properties | None = None
    ) -> None:
        """Send a request of a resource, and what CloudFormation sends if it fails."""
        self._count += 1
        name = resource.owner.stack_id.split("/")[1]
        request = Request(
            kind,
            resource.owner.stack_id,
            f"{name}-{self._count}",
            resource.owner.logical_id,
            response_url="",
            resource_type=DISTRIBUTION_CONFIGURATION if resource.is_owner else CONTRIBUTION,
            physical_id=resource.physical_id,
            properties=properties,
            old_properties=old or {},
            date=float(int(self.now)),
        )
        if kind == "Create" or properties != resource.properties:
            self.confirming.add(request.request_id)
        resource.pending = request
        self.deliver(resource, request)

    def deliver(self, resource: Resource, request: Request) -> None:
        """Invoke the function with a request, or with a copy. If it is killed, it is invoked again, as Lambda does."""

        def work(function: Function) -> None:
            physical_id, error = self._execute(function, request)
            self.answers.append(Response(resource, request, error))
            if error is None and request.request_type != "Delete":
                self.check_response(request.request_id, literals(request.properties))
            if resource.pending is request:
                self._respond(resource, request, physical_id, error)

        function = self.start(request.request_id, work)
        self.deliveries.append((function, lambda: self.deliver(resource, request)))

    def _respond(self, resource: Resource, request: Request, physical_id: str, error: ProviderError | None) -> None:
        """Do what CloudFormation does after a response."""
        resource.pending = None
        if request.request_type == "Create":
            resource.physical_id = physical_id
        is_rollback = resource.properties in (None, request.properties) or request.request_type == "Delete"
        is_broken = error is not None and is_rollback and request.request_type != "Create"
        resource.failed = request if is_broken else None
        if error is None:
            is_gone = request.request_type == "Delete"
            resource.physical_id = "" if is_gone else resource.physical_id
            resource.properties = None if is_gone else request.properties
        elif request.request_type == "Create":
            self.deploy(resource, "Delete", request.properties)
        elif not is_rollback:
            assert resource.properties is not None
            self.deploy(resource, "Update", resource.properties, request.properties)

    def repair(self, resource: Resource) -> None:
        """Repeat the rollback or the deletion that has failed."""
        assert resource.failed is not None
        if resource.failed.request_type == "Delete":
            self.deploy(resource, "Delete", resource.failed.properties)
        else:
            self.deploy(resource, "Update", resource.failed.properties, resource.failed.old_properties)

    def _execute(self, function: Function, request: Request) -> tuple[str, ProviderError | None]:
        """Execute a request as `provider.provision` does. Returns the physical ID, and why it failed."""
        execution = self._execution(function, request)
        try:
            live, _ = execution.run(lambda *_: None)
        except ProviderError as error:
            execution.clean_up()
            return execution.failure_id(error), error
        return live.arn if live is not None else request.physical_id, None

    def _execution(self, function: Function, request: Request) -> ContributionRequest | OwnerRequest:
        ledger, desired, old = self.ledger(function), request.properties, request.old_properties
        kind, locations = resource_type(request.resource_type), Locations.of(request, desired, old, HERE)
        adapter = RecordedAdapter(Adapter(self, function), ledger.store)
        recorded_type = kind._replace(connect=lambda _calls, _locations: adapter)

        def reconcile(one: Request, properties: Properties) -> Reconciliation:
            calls = ApiCalls(no_client, ledger.deadline)
            return Reconciliation(one, properties, old, recorded_type, locations, calls, ledger.deadline, logger_of())

        def with_sources(body: Body, part: Part | None) -> Body:
            entries = [*source_entries(body.wanted, distribution_configuration())]
            if not entries:
                return as_it_is(body, part)

            def resolve() -> Mapping[Any, tuple[str, ...]]:
                return {path: self._accounts(function, Source.of(entry)) for path, entry in entries}

            is_update = request.request_type == "Update"
            return sources.resolved(body, part, resolve, MAX_REMOVALS, ledger.log, is_update=is_update)

        if request.resource_type == CONTRIBUTION:
            return ContributionRequest(request, desired, old, ledger, with_sources)
        return OwnerRequest(request, desired, old, kind, locations, adapter, ledger, reconcile, with_sources)

    # what must hold

    def check_accepted(self, before: Item, after: Item) -> None:
        """Invariants 5 and 9: only a proposal is accepted; a sweep changes only the accounts of its sources."""
        old, new = (_body(item.get("accepted")) for item in (before, after))
        if new is None or new == old:
            return
        is_proposal = after.get("accepted") == before.get("proposed")
        assert is_proposal or (old is not None and new._replace(resolved=old.resolved, held=old.held) == old)
        for source, accounts in new.resolved.items():
            self._check_source(source, {*accounts}, {*new.held.get(source, ())})
            removed = {*(old.resolved.get(source, ()) if old is not None else ())} - {*accounts}
            is_large = old is not None and len(removed) > max(
                FREE_REMOVALS, len(old.resolved.get(source, ())) * MAX_REMOVALS / 100
            )
            if is_large:
                assert is_proposal, "a sweep has removed too many accounts"
                assert after["request"] in self.confirming, "a rollback has confirmed removals"

    def _check_source(self, source: str, accounts: set[str], held: set[str]) -> None:
        """Invariant 9: what is recorded is a whole list that the source had, and what is held."""
        history = next(lists for name, lists in self.history.items() if name in source)
        assert any(accounts == one | held and held.isdisjoint(one) for one in history), f"{source} never had {accounts}"

    def check_end(self) -> None:
        """Check invariants 2, 4, and 9 once everything is settled."""
        parts, live = self.parts, self.configurations.get(ARN)
        assert not any(part.is_newcomer for part in parts), parts
        counting = effective(parts)
        if live is None:
            assert not counting, f"{[part.owner for part in counting]} have nothing"
        elif counting:
            settled = merged(parts, ACCOUNT)
            assert settled is not None
            assert are_equal(live.content, settled, ACCOUNT), f"live {live.content}, settled {settled}"
            owner = next((part.accepted_body() for part in counting if part.is_owner), None)
            assert owner is not None, "nobody allows the parts"
            assert is_shared(live.tags) == bool(owner.contributions), live.tags
        for part in counting:
            body = part.accepted_body()
            assert body is not None
            for source, accounts in body.resolved.items():
                name = next(name for name in self.sources if name in source)
                held = held_removals(part).get(source, ())
                assert {*accounts} == {*self.sources[name], *held}, "a sweep has not followed a source"

    def check_resource(self, resource: Resource) -> None:
        """Invariant 4: what is recorded of a resource is what its last response said."""
        assert resource.pending is None
        if resource.failed is not None:
            return
        part = next((one for one in self.parts if one.owner == resource.owner), None)
        if resource.properties is None:
            assert part is None or part.accepted is None or part.is_retained, f"{part} has been deleted"
            return
        if ARN not in self.configurations:
            return
        assert part is not None
        body = part.accepted_body()
        assert body is not None
        assert body.properties == fingerprint(resource.properties), f"{resource.owner} has another part"
        if part in effective(self.parts):
            wanted = values_of(claims_of(literals(resource.properties), ACCOUNT))
            assert wanted.items() <= values_of(claims_of(self.live or {}, ACCOUNT)).items()


def literals(properties: Properties) -> dict[str, Any]:
    """Return the content of properties without the accounts of sources."""
    schema = distribution_configuration()
    return with_accounts(properties, schema, {path: () for path, _ in source_entries(properties, schema)})


def _body(packed: object) -> Body | None:
    return Body.unpack(packed) if isinstance(packed, bytes) else None
