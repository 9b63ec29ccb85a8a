"""A bounded soak: many requests of mixed kinds in warm processes, with a share of all calls and deliveries failing.

`python -m tests.reliability.soak` runs a thousand, four at a time, and prints the figures; `make soak` does that.
Each process plays CloudFormation for its own stacks: it creates, updates, renames, rolls back, and deletes, receives
the responses, and delivers an event again if the function raised an exception, as Lambda does.
"""

import json
import random
import resource as process_resources
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from provider.emulator.emulator import Emulator, Fault
from provider.emulator.faults import Fault as WireFault
from provider.emulator.server import LoopbackServer, Reply

SHARE = 0.1
API_FAULTS = (Fault.THROTTLE, Fault.UNAVAILABLE, Fault.SERVER_ERROR, Fault.RESET, Fault.GARBAGE)
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
_ATTEMPTS = 3
_SECONDS = 20


@dataclass
class Figures:
    """The figures of one process. `growth` is the growth of resident memory in KiB after the first quarter."""

    requests: int = 0
    responses: int = 0
    succeeded: int = 0
    failed: int = 0
    invocations: int = 0
    deliveries: int = 0
    wrong: list[str] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    growth: int = 0


class Context:
    """Lambda's context for one invocation."""

    def __init__(self) -> None:
        self._end = time.monotonic() + _SECONDS

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return int((self._end - time.monotonic()) * 1000)


class Player:
    """Plays CloudFormation for the stacks of one process, with a bucket for the responses."""

    def __init__(self, number: int, seed: int) -> None:
        self.figures = Figures()
        self._number = number
        self._random = random.Random(f"{seed}-{number}")
        self._taken: list[bytes] = []
        self._lives: dict[str, dict[str, Any]] = {}
        self._serial = 0

    def play(self, requests: int) -> Figures:
        """Send a number of requests and return the figures."""
        bucket = LoopbackServer(self._respond)
        self._url = f"{bucket.url}/response?X-Amz-Signature=s"
        baseline = 0
        while self.figures.requests < requests:
            if self.figures.requests >= requests // 4 and not baseline:
                baseline = _resident()
            self._one_operation()
        self.figures.growth = _resident() - baseline
        bucket.close()
        self.figures.expected = {life["id"]: life["properties"]["Description"] for life in self._lives.values()}
        return self.figures

    def _one_operation(self) -> None:
        logical_id = (
            self._random.choice([*self._lives, ""]) if len(self._lives) < 6 else self._random.choice([*self._lives])
        )
        if not logical_id:
            self._create()
        elif self._random.random() < 0.2:
            self._delete(logical_id)
        else:
            self._update(logical_id, rename=self._random.random() < 0.3)

    def _create(self) -> None:
        self._serial += 1
        logical_id = f"R{self._number}x{self._serial}"
        desired = self._properties(f"p{self._number}-{self._serial}")
        response = self._send("Create", logical_id, ResourceProperties=desired)
        if response["Status"] == "SUCCESS":
            self._lives[logical_id] = {"id": response["PhysicalResourceId"], "properties": desired}
        else:
            self._until_deleted(logical_id, response["PhysicalResourceId"], desired)

    def _update(self, logical_id: str, *, rename: bool) -> None:
        life = self._lives[logical_id]
        before, physical_id = life["properties"], life["id"]
        self._serial += 1
        desired = self._properties(f"p{self._number}-{self._serial}" if rename else before["Name"])
        response = self._change(logical_id, physical_id, desired, before)
        if response["Status"] == "FAILED":
            if response["PhysicalResourceId"] != physical_id:
                self.figures.wrong.append(f"a failed Update returned {response['PhysicalResourceId']}")
            while self._change(logical_id, physical_id, before, desired)["Status"] == "FAILED":
                pass
        else:
            life["properties"], life["id"] = desired, response["PhysicalResourceId"]
            if life["id"] != physical_id:
                self._until_deleted(logical_id, physical_id, before)

    def _change(self, logical_id: str, physical_id: str, new: object, old: object) -> dict[str, Any]:
        return self._send(
            "Update", logical_id, PhysicalResourceId=physical_id, ResourceProperties=new, OldResourceProperties=old
        )

    def _delete(self, logical_id: str) -> None:
        life = self._lives.pop(logical_id)
        self._until_deleted(logical_id, life["id"], life["properties"])

    def _until_deleted(self, logical_id: str, physical_id: str, properties: object) -> None:
        while (
            self._send("Delete", logical_id, PhysicalResourceId=physical_id, ResourceProperties=properties)["Status"]
            == "FAILED"
        ):
            pass

    def _send(self, request_type: str, logical_id: str, **more: Any) -> dict[str, Any]:
        from provider.cloudformation.delivery import Undelivered
        from provider.handler import handler

        self.figures.requests += 1
        self.figures.kinds[request_type] = self.figures.kinds.get(request_type, 0) + 1
        event = {
            "RequestType": request_type,
            "StackId": f"arn:aws:cloudformation:us-east-1:123456789012:stack/soak-{self._number}/1",
            "RequestId": str(uuid.UUID(int=self._random.getrandbits(128))),
            "LogicalResourceId": logical_id,
            "ResponseURL": self._url,
            **more,
        }
        self._taken.clear()
        for _ in range(_ATTEMPTS):
            self.figures.invocations += 1
            try:
                handler(event, Context())
                break
            except Undelivered:
                continue
        if len(self._taken) != 1:
            raise AssertionError(f"{len(self._taken)} responses to {request_type} {logical_id}")
        response: dict[str, Any] = json.loads(self._taken[0])
        if (response["RequestId"], response["LogicalResourceId"]) != (event["RequestId"], logical_id):
            self.figures.wrong.append(f"a response to {response['RequestId']} instead of {event['RequestId']}")
        self.figures.responses += 1
        self.figures.succeeded += response["Status"] == "SUCCESS"
        self.figures.failed += response["Status"] == "FAILED"
        return response

    def _respond(self, _method: str, _target: str, body: bytes, _headers: Message) -> Reply | WireFault:
        self.figures.deliveries += 1
        if self._random.random() < SHARE:
            troubles: list[Reply | WireFault] = [WireFault.RESET, Reply(503, {}, b""), Reply(429, {}, b"")]
            return self._random.choice(troubles)
        self._taken.append(body)
        return Reply(200, {}, b"")

    def _properties(self, name: str) -> dict[str, Any]:
        ami = {"Name": "x {{ imagebuilder:buildDate }}"}
        regions = self._random.sample(["us-east-1", "eu-west-1", "ap-south-1"], self._random.randint(1, 3))
        return {
            "Name": name,
            "Description": f"number {self._serial}",
            "Distributions": [{"Region": region, "AmiDistributionConfiguration": ami} for region in regions],
            "Tags": {f"t{self._random.randint(1, 4)}": str(self._serial)},
        }


