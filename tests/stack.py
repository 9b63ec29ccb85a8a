"""A custom resource of a stack, whose events the real handler processes."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from provider.emulator.emulator import Emulator
from provider.handler import respond
from provider.stack_engine.sink import ResponseSink, Slot, read
from tests.clock import SkippingClock

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/images/6e0f1c2a-0000-4000-8000-000000000001"
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
NAME = "x {{ imagebuilder:buildDate }}"


def ami(region: str = "us-east-1", **members: Any) -> dict[str, Any]:
    """Return a valid entry of Distributions."""
    return {"Region": region, "AmiDistributionConfiguration": {"Name": NAME, **members}}


@dataclass(frozen=True)
class Context:
    """The part of Lambda's context that the provider reads."""

    milliseconds: int = 30_000
    aws_request_id: str = "5e0b0c7e-3d5b-4b0e-9d3c-000000000001"
    log_group_name: str = "/aws/lambda/provider"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:provider"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return self.milliseconds


@dataclass(frozen=True)
class ReceivedResponse:
    """The response that CloudFormation received."""

    status: str
    physical_id: str
    reason: str
    data: Mapping[str, Any]


@dataclass
class Resource:
    """A resource, with the state that CloudFormation keeps of it."""

    emulator: Emulator
    sink: ResponseSink
    logical_id: str = "Golden"
    stack_id: str = STACK_ID
    context: Context = field(default_factory=Context)
    physical_id: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    slot: Slot | None = None
    seen: int = 0
    clock: SkippingClock = field(default_factory=SkippingClock)
    resource_type: str = "Custom::ImageBuilderDistributionConfiguration"
    sent: dict[str, Any] = field(default_factory=dict)
    """The last event, with its response URL."""
    slots: dict[str, Slot] = field(default_factory=dict)
    """The places for responses, by response URL."""

    def create(self, request_id: str = "", **properties: Any) -> ReceivedResponse:
        """Send a Create. If it succeeds, keep its properties and physical ID."""
        return self._remembered(self.send("Create", properties, request_id=request_id), properties)

    def update(self, request_id: str = "", **properties: Any) -> ReceivedResponse:
        """Send an Update. If it succeeds, keep its properties and physical ID."""
        return self._remembered(self.send("Update", properties, old=self.properties, request_id=request_id), properties)

    def roll_back(self, failed: Mapping[str, Any]) -> ReceivedResponse:
        """Send the Update that rolls back a failed one."""
        return self._remembered(self.send("Update", self.properties, old=failed), self.properties)

    def delete(self, **other: Any) -> ReceivedResponse:
        """Send a Delete with the kept properties, or with others."""
        return self.send("Delete", other or self.properties)

    def send(
        self,
        request_type: str,
        properties: object,
        *,
        old: object = None,
        physical_id: str | None = None,
        request_id: str = "",
        date: float | None = None,
    ) -> ReceivedResponse:
        """Send one event with a date, and return its response, which is checked as CloudFormation checks it."""
        event: dict[str, Any] = {
            "RequestType": request_type,
            "ServiceToken": self.context.invoked_function_arn,
            "StackId": self.stack_id,
            "RequestId": request_id or str(uuid.uuid4()),
            "LogicalResourceId": self.logical_id,
            "ResourceType": self.resource_type,
            "ResourceProperties": properties,
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = self.physical_id if physical_id is None else physical_id
        if request_type == "Update":
            event["OldResourceProperties"] = old
        return self.deliver(event, date)

    def deliver(self, event: dict[str, Any], date: float | None = None) -> ReceivedResponse:
        """Send an event with a URL of the sink, and return its response."""
        made = self.clock.time() if date is None else date
        self.slot = self.sink.open(self.stack_id, self.logical_id, event["RequestId"], made)
        self.slots[self.slot.url] = self.slot
        return self.redeliver({**event, "ResponseURL": self.slot.url})

    def redeliver(self, event: dict[str, Any]) -> ReceivedResponse:
        """Send an event, perhaps again, and return its response."""
        self.sent = event
        slot = self.slots[event["ResponseURL"]]
        before = len(slot.puts)
        respond(json.loads(json.dumps(event)), self.context, self.clock)
        (put,) = slot.puts[before:]
        answer = read(put, event)
        return ReceivedResponse(json.loads(put.body)["Status"], answer.physical_id, answer.reason, answer.data)

    def sibling(self, logical_id: str = "", stack_id: str = "") -> "Resource":
        """Return another resource, of the same stack or of another, that does not exist yet."""
        return Resource(
            self.emulator,
            self.sink,
            logical_id=logical_id or self.logical_id,
            stack_id=stack_id or self.stack_id,
            context=replace(self.context),
            clock=self.clock,
        )

    @property
    def live(self) -> dict[str, Any]:
        """The configuration with the physical ID, as the API returns it."""
        return self.emulator.configurations[self.physical_id]

    def calls(self) -> list[str]:
        """Return the API operations since the last call of this method, without their common suffix."""
        operations = [request.operation for request in self.emulator.requests]
        new, self.seen = operations[self.seen :], len(operations)
        return [name.removesuffix("DistributionConfiguration") for name in new]

    def _remembered(self, response: ReceivedResponse, properties: Mapping[str, Any]) -> ReceivedResponse:
        if response.status == "SUCCESS":
            self.physical_id, self.properties = response.physical_id, properties
        return response
