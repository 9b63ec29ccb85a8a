"""Several functions in one process, one table, and one API, all simulated: a seed decides who makes the next call.

A function can be killed or frozen at any call, and a write can take effect long after its function stopped waiting for
it. Each function is a thread, but only one runs at a time. Time is simulated, too. Only the table and the API are
simulated; the rest is the provider's code.

The world checks at each write of the table what must hold at any moment (`_Table`), and at each response that a read
has shown its content (`check_response`). `check_end` checks what must hold once everything is settled.
"""

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NoReturn, TypeVar

from provider.arn import Location
from provider.cloudformation.deadline import Deadline
from provider.errors import Outcome, ProviderError
from provider.ledger.claims import Content, are_equal, claims_of, values_of
from provider.ledger.combine import Ledger
from provider.ledger.configurations import ImageBuilderConfigurations
from provider.ledger.merge import effective, merged
from provider.ledger.participate import participate
from provider.ledger.parts import Body, Event, Part
from provider.ledger.sources import Refresh
from provider.ledger.store import Store
from provider.ledger.sweep import DriftMode, Sweep, Swept
from provider.ledger.table import Item, Key, Write
from provider.observability import Logger, logger
from provider.plan import (
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    PutTags,
    RemoveTags,
    Step,
    Target,
    UpdateConfiguration,
    WriteResult,
)
from provider.reconciler.api_calls import ApiCalls
from tests.ledger.bodies import ACCOUNT, ARN
from tests.ledger.memory import MemoryTable

Kind = Literal["Create", "Update", "Delete"]
_Result = TypeVar("_Result")

SECONDS = 120.0
"""The time of one invocation."""
BAD = "lt-bad00000000000000"
"""Image Builder rejects each content with this launch template."""


class Killed(BaseException):
    """The function's process is killed."""


class Function:
    """One invocation. `work` runs in a thread that stops before each call until the world resumes it."""

    def __init__(self, world: "World", name: str, work: Callable[["Function"], object]) -> None:
        self.name, self.wake = name, world.now
        self.result: object = None
        self.error: ProviderError | None = None
        self.is_killed = self.is_done = False
        self._resumed, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._failure: BaseException | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def stop_until(self, wake: float) -> None:
        """Stop until the world resumes this function, not before `wake`."""
        self.wake = wake
        self._stopped.release()
        self._resumed.acquire()
        if self.is_killed:
            raise Killed

    def resume(self) -> None:
        """Run until the next call, or to the end."""
        self._resumed.release()
        self._stopped.acquire()
        if self.is_done:
            self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self.stop_until(self.wake)
            self.result = self._work(self)
        except ProviderError as error:
            self.error = error
        except Killed:
            pass
        except BaseException as failure:  # noqa: BLE001 - the test's thread raises it
            self._failure = failure
        self.is_done = True
        self._stopped.release()


