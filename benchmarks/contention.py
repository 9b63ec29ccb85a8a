"""Emulators for many contributors at once, and the processes that contribute. All use only loopback addresses."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from benchmarks.scene import InvalidRunError
from provider.cli.ledger_emulator import dynamodb
from provider.emulator.emulator import Emulator
from provider.handler import LEDGER_TABLE
from provider.stack_engine.sink import ResponseSink, Slot
from tests.ledger.dynamodb import PYTHON, TABLE, client, create_table

TIMEOUT: Final = 900
"""Seconds of an invocation: the largest `Timeout` of the template, because one machine emulates all services."""
REGION: Final = "us-east-1"
ARN: Final = f"arn:aws:imagebuilder:{REGION}:123456789012:distribution-configuration/golden"
_CONTRIBUTORS: Final = "benchmarks.contributors"
_AT_FULL_SPEED: Final = 50
"""Contributors that one machine can emulate at full speed."""


@dataclass(frozen=True)
class LedgerCalls:
    """Calls of the ledger's table, by operation, and the items that transactions write."""

    calls: dict[str, int]
    items_in_transactions: int

    @property
    def writes(self) -> int:
        """Writes of items."""
        return self.calls.get("UpdateItem", 0) + self.items_in_transactions


@dataclass(frozen=True)
class Contributed:
    """What contributors took: the seconds after which each had ended, in order, and their calls."""

    ended: list[float]
    api: Counter[str]
    ledger: LedgerCalls


class Emulators:
    """The emulators and the sink for responses. A context manager that stops all of them."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._sink = stack.enter_context(ResponseSink())
            self._dynamodb = stack.enter_context(dynamodb(PYTHON))
            create_table(self._dynamodb)
            self._image_builder = stack.enter_context(Emulator())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def event(self, stack: str, resource_type: str, properties: dict[str, Any]) -> tuple[dict[str, Any], Slot]:
        """Return the Create of a stack's resource, and the place for its response."""
        stack_id = f"arn:aws:cloudformation:{REGION}:123456789012:stack/{stack}/1"
        request_id = str(uuid.uuid4())
        slot = self._sink.open(stack_id, "Part", request_id, time.time())
        event = {
            "RequestType": "Create",
            "StackId": stack_id,
            "RequestId": request_id,
            "LogicalResourceId": "Part",
            "ResponseURL": slot.url,
            "ResourceType": resource_type,
            "ResourceProperties": properties,
        }
        return event, slot

    def start(self, events: Sequence[dict[str, Any]], *, through: bool) -> Contributed:
        """Process events at once: through the handler, or by read-modify-write.

        Raises InvalidRunError if an invocation through the handler failed.
        """
        before = len(self._image_builder.requests)
        factor = slower(len(events)) if through else 1
        asked = {"events": events, "milliseconds": TIMEOUT * 1000, "through": through, "slower": factor}
        process = subprocess.Popen(
            [sys.executable, "-m", _CONTRIBUTORS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._variables(),
            start_new_session=True,
        )
        try:
            printed, errors = process.communicate(json.dumps(asked), timeout=2 * TIMEOUT)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # the invocations, if their parent failed
            process.wait()
        if process.returncode:
            raise InvalidRunError(errors)
        result = json.loads(printed)
        if result["failed"] and through:
            raise InvalidRunError(f"{result['failed']} invocations failed")
        requests = self._image_builder.requests[before:]
        api = Counter(one.operation.removesuffix("DistributionConfiguration") for one in requests)
        items = result["calls"].pop("item", 0)
        return Contributed(result["ended"], api, LedgerCalls(result["calls"], items))

    def _variables(self) -> dict[str, str]:
        return {
            **os.environ,
            "AWS_ENDPOINT_URL_DYNAMODB": self._dynamodb,
            LEDGER_TABLE: TABLE,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **self._image_builder.environment(),
        }

    def live(self) -> set[str]:
        """Return the accounts that the configuration has."""
        (distribution,) = self._image_builder.configurations[ARN]["distributions"]
        return {*distribution["amiDistributionConfiguration"].get("launchPermission", {}).get("userIds", [])}

    def item_bytes(self) -> int:
        """Return the mean size of a contribution's item: of its names and values."""
        api = client(self._dynamodb)
        pages = api.get_paginator("scan").paginate(TableName=TABLE)
        items = [item for page in pages for item in page["Items"] if "owning" not in item and "stack" in item]
        api.close()
        return round(statistics.mean(sum(map(_bytes, item.items())) for item in items))


def slower(contributors: int) -> int:
    """Return by how much the clock is slower for so many contributors.

    In AWS, each invocation has a processor of its own. On one machine, a thousand that wait and read would leave no
    time for the one that writes.
    """
    return max(1, contributors // _AT_FULL_SPEED)


def _bytes(attribute: tuple[str, dict[str, Any]]) -> int:
    name, typed = attribute
    (value,) = typed.values()
    return len(name) + (len(value) if isinstance(value, (str, bytes)) else 1)


def check(slots: Sequence[Slot]) -> None:
    """Raise InvalidRunError unless there is exactly one response to each request, and it is SUCCESS."""
    numbers = Counter(len(slot.puts) for slot in slots)
    if numbers != {1: len(slots)}:
        raise InvalidRunError(f"responses per request, and how often: {dict(numbers)}")
    reasons = {response.get("Reason", "") for slot in slots if (response := _response(slot))["Status"] != "SUCCESS"}
    if reasons:
        raise InvalidRunError(f"failed: {sorted(reasons)}")


def _response(slot: Slot) -> dict[str, Any]:
    response: dict[str, Any] = json.loads(slot.puts[0].body)
    return response
