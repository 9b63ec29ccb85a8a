"""One request to the provider's function, and what came of it."""

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
from .sink import AnswerError, AnswerSink, Slot, read

Event: TypeAlias = dict[str, Any]

ATTEMPTS = 3
"""Lambda runs an asynchronous invocation that raised an error twice more."""


@dataclass(frozen=True)
class Verdict:
    """What CloudFormation makes of a request.

    `physical_id` is None where no answer could be read; `reason` is the stack event's text; `notices` say
    what a person should know though CloudFormation does not show it.
    """

    succeeded: bool
    physical_id: str | None
    reason: str
    data: Mapping[str, Any]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Exchange:
    """Sends requests to `invoke`, and waits `patience` seconds at most for each answer at `sink`."""

    invoke: Callable[[Event], object]
    sink: AnswerSink
    patience: float

    def send(self, event: Event) -> Verdict:
        """Send `event`, to which RequestId and ResponseURL are added, and wait for the answer.

        A function that returned without an answer is not waited for, as nothing of it runs any more.
        """
        request_id = str(uuid4())
        # A URL shows whole seconds. Rounded down, what was there before would seem newer than the request.
        slot = self.sink.open(event["StackId"], event["LogicalResourceId"], request_id, math.ceil(time.time()))
        event = {**event, "RequestId": request_id, "ResponseURL": slot.url}
        run = _Run(self.invoke, event, slot)
        limit = min(_service_timeout(event["ResourceProperties"]), self.patience)
        put = slot.wait(limit)
        if put is None:
            run.wait_for_end(0.1)
            return Verdict(False, None, _unanswered(request_id), {}, run.notices(limit))
        # In Lambda, too, one environment takes no new request while the function is still at work.
        run.wait_for_end(self.patience)
        try:
            answer = read(put, event)
        except AnswerError as refusal:
            return Verdict(False, None, str(refusal), {}, run.notices(limit))
        reason = (
            ""
            if answer.succeeded
            else "Received response status [FAILED] from custom resource. "
            f"Message returned: {answer.reason} (RequestId: {request_id})"
        )
        return Verdict(answer.succeeded, answer.physical_id, reason, answer.data, run.notices(limit))


def _service_timeout(properties: Mapping[str, Any]) -> int:
    """How many seconds CloudFormation waits: the longest possible if ServiceTimeout is absent or unreadable."""
    text = str(properties.get("ServiceTimeout"))
    seconds = int(text) if re.fullmatch("[0-9]{1,9}", text) else MAX_SERVICE_TIMEOUT
    return seconds if 1 <= seconds <= MAX_SERVICE_TIMEOUT else MAX_SERVICE_TIMEOUT


def _unanswered(request_id: str) -> str:
    return (
        "CloudFormation did not receive a response from your Custom Resource. "
        f"Please check your logs for requestId [{request_id}]."
    )


class _Run:
    """The function at work on one event, in a thread of its own, so that a hanging one can be left behind."""

    def __init__(self, invoke: Callable[[Event], object], event: Event, slot: Slot) -> None:
        self._slot = slot
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._work, args=(invoke, event), daemon=True)
        self._thread.start()

    def _work(self, invoke: Callable[[Event], object], event: Event) -> None:
        try:
            while len(self._errors) < ATTEMPTS and not (self._errors and self._slot.puts):
                try:
                    invoke(event)
                    break
                except BaseException as error:  # noqa: BLE001 - Lambda outlives whatever its function raises
                    self._errors.append(error)
        finally:
            self._slot.abandon()

    def wait_for_end(self, seconds: float) -> None:
        self._thread.join(seconds)

    def notices(self, limit: float) -> tuple[str, ...]:
        notices = []
        if self._errors:
            error = self._errors[-1]
            notices.append(f"the function raised {type(error).__name__}: {error} (attempts: {len(self._errors)})")
        if self._thread.is_alive() and not self._slot.puts:
            notices.append(f"the function was still running after {limit:g} seconds")
        if len(self._slot.puts) > 1:
            notices.append(f"{len(self._slot.puts)} answers came to one request; CloudFormation takes one of them")
        return tuple(notices)