class World:
    """The table, the API, the time, and the functions that run."""

    def __init__(self, seed: int, kill: float = 0.0, late: float = 0.0, freeze: float = 0.0) -> None:
        self.random = random.Random(seed)
        self.now = 1000.0
        self.table = MemoryTable()
        self.configurations: dict[str, Configuration] = {}
        self.reads: list[tuple[float, Content]] = []
        self.writes: list[tuple[str, Content]] = []
        self.running: list[Function] = []
        self.delayed: list[tuple[float, str, Content]] = []
        self.sent: dict[str, float] = {}
        """When each request was sent first, by its ID."""
        self.responses: list[tuple[Event, Body | None, Part | ProviderError]] = []
        self.deliveries: list[tuple[Function, Callable[[], object]]] = []
        self._kill, self._late, self._freeze = kill, late, freeze
        self._tokens: dict[str, Content] = {}

    @property
    def live(self) -> dict[str, Any] | None:
        """The content of the configuration; None if it does not exist."""
        found = self.configurations.get(ARN)
        return dict(found.content) if found is not None else None

    @live.setter
    def live(self, content: Content | None) -> None:
        if content is None:
            self.configurations.pop(ARN, None)
        else:
            before = self.configurations.get(ARN, Configuration(ARN, "golden", {}, {}, self.now))
            self.configurations[ARN] = before._replace(content=content, changed_at=self.now)

    # functions

    def start(self, name: str, work: Callable[[Function], object]) -> Function:
        """Start a function. `name` is the ID of its request."""
        self.sent.setdefault(name, self.now)
        function = Function(self, name, work)
        self.running.append(function)
        return function

    def send(self, event: Event, body: Body | None) -> Function:
        """Invoke the function with an event. If it is killed, it is invoked again, as Lambda does."""

        def work(function: Function) -> None:
            try:
                result: Part | ProviderError = participate(self.ledger(function), ARN, event, body)
            except ProviderError as error:
                result = error
            self.responses.append((event, body, result))
            if body is not None and not isinstance(result, ProviderError):
                self.check_response(event.revision.request_id, body.content)

        function = self.start(event.revision.request_id, work)
        self.deliveries.append((function, lambda: self.send(event, body)))
        return function

    def sweep(self, drift: DriftMode = DriftMode.REPORT) -> list[Swept]:
        """Run a sweep to its end, while nothing else runs."""
        found: list[Swept] = []
        function = self.start("sweep", lambda one: found.extend(self.sweep_of(one, drift).run()))
        while not function.is_done:
            self._resume(function)
        self.running.remove(function)
        assert function.error is None
        return found

    def sweep_of(self, function: Function, drift: DriftMode = DriftMode.REPORT) -> Sweep:
        """Return a sweep that a function runs."""
        ledger = self.ledger(function)
        return Sweep(ledger, drift, self.api(function, ledger.deadline).delete, self.refresh(function))

    def refresh(self, function: Function) -> Refresh | None:
        """Return what reads the sources in a sweep; None in a world without sources."""
        return None

    def ledger(self, function: Function) -> Ledger:
        """Return what the algorithm needs in a function."""
        deadline = Deadline(SECONDS, clock=_Clock(self, function))
        store = Store(_Table(self, function), deadline.now)
        return Ledger(store, self.api(function, deadline), deadline, self.random, logger_of())

    def api(self, function: Function, deadline: Deadline) -> "_Api":
        """Return how a function reads and writes configurations."""
        return _Api(Adapter(self, function), ApiCalls(no_client, deadline))

    def run(self) -> None:
        """Run all functions to their ends."""
        while self.running:
            self.step()

    def step(self) -> None:
        """Let one function make its next call, or kill it."""
        ready = [function for function in self.running if function.wake <= self.now]
        if not ready:
            self.now = min(function.wake for function in self.running)
            return
        function = self.random.choice(ready)
        if self.random.random() < self._freeze:
            function.wake = self.now + self.random.uniform(0.0, 80.0)
            return
        if self.random.random() < self._kill:
            function.is_killed = True
        self._resume(function)
        if function.is_done:
            self.running.remove(function)

    def _resume(self, function: Function) -> None:
        self.now = max(self.now, function.wake) + self.random.uniform(0.001, 0.05)
        self.apply_late_writes()
        function.resume()

    def deliver_again(self) -> None:
        """Invoke the killed functions again."""
        killed = [send for function, send in self.deliveries if function.is_killed]
        self.deliveries = [one for one in self.deliveries if not one[0].is_killed]
        for send in killed:
            send()

    def stop_faults(self) -> None:
        """Stop killing and freezing functions, and delaying writes."""
        self._kill = self._freeze = self._late = 0.0

    def settle_down(self) -> None:
        """Let all leases expire and all late writes take effect."""
        self.now = max([self.now, *(moment for moment, _, _ in self.delayed)]) + 3700.0
        self.apply_late_writes()

    # the API

    def apply_late_writes(self) -> None:
        """Let the writes take effect whose time has come."""
        due = sorted((one for one in self.delayed if one[0] <= self.now), key=lambda one: one[0])
        self.delayed = [one for one in self.delayed if one[0] > self.now]
        for _, arn, content in due:
            self._replace_content(arn, content)

    def create(self, step: CreateConfiguration, token: str) -> WriteResult:
        """Create a configuration."""
        arn = arn_of(step.name)
        if self._is_replayed(step.content, token):
            return WriteResult(arn, "call", token)
        if arn in self.configurations:
            raise ProviderError(f"{arn} already exists", outcome=Outcome.EXISTS)
        self._remember(step.content, token)
        self.configurations[arn] = Configuration(arn, step.name, step.content, step.tags, self.now, self.now)
        return WriteResult(arn, "call", token)

    def update(self, step: UpdateConfiguration, token: str) -> WriteResult:
        """Replace the content, at once or late."""
        if step.arn not in self.configurations:
            raise ProviderError(f"{step.arn} does not exist", outcome=Outcome.NOT_FOUND)
        if self._is_replayed(step.content, token):
            return WriteResult(step.arn, "call", token)
        self._remember(step.content, token)
        if self.random.random() < self._late:
            self.delayed.append((self.now + self.random.uniform(0.0, 100.0), step.arn, step.content))
            if self.random.random() < 0.8:
                raise ProviderError("no usable response", outcome=Outcome.UNKNOWN)
        else:
            self._replace_content(step.arn, step.content)
        return WriteResult(step.arn, "call", token)

    def tag(self, step: PutTags | RemoveTags) -> None:
        """Set or remove tags."""
        if step.arn not in self.configurations:
            raise ProviderError(f"{step.arn} does not exist", outcome=Outcome.NOT_FOUND)
        before = self.configurations[step.arn]
        put = step.tags if isinstance(step, PutTags) else {}
        removed = step.keys if isinstance(step, RemoveTags) else ()
        tags = {key: value for key, value in {**before.tags, **put}.items() if key not in removed}
        self.configurations[step.arn] = before._replace(tags=tags)

    def _replace_content(self, arn: str, content: Content) -> None:
        if arn in self.configurations:
            self.configurations[arn] = self.configurations[arn]._replace(content=content, changed_at=self.now)

    def _is_replayed(self, content: Content, token: str) -> bool:
        """Return whether the service replays a response, because it knows the token."""
        if BAD in str(content):
            raise ProviderError(f"the launch template {BAD} does not exist", code="InvalidParameterValueException")
        if token in self._tokens and self._tokens[token] != content:
            raise ProviderError("the token was used with other content", outcome=Outcome.TOKEN_REUSED)
        return token in self._tokens

    def _remember(self, content: Content, token: str) -> None:
        self._tokens[token] = content
        self.writes.append((token, content))

    # what must hold

    @property
    def parts(self) -> list[Part]:
        """All records."""
        return Store(self.table, lambda: self.now).parts(ARN)

    @property
    def settled(self) -> Mapping[str, Any] | None:
        """The merge of what is accepted."""
        return merged(self.parts, ACCOUNT)

    def check_response(self, request_id: str, wanted: Content) -> None:
        """Invariant 1: SUCCESS is sent only after a read showed the request's content."""
        expected = values_of(claims_of(wanted, ACCOUNT))
        sent = self.sent[request_id]
        shown = (values_of(claims_of(content, ACCOUNT)) for moment, content in self.reads if moment >= sent)
        assert any(expected.items() <= one.items() for one in shown), f"no read showed the content of {request_id}"

    def check_accepted(self, before: Item, after: Item) -> None:
        """Invariant 5: a settlement accepts what was proposed, or keeps or withdraws what was accepted."""
        if after.get("accepted") not in (None, before.get("accepted")):
            assert after["accepted"] == before.get("proposed")

    def check_settlement(self) -> None:
        """Invariant 3: the merge has all that is accepted, whatever has been accepted since."""
        parts = self.parts
        content = merged(parts, ACCOUNT)
        for part in effective(parts):
            body = part.accepted_body()
            assert body is not None
            claims = claims_of(body.content, ACCOUNT)
            own = {path: claim.value for path, claim in claims.items() if not claim.is_implied}
            assert own.items() <= values_of(claims_of(content or {}, ACCOUNT)).items(), f"{part.owner} has lost"

    def check_end(self) -> None:
        """Check invariants 2 to 4 once everything is settled."""
        assert self.live is not None
        settled = self.settled
        assert settled is not None
        assert are_equal(self.live, settled, ACCOUNT), f"live {self.live}, settled {settled}"
        assert not any(part.is_newcomer for part in self.parts)
        records = {part.owner: part for part in self.parts}
        for event, body, result in self.responses:
            part = records.get(event.owner)
            if isinstance(result, ProviderError) or part is None or part.revision != event.revision:
                continue
            accepted = part.accepted_body()
            assert (accepted.content if accepted else None) == (body.content if body else None), f"{event}: {part}"


