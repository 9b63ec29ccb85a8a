"""Lambda, which delivers each event at least once: with faults, kills, retries, duplicates, and interruptions."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from provider import last_resort
from provider.cloudformation.delivery import Undelivered
from provider.emulator.faults import Fault
from provider.handler import respond
from tests.reliability.scenarios.facts import Properties, short

if TYPE_CHECKING:
    from tests.reliability.scenarios.bucket import Mailbox
    from tests.reliability.scenarios.clock import SharedClock
    from tests.reliability.scenarios.world import World

When = Literal["before", "after"]
Moment = tuple[int, When]
RequestType = Literal["Create", "Update", "Delete"]
RETRY_SECONDS: Final = (60.0, 120.0)
SERVICE_TIMEOUT: Final = 3600.0
_ALL: Final = 1_000_000


class Context:
    """Lambda's context for one invocation."""

    aws_request_id = "5e0b0c7e-3d5b-4b0e-9d3c-000000000001"
    log_group_name = "/aws/lambda/provider"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"

    def __init__(self, clock: SharedClock, milliseconds: int) -> None:
        self._clock = clock
        self._end = clock.time() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return int((self._end - self._clock.time()) * 1000)


class ApiFaults(NamedTuple):
    """Faults of the API: `times` calls of `operation` fail, after they took effect if `after`."""

    operation: str
    fault: Fault
    times: int = 1
    after: bool = False

    def __str__(self) -> str:
        """Show it in a step list."""
        return f"{self.fault.name} x{self.times} {'after' if self.after else 'before'} {self.operation}"


class RequestFaults(NamedTuple):
    """The faults of one request.

    `kills` are the moments at which its deliveries are killed, one each. `interruption` names what happens at the
    moment `at` of the first delivery. All PUTs of the first `rejected_deliveries` deliveries are rejected. If no
    delivery succeeds, the last-resort function responds unless `last_resort_fails`. A `lost` event is delivered only by
    a later step. Reads show writes only after `lag` seconds.
    """

    api_faults: tuple[ApiFaults, ...] = ()
    kills: tuple[Moment, ...] = ()
    interruption: str = ""
    at: Moment = (1, "before")
    rejected_deliveries: int = 0
    last_resort_fails: bool = False
    lost: bool = False
    lag: float = 0.0
    milliseconds: int = 120_000

    def __str__(self) -> str:
        """Show it in a step list."""
        parts = [str(faults) for faults in self.api_faults]
        parts += [f"killed {when} call {call}" for call, when in self.kills]
        parts += [f"{self.interruption} {self.at[1]} call {self.at[0]}"] if self.interruption else []
        parts += [f"{self.rejected_deliveries} deliveries rejected"] if self.rejected_deliveries else []
        parts += ["no last resort"] if self.last_resort_fails else []
        parts += ["lost"] if self.lost else []
        parts += [f"reads lag {self.lag} s"] if self.lag else []
        parts += [f"{self.milliseconds} ms"] if self.milliseconds != RequestFaults().milliseconds else []
        return ", ".join(parts)


class Response(NamedTuple):
    """A response as CloudFormation reads it."""

    succeeded: bool
    physical_id: str
    reason: str


@dataclass
class Sent:
    """A request that CloudFormation made. `open` while it waits for the response."""

    number: int
    event: dict[str, Any]
    date: float
    mailbox: Mailbox
    open: bool = True
    deliveries: int = 0
    first_success: str = ""
    last_resort: bool = False

    @property
    def kind(self) -> RequestType:
        """The request's type."""
        kind: RequestType = self.event["RequestType"]
        return kind

    @property
    def resource(self) -> tuple[str, str]:
        """The stack's ID and the logical ID."""
        return self.event["StackId"], self.event["LogicalResourceId"]

    @property
    def physical_id(self) -> str:
        """The event's physical ID; empty for a Create."""
        return str(self.event.get("PhysicalResourceId", ""))

    @property
    def properties(self) -> Properties:
        """The resource properties."""
        properties: Properties = self.event["ResourceProperties"]
        return properties

    @property
    def old_properties(self) -> Properties:
        """The old resource properties."""
        properties: Properties = self.event.get("OldResourceProperties", {})
        return properties

    @property
    def timeout(self) -> float:
        """Seconds that CloudFormation waits."""
        return float(self.properties.get("ServiceTimeout", SERVICE_TIMEOUT))

    def __str__(self) -> str:
        """Show the request in a step list."""
        of = f" of {short(self.physical_id)}" if self.physical_id else ""
        old = f" from {_brief(self.old_properties)}" if self.kind == "Update" else ""
        stack = self.event["StackId"].split("/")[1]
        return f"#{self.number} {self.kind} {stack}.{self.resource[1]}{of}{old} to {_brief(self.properties)}"


