"""Lambda's Runtime API on the loopback interface: sends events to one function and receives their results.

Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from provider.emulator.faults import Fault
from provider.emulator.server import LoopbackServer, Reply

_VERSION = "/2018-06-01/runtime/"


@dataclass
class Invocation:
    """One event, and once `ended` is set, its outcome: a `result`, or an `error` as the runtime reports it."""

    event: Any
    seconds: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    ended: threading.Event = field(default_factory=threading.Event)
    begun_at: float = 0.0
    ended_at: float = 0.0
    result: Any = None
    error: dict[str, Any] | None = None

    @property
    def took(self) -> float:
        """The seconds between sending the event and its outcome."""
        return self.ended_at - self.begun_at

    def end(self, result: Any = None, error: dict[str, Any] | None = None) -> None:
        """Record the outcome."""
        self.ended_at = time.monotonic()
        self.result, self.error = result, error
        self.ended.set()


class RuntimeApi:
    """Serves one function's process until `close`. `arn` is the function's ARN."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._running: dict[str, Invocation] = {}
        self.ready = threading.Event()
        """Set once the runtime has requested its first event or reported an init error."""
        self.init_errors: list[dict[str, Any]] = []
        self._server = LoopbackServer(self._respond)

    @property
    def address(self) -> str:
        """Host and port, for AWS_LAMBDA_RUNTIME_API."""
        return self._server.url.removeprefix("http://")

    def send(self, event: Any, seconds: float) -> Invocation:
        """Send an event to the function, which has `seconds` from the moment it receives the event."""
        invocation = Invocation(json.loads(json.dumps(event)), seconds)
        self._running[invocation.id] = invocation
        self._waiting.put(invocation)
        return invocation

    def close(self) -> None:
        """Free the port. The function's process must have exited."""
        self._waiting.put(None)
        self._server.close()

    def _respond(self, method: str, target: str, body: bytes, _headers: Message) -> Reply | Fault:
        match method, target.removeprefix(_VERSION).split("/"):
            case "GET", ["invocation", "next"]:
                return self._next()
            case "POST", ["invocation", invocation_id, "response"]:
                self._running.pop(invocation_id).end(result=json.loads(body or b"null"))
            case "POST", ["invocation", invocation_id, "error"]:
                self._running.pop(invocation_id).end(error=json.loads(body))
            case "POST", ["init", "error"]:
                self.init_errors.append(json.loads(body))
                self.ready.set()
            case _:
                return Reply(404, {}, b"")
        return Reply(202, {}, b"")

    def _next(self) -> Reply | Fault:
        self.ready.set()
        invocation = self._waiting.get()
        if invocation is None:
            return Fault.RESET
        invocation.begun_at = time.monotonic()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
        }
        return Reply(200, headers, json.dumps(invocation.event).encode())
