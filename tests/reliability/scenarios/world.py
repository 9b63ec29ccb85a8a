"""The account: Image Builder, the bucket for responses, the provider, and one clock for all."""

from __future__ import annotations

import logging
import os
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Final, Self
from unittest import mock

import botocore.session
from botocore.exceptions import ClientError

from provider.emulator.emulator import Emulator
from tests.reliability.scenarios.bucket import Bucket, Mailbox
from tests.reliability.scenarios.clock import SharedClock
from tests.reliability.scenarios.deliveries import Delivery, Lambda, Sent, When
from tests.reliability.scenarios.facts import OWNERSHIP_TAGS, ROLE, arn_of, short, target_of
from tests.reliability.scenarios.fork_server import ForkServer
from tests.reliability.scenarios.oracle import ALLOWANCE, Oracle

_START: Final = 1_800_000_000.0
_CALL_SECONDS: Final = 0.05
_BETWEEN_SCENARIOS: Final = 1_000_000.0
_JOIN_SECONDS: Final = 60.0
_MOMENT: Final = 0.001
_THEIRS: Final = ({"region": "us-east-1", "amiDistributionConfiguration": {"name": "x {{ imagebuilder:buildDate }}"}},)


class KilledError(ConnectionAbortedError):
    """The caller was killed: its call has no effect or no response."""


class Machinery:
    """The parts that start slowly and that all scenarios share: servers, and a process to fork."""

    def __init__(self) -> None:
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        file = self._exits.enter_context(tempfile.TemporaryFile())
        file.truncate(8)
        self.clock = SharedClock(file.fileno())
        self.clock.set(_START)
        self.emulator = self._exits.enter_context(Emulator(clock=self.clock.time))
        self.bucket = self._exits.enter_context(Bucket())
        environment = {
            **self.emulator.environment(),
            "AWS_MAX_ATTEMPTS": "1",
            "LOG_LEVEL": "CRITICAL",
            "ASSUMABLE_ROLE_ARNS": ROLE,
        }
        self._exits.enter_context(mock.patch.dict(os.environ, environment))
        self.fork_server = self._exits.enter_context(ForkServer(file.fileno(), environment))
        session = botocore.session.Session()
        self.people: Any = session.create_client("imagebuilder", region_name="us-east-1")
        self._exits.callback(self.people.close)
        logging.disable(logging.CRITICAL)
        self._exits.callback(logging.disable, logging.NOTSET)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()


