"""A request whose process is killed repeatedly and that is delivered again still gets one response."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from provider.schema.rules import OWNERSHIP_TAGS
from tests.reliability.matrix import REQUESTS, RequestType
from tests.reliability.world import CHILD, Bucket, World

KILLS = 6


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    running = Bucket()
    yield running
    running.close()


def kill_after(seconds: float, event: dict[str, Any]) -> bool:
    """Start the function's process and kill it after some seconds. Returns whether it had ended before."""
    work = json.dumps({"event": event, "milliseconds": 20_000})
    with subprocess.Popen(
        [sys.executable, str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(work)
        process.stdin.close()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return False
        return process.returncode == 0


@pytest.mark.parametrize("request_type", REQUESTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_any_number_of_kills_loses_nothing(
    emulator: Emulator, bucket: Bucket, request_type: RequestType, seed: int
) -> None:
    """After kills at random points and redelivery, only the template's configuration exists."""
    world = World(emulator, bucket, request_type, 20)
    event = world.event(request_type, world.request_id)
    start = time.monotonic()
    assert kill_after(30, {**event, "RequestId": "rehearsal", "RequestType": "Delete", "PhysicalResourceId": "none"})
    whole = time.monotonic() - start
    bucket.seen.clear()
    bucket.taken.clear()
    moments = random.Random(seed)
    for _ in range(KILLS):
        kill_after(moments.uniform(0.4, 1.1) * whole, event)
    world.send()
    assert world.done
    assert {json.loads(body)["Status"] for body in bucket.taken} == {"SUCCESS"}
    assert len(emulator.configurations) == (0 if request_type == "Delete" else 1)
    for live in emulator.configurations.values():
        assert set(OWNERSHIP_TAGS) <= set(live["tags"])