@dataclass
class Delivery:
    """One delivery of a request."""

    sent: Sent
    moment: Moment | None = None
    action: Callable[[], None] | None = None
    calls: int = 0
    bodies: list[bytes] = field(default_factory=list)
    companions: list[Any] = field(default_factory=list)
    met: tuple[str, ...] = ()
    """The names of its planned faults."""
    number: int = 0
    error: Exception | None = None
    """The errors of the test itself."""
    undisturbed: bool = False
    """Whether it has no planned faults."""
    started: float = 0.0
    called: float = 0.0
    """When the current call began."""
    place: tuple[str, str] = ("", "")
    """The Region and the account of the current call."""
    found: dict[str, Any] = field(default_factory=dict)
    """The configurations that existed when it began."""

    @property
    def age(self) -> float:
        """Seconds since the request was made, as the delivery begins."""
        return self.started - self.sent.date


class Lambda:
    """Delivers events to the provider in a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def send(self, sent: Sent, faults: RequestFaults, interrupt: Callable[[], None] | None = None) -> None:
        """Deliver an event as often as Lambda does until a delivery ends normally."""
        self._world.note(f"{sent}{f'  [{faults}]' if str(faults) else ''}")
        if faults.lost:
            return
        self._world.lag_reads(faults.lag)
        for one in faults.api_faults:
            self._world.emulator.fail(one.operation, one.fault, one.times, one.after)
        pauses = (0.3, *RETRY_SECONDS)
        for attempt, pause in enumerate(pauses):
            self._world.clock.advance(pause)
            sent.mailbox.rejections = _ALL if attempt < faults.rejected_deliveries else 0
            first = attempt == 0 and interrupt is not None
            ended = self._attempt(sent, faults, attempt, interrupt if first else None)
            if self._world.running is None:  # else they are still those of the request that is interrupted
                self._world.clear_api_faults()
            if ended:
                return
        sent.mailbox.rejections = 0
        if not faults.last_resort_fails:
            self._last_resort(sent)

    def deliver(self, sent: Sent, milliseconds: int = RequestFaults().milliseconds) -> bool:
        """Deliver an event once, in this process. Returns whether that ended normally."""
        return self._in_process(Delivery(sent), milliseconds)

    def _attempt(self, sent: Sent, faults: RequestFaults, attempt: int, interrupt: Callable[[], None] | None) -> bool:
        met = tuple(one.fault.name for one in faults.api_faults) if attempt == 0 else ()
        if attempt < len(faults.kills):
            return self._killed(Delivery(sent, faults.kills[attempt], self._world.kill, met=met), faults.milliseconds)
        undisturbed = faults == RequestFaults() and self._world.running is None
        return self._in_process(
            Delivery(sent, faults.at, interrupt, met=met, undisturbed=undisturbed), faults.milliseconds
        )

    def _in_process(self, delivery: Delivery, milliseconds: int) -> bool:
        clock = self._world.clock
        with self._world.delivering(delivery):
            try:
                respond(_copy(delivery.sent.event), Context(clock, milliseconds), clock)
            except Undelivered:
                return False
        self._world.oracle.after_delivery(delivery)
        return True

    def _killed(self, delivery: Delivery, milliseconds: int) -> bool:
        with self._world.delivering(delivery):
            ended = self._world.fork_server.run(delivery.sent.event, milliseconds, random.getrandbits(32))
        if ended:
            self._world.oracle.after_delivery(delivery)
        return ended

    def _last_resort(self, sent: Sent) -> None:
        self._world.note(f"    the last-resort function responds to #{sent.number}")
        delivery = Delivery(sent)
        sent.last_resort = True
        record = {
            "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": _copy(sent.event),
            "responsePayload": {"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"},
        }
        with self._world.delivering(delivery):
            last_resort.handler(record, Context(self._world.clock, 30_000))
        self._world.oracle.after_delivery(delivery)


def _copy(event: Mapping[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    return copy


def _brief(properties: Properties) -> str:
    """Properties in one short line."""
    shown = {key: value for key, value in properties.items() if key not in ("ServiceToken", "Distributions")}
    if "DistributionConfigurationArn" in shown:
        shown["DistributionConfigurationArn"] = short(shown["DistributionConfigurationArn"])
    regions = "+".join(each.get("Region", "?")[:4] for each in properties.get("Distributions", ()))
    return f"{{{', '.join(f'{key}={value}' for key, value in shown.items())}, {regions}}}"