class World:
    """One scenario's world."""

    def __init__(self, machinery: Machinery, seed: int) -> None:
        self.seed = seed
        self.clock, self.emulator, self._people = machinery.clock, machinery.emulator, machinery.people
        self.bucket, self.fork_server = machinery.bucket, machinery.fork_server
        self.log: list[str] = []
        self.history: list[Sent] = []
        self.running: Delivery | None = None
        self.lag = 0.0
        self.disturb: Callable[[str, Sent], Callable[[], None]]
        self.tokens_forgotten_at = 0.0
        self._concurrent: _Concurrent | None = None
        self._deliveries = 0
        self._pipelines: set[str] = set()
        self._started = self._reset_time()
        self.oracle = Oracle(self)
        self.deliveries = Lambda(self)
        self.emulator.interruption = self._on_call
        self.bucket.on_put = self._on_put
        self.clock.on_sleep = self._on_sleep
        random.seed(seed)

    def close(self) -> None:
        """Reset the machinery."""
        self.emulator.interruption = self.bucket.on_put = self.clock.on_sleep = None
        self.clear_faults()
        for arn in self.configurations:
            self.emulator.remove(arn)
        self.emulator.forget_tokens()
        self.bucket.clear()

    @property
    def configurations(self) -> dict[str, dict[str, Any]]:
        """The existing configurations."""
        return self.emulator.configurations

    def note(self, line: str) -> None:
        """Add a line to the scenario's report."""
        self.log.append(f"{self.clock.time() - self._started:10.2f}  {line}")

    def request(self, event: dict[str, Any]) -> Sent:
        """A request that CloudFormation makes now."""
        number = len(self.history) + 1
        date = self.clock.time()
        mailbox = self.bucket.open(number, date)
        event |= {"RequestId": f"{self.seed:08x}-0000-4000-8000-{number:012x}", "ResponseURL": mailbox.url}
        sent = Sent(number, event, date, mailbox)
        self.history.append(sent)
        return sent

    def use_by_pipeline(self, arn: str) -> None:
        """Let a pipeline use a configuration, which then cannot be deleted."""
        self._pipelines.add(arn)
        self.emulator.seed_pipeline(f"uses-{arn.rpartition('/')[2]}", arn)

    def is_used(self, arn: str) -> bool:
        """Whether a pipeline uses the configuration."""
        return arn in self._pipelines

    def record_violation(self, problem: str) -> None:
        """Record a violation that CloudFormation notices."""
        self.note(f"*** {problem}")
        self.oracle.violations.append(problem)

    def create_by_hand(self, name: str, tags: Mapping[str, str]) -> None:
        """Another person creates a configuration."""
        self.note(f"    another person creates {name}, tagged {dict(tags)}")
        self.emulator.seed(name=name, description="theirs", distributions=_THEIRS, tags=tags)
        self.oracle.other_person_created(arn_of(name))

    def remove_by_hand(self, arn: str) -> None:
        """Another person deletes a configuration."""
        self.note(f"    another person deletes {short(arn)}")
        self.clock.advance(_MOMENT)
        self.emulator.remove(arn)
        self.oracle.other_person_deleted(arn)

    def edit_by_hand(self, arn: str, what: str) -> None:
        """Another person changes a configuration's content, adds a tag, or removes the ownership tags."""
        self.note(f"    another person edits the {what} of {short(arn)}")
        self.clock.advance(_MOMENT)
        running, self.running = self.running, None
        try:
            self._edit(arn, what)
        except ClientError as error:
            self.note(f"    which fails: {error}")  # it met a fault that was meant for the provider
            return
        finally:
            self.running = running
        self.oracle.other_person_changed(arn)

    def _edit(self, arn: str, what: str) -> None:
        if what == "content":
            self._people.update_distribution_configuration(
                distributionConfigurationArn=arn, description="edited", distributions=_THEIRS
            )
        elif what == "tags":
            self._people.tag_resource(resourceArn=arn, tags={"other-hand": "people's"})
        else:
            self._people.untag_resource(resourceArn=arn, tagKeys=list(OWNERSHIP_TAGS))

    def is_ambiguous(self, sent: Sent) -> bool:
        """Whether only a forgotten token could have shown that this is a copy: dates within the allowance do not."""
        arns = {target_of(sent.properties), sent.physical_id}
        records = [record for arn, record in self.oracle.records.items() if arn in arns]
        known = any(record.writer != sent.number and record.written > sent.date + ALLOWANCE for record in records)
        return self.tokens_forgotten_at > sent.date and not known

    def _caller(self) -> tuple[str, str]:
        """The Region and the account of the current call."""
        request = self.emulator.requests[-1]
        return request.region, request.account

    def clear_faults(self) -> None:
        """End all faults, and make the pipelines use nothing."""
        self.clear_api_faults()
        for arn in self._pipelines:
            prefix, _, name = arn.rpartition("/")
            self.emulator.seed_pipeline(f"uses-{name}", f"{prefix}/unused")
        self._pipelines.clear()

    def clear_api_faults(self) -> None:
        """End all faults of the API."""
        self.emulator.reset_faults()
        self.lag_reads(0)

    def lag_reads(self, seconds: float) -> None:
        """Let reads show writes late."""
        self.lag = seconds
        self.emulator.lag_reads(seconds)

    def forget_tokens(self) -> None:
        """Let Image Builder forget its client tokens."""
        self.emulator.forget_tokens()
        self.tokens_forgotten_at = self.clock.time()

    def kill(self) -> None:
        """Kill the process that makes the current call."""
        self.fork_server.kill()
        raise KilledError

    @contextmanager
    def delivering(self, delivery: Delivery) -> Iterator[None]:
        """Let a delivery run, and with it those that interrupt it."""
        outer, self.running = self.running, delivery
        delivery.sent.deliveries += 1
        self._deliveries += 1
        delivery.number, delivery.started = self._deliveries, self.clock.time()
        delivery.found = self.configurations
        try:
            yield
        finally:
            for companion in delivery.companions:
                companion.finish()
            self.running = outer
        if delivery.error:
            raise delivery.error

    def meanwhile(self, work: Callable[[], None]) -> None:
        """In the middle of a call, do something else until it is done or sleeps; the rest follows the delivery."""
        delivery = self.running
        assert delivery
        companion = _Concurrent(self, work)
        delivery.companions.append(companion)
        self._concurrent = companion
        companion.start()
        self._concurrent = None
        self.running = delivery

    def _on_call(self, operation: str, parameters: Mapping[str, Any], when: When) -> None:
        delivery = self.running
        if delivery is None:
            return
        if when == "before":
            self.clock.advance(_CALL_SECONDS)
            delivery.calls += 1
            delivery.called = self.clock.time()
            delivery.place = self._caller()
        else:
            self.oracle.after_call(delivery, operation, parameters)
        arn = parameters.get("distributionConfigurationArn") or parameters.get("resourceArn") or parameters.get("name")
        self._act(delivery, when, f"{operation} {short(str(arn or ''))}")
        if when == "before":
            self.oracle.before_call(delivery, operation, parameters)

    def _on_put(self, mailbox: Mailbox, body: bytes, when: str) -> None:
        delivery = self.running
        assert delivery, "a response came while no delivery ran"
        if when == "before":
            delivery.calls += 1
            self._act(delivery, "before", "PUT")
            self.oracle.response(delivery, mailbox, body)
            delivery.bodies.append(body)
        else:
            self._act(delivery, "after", "PUT")

    def _act(self, delivery: Delivery, when: When, doing: str) -> None:
        if not delivery.action or delivery.moment != (delivery.calls, when):
            return
        action, delivery.action = delivery.action, None
        self.note(f"    {when} call {delivery.calls} of #{delivery.sent.number} ({doing}):")
        try:
            action()
        except KilledError:
            raise
        except Exception as error:  # noqa: BLE001 - in a server's thread, nobody would see it
            delivery.error = error

    def _on_sleep(self) -> None:
        if self._concurrent:
            self._concurrent.pause()

    def _reset_time(self) -> float:
        now = (self.clock.time() // 1.0) + _BETWEEN_SCENARIOS
        self.clock.set(now)
        return now


class _Concurrent:
    """Work that runs in the middle of a delivery's call, until its first sleep, and again once the delivery is over."""

    def __init__(self, world: World, work: Callable[[], None]) -> None:
        self._world = world
        self._error: BaseException | None = None
        self._paused = threading.Event()
        self._resumed = threading.Event()
        self._running: Delivery | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)

    def start(self) -> None:
        """Run until the work is done or sleeps."""
        self._thread.start()
        assert self._paused.wait(_JOIN_SECONDS), "concurrent work hangs"

    def pause(self) -> None:
        """Wait, in the thread that sleeps, for the delivery to end."""
        if not self._paused.is_set():
            self._running = self._world.running
            self._paused.set()
            assert self._resumed.wait(_JOIN_SECONDS), "a delivery hangs"
            self._world.running = self._running

    def finish(self) -> None:
        """Run to the end."""
        self._resumed.set()
        self._thread.join(_JOIN_SECONDS)
        assert not self._thread.is_alive(), "concurrent work hangs"
        if self._error:
            raise self._error

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again where the work is waited for
            self._error = error
        finally:
            self._paused.set()
