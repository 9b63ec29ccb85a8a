"""Several functions in one process, one table, and one API, all simulated: a seed decides who makes the next call.

A function can be killed or frozen at any call, and a write can take effect long after its function stopped waiting for
it. Each function is a thread, but only one runs at a time. Time is simulated, too.
"""

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar

from provider.cloudformation.deadline import Deadline
from provider.errors import Outcome, ProviderError
from provider.ledger.claims import are_equal, claims_of, values_of
from provider.ledger.combine import Ledger
from provider.ledger.merge import merged
from provider.ledger.participate import participate
from provider.ledger.parts import Body, Event, Part
from provider.ledger.store import Store
from provider.ledger.sweep import DriftMode, Sweep, Swept
from provider.ledger.table import Item, Key, Write
from provider.observability import Logger, logger
from provider.plan import Configuration, UpdateConfiguration, WriteResult
from provider.resources.ownership import Owner
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
        self.live: dict[str, Any] | None = None
        self.reads: list[tuple[float, Mapping[str, Any]]] = []
        self.writes: list[tuple[str, Mapping[str, Any]]] = []
        self.running: list[Function] = []
        self.delayed: list[tuple[float, dict[str, Any]]] = []
        self.responses: list[tuple[Event, Body | None, Part | ProviderError]] = []
        self.killed: list[Callable[[], object]] = []
        self._kill, self._late, self._freeze = kill, late, freeze
        self._tokens: set[str] = set()

    # functions

    def start(self, name: str, work: Callable[[Function], object]) -> Function:
        """Start a function."""
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
            self.check_response(event, body, result)

        function = self.start(event.revision.request_id, work)
        self.killed.append(lambda: self.send(event, body) if function.is_killed else None)
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
        return Sweep(self.ledger(function), drift, self.delete)

    def ledger(self, function: Function) -> Ledger:
        """Return what the algorithm needs in a function."""
        clock = _Clock(self, function)
        deadline = Deadline(SECONDS, clock=clock)
        store = Store(_Table(self, function), deadline.now)
        return Ledger(store, _Api(self, function), deadline, self.random, logger_of())

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
        again, self.killed = self.killed, []
        self.stop_faults()
        for send in again:
            send()

    def stop_faults(self) -> None:
        """Stop killing and freezing functions, and delaying writes."""
        self._kill = self._freeze = self._late = 0.0

    def settle_down(self) -> None:
        """Let all leases expire and all late writes take effect."""
        self.now = max([self.now, *(moment for moment, _ in self.delayed)]) + 3700.0
        self.apply_late_writes()

    # the API

    def apply_late_writes(self) -> None:
        """Let the writes take effect whose time has come."""
        due = [content for moment, content in sorted(self.delayed, key=lambda one: one[0]) if moment <= self.now]
        self.delayed = [one for one in self.delayed if one[0] > self.now]
        for content in due:
            self.live = content if self.live is not None else None

    def update(self, content: dict[str, Any], token: str) -> None:
        """Replace the content, at once or late."""
        if BAD in str(content):
            raise ProviderError(f"the launch template {BAD} does not exist", code="InvalidParameterValueException")
        self.writes.append((token, content))
        if token in self._tokens:
            return  # a replayed response
        self._tokens.add(token)
        if self.random.random() < self._late:
            self.delayed.append((self.now + self.random.uniform(0.0, 100.0), content))
            if self.random.random() < 0.8:
                raise ProviderError("no usable response", outcome=Outcome.UNKNOWN)
        else:
            self.live = content

    def delete(self, arn: str) -> None:
        """Delete the configuration."""
        self.live = None

    # what must hold

    @property
    def parts(self) -> list[Part]:
        """All records."""
        return Store(self.table, lambda: self.now).parts(ARN)

    @property
    def settled(self) -> Mapping[str, Any] | None:
        """The merge of what is accepted."""
        return merged(self.parts, ACCOUNT)

    def check_response(self, event: Event, body: Body | None, result: Part | ProviderError) -> None:
        """Invariant 1: SUCCESS is sent only after a read showed the part's content, or without it for a Delete."""
        if isinstance(result, ProviderError) or body is None:
            return
        wanted = values_of(claims_of(body.content, ACCOUNT))
        shown = (values_of(claims_of(content, ACCOUNT)) for moment, content in self.reads if moment >= 1000.0)
        assert any(wanted.items() <= one.items() for one in shown), f"{event} succeeded, but no read showed its content"

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
        before = self._world.table.items.get(write.key, {}).get("date", 0.0)
        is_written = self._then(lambda: self._world.table.write(write))
        if is_written and "date" in write.changes:
            # Invariant 6: an older event never replaces a newer part.
            assert write.changes["date"] is not None
            assert write.changes["date"] >= before  # type: ignore[operator]  # both are numbers
        return is_written

    def transact(self, writes: Sequence[Write]) -> frozenset[int]:
        failed = self._then(lambda: self._world.table.transact(writes))
        if not failed:
            # Invariant 5: only the current epoch's holder settles parts.
            assert self._world.table.items[writes[0].key]["epoch"] == writes[0].expected.get("epoch")
        return failed

    def _then(self, call: Callable[[], _Result]) -> _Result:
        self._function.stop_until(self._world.now)
        return call()


class _Api:
    def __init__(self, world: World, function: Function) -> None:
        self._world, self._function = world, function

    def read(self, arn: str) -> Configuration | None:
        self._function.stop_until(self._world.now)
        live = self._world.live
        if live is None:
            return None
        self._world.reads.append((self._world.now, live))
        return Configuration(arn, "golden", live, {})

    def update(self, step: UpdateConfiguration, token: str, seconds: float) -> WriteResult:
        self._function.stop_until(self._world.now)
        assert seconds > 0
        self._world.update(dict(step.content), token)
        return WriteResult(step.arn, "call", token)

    def mark(self, arn: str, owner: Owner | None) -> None:
        self._function.stop_until(self._world.now)


def logger_of() -> Logger:
    """Return a logger that prints nothing."""
    log = logger()
    log.setLevel("CRITICAL")
    return log