class _Clock:
    def __init__(self, world: World, function: Function) -> None:
        self._world, self._function = world, function

    def time(self) -> float:
        return self._world.now

    def monotonic(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._function.stop_until(self._world.now + seconds)


class _Table:
    """The table as a function sees it: each call is a moment at which another function may run."""

    def __init__(self, world: World, function: Function) -> None:
        self._world, self._function = world, function

    def get(self, key: Key) -> Item | None:
        return self._then(lambda: self._world.table.get(key))

    def query(self, partition: str) -> Iterator[Item]:
        return self._then(lambda: self._world.table.query(partition))

    def scan(self, attributes: Sequence[str]) -> Iterator[Item]:
        return self._then(lambda: self._world.table.scan(attributes))

    def write(self, write: Write) -> bool:
        self._function.stop_until(self._world.now)
        before = dict(self._world.table.items.get(write.key, {}))
        is_written = self._world.table.write(write)
        if is_written:
            # Invariant 5: a request without the lease only proposes.
            assert "accepted" not in write.changes, "a body was accepted without the lease"
            self._check_order(before, write)
        return is_written

    def transact(self, writes: Sequence[Write]) -> frozenset[int]:
        self._function.stop_until(self._world.now)
        before = {write.key: dict(self._world.table.items.get(write.key, {})) for write in writes}
        failed = self._world.table.transact(writes)
        if not failed:
            # Invariant 5: only the current epoch's holder settles parts.
            lease = before[writes[0].key]
            assert lease["epoch"] == writes[0].expected.get("epoch")
            assert lease["holder"] == writes[0].expected.get("holder")
            for write in writes[1:]:
                self._check_order(before[write.key], write)
                self._world.check_accepted(before[write.key], self._world.table.items[write.key])
            self._world.check_settlement()
        return failed

    def _check_order(self, before: Item, write: Write) -> None:
        """Invariant 6: an older event never replaces a newer part."""
        after = self._world.table.items[write.key]
        if "date" not in before:
            return
        assert after["date"] >= before["date"]  # type: ignore[operator]  # both are numbers
        if after["date"] == before["date"] and after["request"] != before["request"]:
            assert after["request"] not in json.loads(str(before["seen"])), "a copy has replaced another request"
            assert after.get("deletion") or not before.get("deletion"), "a Delete has lost"

    def _then(self, call: Callable[[], _Result]) -> _Result:
        self._function.stop_until(self._world.now)
        return call()


class Adapter:
    """The API as a function sees it: each call is a moment at which another function may run."""

    def __init__(self, world: World, function: Function) -> None:
        self.not_found: ProviderError | None = None
        self._world, self._function = world, function

    def arn(self, target: Target) -> str:
        return target if isinstance(target, str) else arn_of(target.name)

    def read(self, target: Target) -> Configuration | None:
        self._function.stop_until(self._world.now)
        found = self._world.configurations.get(self.arn(target))
        if found is not None:
            self._world.reads.append((self._world.now, found.content))
        return found

    def execute(self, step: Step, token: str) -> WriteResult:
        self._function.stop_until(self._world.now)
        if isinstance(step, CreateConfiguration):
            return self._world.create(step, token)
        if isinstance(step, UpdateConfiguration):
            return self._world.update(step, token)
        if isinstance(step, DeleteConfiguration):
            self._world.configurations.pop(step.arn, None)
        else:
            self._world.tag(step)
        return WriteResult(step.arn, "call", token)


class _Api(ImageBuilderConfigurations):
    def update(self, step: UpdateConfiguration, token: str, seconds: float) -> WriteResult:
        if seconds <= 0:
            raise ProviderError("no time left", outcome=Outcome.OUT_OF_TIME)
        return super().update(step, token, seconds)


def arn_of(name: str) -> str:
    """Return the ARN of a configuration."""
    return ARN.replace("golden", name)


def no_client(_location: Location, _renew: bool) -> NoReturn:
    """Fail: no client is needed."""
    raise AssertionError("no client is needed")


def logger_of() -> Logger:
    """Return a logger that prints nothing."""
    log = logger()
    log.setLevel("CRITICAL")
    return log
