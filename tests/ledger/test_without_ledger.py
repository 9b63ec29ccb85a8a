"""Invariant 10: without the ledger, nothing of it is loaded."""

import json
import os
import subprocess
import sys
import time
import uuid

from provider.emulator.emulator import Emulator
from provider.handler import LEDGER_TABLE
from provider.stack_engine.sink import ResponseSink
from tests.stack import STACK_ID, ami

SCRIPT = """
import json, sys
from provider.aws import client
from provider.handler import handler
handler(json.load(sys.stdin), None)
of_ledger = (".merging", ".contribution")
loaded = [name for name in sys.modules if name.startswith("provider.ledger") or name.endswith(of_ledger)]
print(json.dumps([loaded, client._client.cache_info().currsize]))
"""


def test_invariant_10_without_the_ledger_nothing_of_it_is_loaded(emulator: Emulator, sink: ResponseSink) -> None:
    """A request without the ledger imports no module of it, and creates no other client than Image Builder's."""
    slot = sink.open(STACK_ID, "Golden", str(uuid.uuid4()), time.time())
    event = {
        "RequestType": "Create",
        "StackId": STACK_ID,
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": "Golden",
        "ResponseURL": slot.url,
        "ResourceProperties": {"Name": "golden", "Distributions": [ami()]},
    }
    environment = {name: value for name, value in os.environ.items() if name != LEDGER_TABLE}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == [[], 1]
    assert json.loads(slot.puts[0].body)["Status"] == "SUCCESS"
    assert {request.operation for request in emulator.requests} == {
        "CreateDistributionConfiguration",
        "GetDistributionConfiguration",
        "TagResource",
    }
