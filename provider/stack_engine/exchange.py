"""Sends one request to the provider's function, and returns its result for the stack."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

from ..template.structure import MAX_SERVICE_TIMEOUT
from .sink import RejectedResponseError, ResponseSink, Slot, read

Event: TypeAlias = dict[str, Any]

MAX_ATTEMPTS = 3
"""Lambda retries an asynchronous invocation twice if it raises an error."""


@dataclass(frozen=True)
class RequestResult:
    """The result of a request as CloudFormation sees it.

    `physical_id` is None if there was no valid response; `reason` is the stack event's text. `notices` are for people,
    although CloudFormation does not show them.
    """

    succeeded: bool
    physical_id: str | None
    reason: str
    data: Mapping[str, Any]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Exchange:
    """Sends requests to `invoke`, and waits at most `max_wait_seconds` for each response at `sink`."""

    invoke: Callable[[Event], object]
    sink: ResponseSink
    max_wait_seconds: float

    def send(self, event: Event) -> RequestResult:
        """Send `event` with a RequestId and a ResponseURL, and wait for the response.

        If the function returns without a response, do not wait any longer.
        """
        request_id = str(uuid4())
        # A URL shows whole seconds. If they were rounded down, an earlier change could seem newer than the request.
        slot = self.sink.open(event["StackId"], event["LogicalResourceId"], request_id, math.ceil(time.time()))
        event = {**event, "RequestId": request_id, "ResponseURL": slot.url}
        invocation = _Invocation(self.invoke, event, slot)
        limit = min(_service_timeout(event["ResourceProperties"]), self.max_wait_seconds)
        put = slot.wait(limit)
        # As in Lambda, wait for the end of the function before the environment gets the next request.
        invocation.wait_for_end(self.max_wait_seconds if put else 0.1)
        notices = invocation.notices(limit)
        if put is None:
            return RequestResult(False, None, _no_response(request_id), {}, notices)
        try:
            response = read(put, event)
        except RejectedResponseError as error:
            return RequestResult(False, None, str(error), {}, notices)
        failed = f"Message returned: {response.reason} (RequestId: {request_id})"
        reason = "" if response.succeeded else f"Received response status [FAILED] from custom resource. {failed}"
        return RequestResult(response.succeeded, response.physical_id, reason, response.data, notices)


def _service_timeout(properties: Mapping[str, Any]) -> int:
    """How many seconds CloudFormation waits: the maximum if ServiceTimeout is absent or invalid."""
    text = str(properties.get("ServiceTimeout"))
    seconds = int(text) if re.fullmatch("[0-9]{1,9}", text) else MAX_SERVICE_TIMEOUT
    return seconds if 1 <= seconds <= MAX_SERVICE_TIMEOUT else MAX_SERVICE_TIMEOUT


def _no_response(request_id: str) -> str:
    return (
        "CloudFormation did not receive a response from your Custom Resource. "
        f"Please check your logs for requestId [{request_id}]."
    )


class _Invocation:
    """Runs the function for one event in a daemon thread, so that a function that hangs does not block the caller."""

    def __init__(self, invoke: Callable[[Event], object], event: Event, slot: Slot) -> None:
        self._slot = slot
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(invoke, event), daemon=True)
        self._thread.start()

    def _run(self, invoke: Callable[[Event], object], event: Event) -> None:
        try:
            while len(self._errors) < MAX_ATTEMPTS and not (self._errors and self._slot.puts):
                try:
                    invoke(event)
                    break
                except BaseException as error:  # noqa: BLE001 - Lambda survives every error of its function
                    self._errors.append(error)
        finally:
            self._slot.abandon()

    def wait_for_end(self, seconds: float) -> None:
        self._thread.join(seconds)

    def notices(self, limit: float) -> tuple[str, ...]:
        notices, count = [], len(self._slot.puts)
        if self._errors:
            error = self._errors[-1]
            notices.append(f"the function raised {type(error).__name__}: {error} (attempts: {len(self._errors)})")
        if self._thread.is_alive() and not count:
            notices.append(f"the function was still running after {limit:g} seconds")
        if count > 1:
            notices.append(f"the function sent {count} responses to one request; CloudFormation uses one of them")
        return tuple(notices)
