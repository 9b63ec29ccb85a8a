"""Two hundred contributions at once, each in a process of its own, some of which are killed."""

import json
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from provider.handler import LEDGER_TABLE
from provider.stack_engine.sink import ResponseSink, Slot
from tests.ledger.bodies import USER_IDS
from tests.ledger.dynamodb import Proxy
from tests.stack import ARN, Context, Resource, ami

INVOCATIONS = Path(__file__).with_name("invocations.py")
GOLDEN = f"{ARN}golden"
COUNT = 200


@pytest.fixture
def running(sink: ResponseSink, proxy: Proxy, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The emulators, with a configuration whose owner allows user IDs."""
    monkeypatch.setenv(LEDGER_TABLE, table_name)
    with Emulator() as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        owner = Resource(emulator, sink, context=Context(milliseconds=120_000))
        assert owner.create(Name="golden", Contributions=[USER_IDS], Distributions=[ami()]).status == "SUCCESS"
        yield emulator


def event(sink: ResponseSink, number: int) -> tuple[dict[str, Any], Slot]:
    """Return the Create of a stack's contribution, and the place for its response."""
    stack_id = f"arn:aws:cloudformation:us-east-1:123456789012:stack/team-{number}/1"
    request_id = str(uuid.uuid4())
    slot = sink.open(stack_id, "Part", request_id, time.time())
    permission = {"LaunchPermission": {"UserIds": [f"{number:012}"]}}
    return {
        "RequestType": "Create",
        "StackId": stack_id,
        "RequestId": request_id,
        "LogicalResourceId": "Part",
        "ResponseURL": slot.url,
        "ResourceType": "Custom::ImageBuilderDistributionContribution",
        "ResourceProperties": {
            "DistributionConfigurationArn": GOLDEN,
            "Distributions": [{"Region": "us-east-1", "AmiDistributionConfiguration": permission}],
        },
    }, slot


@pytest.mark.long
@pytest.mark.parametrize(("share", "kills"), [(0.0, 0), (0.05, 0), (0.02, 20)], ids=["plain", "faults", "kills"])
def test_many_processes_at_once(running: Emulator, sink: ResponseSink, proxy: Proxy, share: float, kills: int) -> None:
    """Each request gets exactly one response, all contributions are live, and a few writes are enough."""
    if share:
        proxy.fail_at_random(share, seed=1)
    before = len(running.requests)
    events, slots = zip(*(event(sink, number) for number in range(COUNT)), strict=True)
    work = {"events": events, "milliseconds": 120_000, "kills": kills, "seed": 1}
    start = time.monotonic()
    ran = subprocess.run(
        [sys.executable, str(INVOCATIONS)], input=json.dumps(work), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    seconds = time.monotonic() - start
    statuses = [[json.loads(put.body)["Status"] for put in slot.puts] for slot in slots]
    reasons = {json.loads(put.body).get("Reason", "") for slot in slots for put in slot.puts}
    assert [*map(set, statuses)] == [{"SUCCESS"}] * COUNT, reasons
    assert sum(map(len, statuses)) <= COUNT + kills
    (distribution,) = running.configurations[GOLDEN]["distributions"]
    live = distribution["amiDistributionConfiguration"]["launchPermission"]["userIds"]
    assert live == [f"{number:012}" for number in range(COUNT)]
    updates = [one for one in running.requests[before:] if one.operation.startswith("Update")]
    print(
        f"{seconds:.1f} s, {len(updates)} API writes, {len(proxy.operations)} ledger calls, {ran.stdout.strip()} killed"
    )
    assert len(updates) <= 10 + kills
