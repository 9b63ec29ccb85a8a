"""Requests of owners and contributions that are killed after any of their calls, and delivered again."""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from provider.handler import LEDGER_TABLE, SWEEP, respond
from provider.stack_engine.sink import ResponseSink
from tests.clock import SkippingClock
from tests.ledger.bodies import USER_IDS
from tests.ledger.dynamodb import Proxy, client
from tests.ledger.test_processes import INVOCATIONS
from tests.stack import ARN, STACK_ID, Context, ami

GOLDEN = f"{ARN}golden"
OWNED = {"Name": "golden", "Contributions": [USER_IDS], "Distributions": [ami()]}
RETAINED = {**OWNED, "OnDelete": "Retain"}
CHANGED = {**OWNED, "Description": "changed", "Tags": {"team": "a"}}
ADOPTED = {"DistributionConfigurationArn": GOLDEN, "Contributions": [USER_IDS], "Distributions": [ami(Description="b")]}
PART = {
    "DistributionConfigurationArn": GOLDEN,
    "Distributions": [
        {"Region": "us-east-1", "AmiDistributionConfiguration": {"LaunchPermission": {"UserIds": ["111111111111"]}}}
    ],
}
CONTRIBUTION = "Custom::ImageBuilderDistributionContribution"

CASES: dict[str, tuple[list[tuple[str, str, dict[str, Any]]], tuple[str, str, dict[str, Any]]]] = {
    "create": ([], ("Create", "Golden", OWNED)),
    "update": ([("Create", "Golden", OWNED), ("Create", "Part", PART)], ("Update", "Golden", CHANGED)),
    "delete": ([("Create", "Golden", OWNED)], ("Delete", "Golden", OWNED)),
    "retain": (
        [("Create", "Golden", {**OWNED, "OnDelete": "Retain"}), ("Create", "Part", PART)],
        ("Delete", "Golden", {**OWNED, "OnDelete": "Retain"}),
    ),
    "rename": ([("Create", "Golden", OWNED)], ("Update", "Golden", {**OWNED, "Name": "other"})),
    "adopt": ([("Create", "Golden", OWNED), ("Create", "Part", PART)], ("Create", "Adopter", ADOPTED)),
    "adopt what was retained": (
        [("Create", "Golden", RETAINED), ("Create", "Part", PART), ("Delete", "Golden", RETAINED)],
        ("Create", "Adopter", ADOPTED),
    ),
    "last part": (
        [("Create", "Golden", RETAINED), ("Create", "Part", PART), ("Delete", "Golden", RETAINED)],
        ("Delete", "Part", PART),
    ),
    "contribute": ([("Create", "Golden", OWNED)], ("Create", "Part", PART)),
    "withdraw": ([("Create", "Golden", OWNED), ("Create", "Part", PART)], ("Delete", "Part", PART)),
}


class World:
    """The emulators, and the physical IDs of the resources."""

    def __init__(self, emulator: Emulator, sink: ResponseSink, proxy: Proxy, table: str) -> None:
        self.emulator, self.sink, self.proxy, self.table = emulator, sink, proxy, table
        self.ids: dict[str, str] = {}
        self.old: dict[str, dict[str, Any]] = {}

    def event(self, kind: str, name: str, properties: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Return an event, and the place for its response."""
        stack_id = STACK_ID.replace("images", "team") if name == "Part" else STACK_ID
        request_id = str(uuid.uuid4())
        slot = self.sink.open(stack_id, name, request_id, time.time())
        event = {
            "RequestType": kind,
            "StackId": stack_id,
            "RequestId": request_id,
            "LogicalResourceId": name,
            "ResponseURL": slot.url,
            "ResourceType": CONTRIBUTION if name == "Part" else "Custom::ImageBuilderDistributionConfiguration",
            "ResourceProperties": properties,
        }
        if kind != "Create":
            event |= {"PhysicalResourceId": self.ids[name]}
        if kind == "Update":
            event |= {"OldResourceProperties": self.old[name]}
        return event, slot

    def invoke(self, event: dict[str, Any], dies_after: int | None = None) -> bool:
        """Invoke the function in a process of its own. Returns whether it was killed."""
        work = {"events": [event], "milliseconds": 120_000, "kills": 0, "seed": 0, "dies_after": dies_after}
        ran = subprocess.run(
            [sys.executable, str(INVOCATIONS)], input=json.dumps(work), capture_output=True, text=True, check=True
        )
        return ran.stdout.strip() == "1"

    def expire_leases(self) -> None:
        """Let the leases expire, as if time had passed."""
        api = client(self.proxy.url)
        for item in api.scan(TableName=self.table)["Items"]:
            if item["sk"]["S"] == "lease" and "expiry" in item:
                api.update_item(
                    TableName=self.table,
                    Key={key: item[key] for key in ("pk", "sk")},
                    UpdateExpression="SET expiry = :0",
                    ExpressionAttributeValues={":0": {"N": "0"}},
                )
        api.close()

    def respond(self, kind: str, name: str, properties: dict[str, Any]) -> None:
        """Send an event that succeeds, in this process."""
        event, slot = self.event(kind, name, properties)
        respond(event, Context(milliseconds=120_000), SkippingClock())
        body = json.loads(slot.puts[-1].body)
        assert body["Status"] == "SUCCESS", body
        self.ids[name], self.old[name] = body["PhysicalResourceId"], properties

    def state(self) -> dict[str, Any]:
        """Return what is live, without dates."""
        return {
            arn: {name: value for name, value in one.items() if not name.startswith("date")}
            for arn, one in self.emulator.configurations.items()
        }


@pytest.fixture
def world(sink: ResponseSink, proxy: Proxy, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Emulators of Image Builder and DynamoDB for a provider with a ledger."""
    monkeypatch.setenv(LEDGER_TABLE, table_name)
    with Emulator() as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        yield World(emulator, sink, proxy, table_name)


@pytest.mark.long
@pytest.mark.parametrize("case", CASES)
def test_a_killed_request_is_finished_by_the_next_delivery(case: str, world: World) -> None:
    """Whichever call is the last one before a kill, the next delivery succeeds, and the result is the same."""
    before, last = CASES[case]
    expected: dict[str, Any] | None = None
    for dies_after in (None, *range(1, 60)):
        for arn in world.emulator.configurations:
            world.emulator.remove(arn)
        world.emulator.forget_tokens()
        api = client(world.proxy.url)
        for item in api.scan(TableName=world.table)["Items"]:
            api.delete_item(TableName=world.table, Key={key: item[key] for key in ("pk", "sk")})
        api.close()
        for one in before:
            world.respond(*one)
        time.sleep(1.0)  # the dates of requests have whole seconds
        event, slot = world.event(*last)
        was_killed = world.invoke(event, dies_after)
        if was_killed:
            world.expire_leases()
            world.invoke(event)
        body = json.loads(slot.puts[-1].body)
        assert body["Status"] == "SUCCESS", (dies_after, body)
        respond(SWEEP, Context(milliseconds=120_000), SkippingClock())
        expected = expected if expected is not None else world.state()
        assert world.state() == expected, dies_after
        if dies_after is not None and not was_killed:
            return
    raise AssertionError("the request makes fewer calls")
