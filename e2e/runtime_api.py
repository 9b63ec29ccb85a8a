"""Lambda's Runtime API on the loopback interface: hands events to one function and takes what becomes of them.

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
    """One event on its way, and what became of it once `ended` is set: a `result`, or an `error` as it was told."""

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
        """Seconds from the event's being handed over to its end."""
        return self.ended_at - self.begun_at

    def end(self, result: Any = None, error: dict[str, Any] | None = None) -> None:
        """Keep what became of it."""
        self.ended_at = time.monotonic()
        self.result, self.error = result, error
        self.ended.set()


class RuntimeApi:
    """Serves one function's process from its construction until `close`. `arn` is what the function is called by."""

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._waiting: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._running: dict[str, Invocation] = {}
        self.ready = threading.Event()
        """Set once the runtime has asked for its first event, or has told that it cannot."""
        self.init_errors: list[dict[str, Any]] = []
        self._server = LoopbackServer(self._respond)

    @property
    def address(self) -> str:
        """Host and port, as AWS_LAMBDA_RUNTIME_API has them."""
        return self._server.url.removeprefix("http://")

    def send(self, event: Any, seconds: float) -> Invocation:
        """Hand an event over to the function, which has `seconds` from when it takes it."""
        invocation = Invocation(json.loads(json.dumps(event)), seconds)
        self._running[invocation.id] = invocation
        self._waiting.put(invocation)
        return invocation

    def close(self) -> None:
        """Free the port. The function's process must have ended."""
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