def _resident() -> int:
    return process_resources.getrusage(process_resources.RUSAGE_SELF).ru_maxrss


def soak(requests: int, processes: int, seed: int) -> tuple[list[Figures], Mapping[str, str], int, float]:
    """Run the soak. Returns each process's figures, the remaining descriptions by ARN, API calls, and seconds."""
    start = time.monotonic()
    with Emulator() as emulator:
        emulator.fail_at_random(SHARE, API_FAULTS, seed)
        running = [
            subprocess.Popen(
                [sys.executable, __file__, str(number), str(requests // processes), str(seed)],
                env={**emulator.environment(), "LOG_LEVEL": "CRITICAL"},
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(processes)
        ]
        try:
            figures = [Figures(**json.loads(process.communicate(timeout=900)[0])) for process in running]
        finally:
            for process in running:
                process.kill()
                process.wait()
        left = {arn: live.get("description", "") for arn, live in emulator.configurations.items()}
        return figures, left, len(emulator.requests), time.monotonic() - start


def main() -> None:
    """Run a thousand requests and print the figures. Exits with 1 if anything is wrong."""
    figures, left, calls, seconds = soak(1000, 4, seed=20261123)
    expected = {arn: text for one in figures for arn, text in one.expected.items()}
    kinds = sum((Counter(one.kinds) for one in figures), Counter[str]())
    wrong = [text for one in figures for text in one.wrong]
    print(f"{sum(one.requests for one in figures)} requests ({', '.join(f'{n} {k}' for k, n in kinds.items())})")
    print(f"{sum(one.responses for one in figures)} responses, {len(wrong)} of them wrong, none twice")
    print(f"  {sum(one.succeeded for one in figures)} SUCCESS, {sum(one.failed for one in figures)} FAILED")
    print(
        f"{sum(one.invocations for one in figures)} invocations, {calls} API calls, "
        f"{sum(one.deliveries for one in figures)} deliveries; one in ten of the latter two failed"
    )
    print(
        f"{len(left)} configurations left, {'all' if left == expected else 'NOT all'} as their last success left them"
    )
    print(f"memory grew by {', '.join(f'{one.growth / 1024:.1f}' for one in figures)} MiB a process")
    print(f"{seconds:.0f} s")
    sys.exit(bool(wrong) or left != expected)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps(asdict(Player(int(sys.argv[1]), int(sys.argv[3])).play(int(sys.argv[2])))))
    else:
        main()
