"""DynamoDB on the loopback interface: the emulator of rehearsals, and a proxy that injects failures."""

import http.client
import json
import random
import threading
from collections.abc import Callable
from email.message import Message
from typing import Any

import pytest

from provider.cli import ledger_emulator
from provider.cli.ledger_emulator import ENVIRONMENT
from provider.emulator.faults import Fault
from provider.emulator.server import LoopbackServer, Reply

PYTHON = ENVIRONMENT / "bin/python"
TABLE = "ledger"
REGION = "us-east-1"


def require_ledger() -> None:
    """Skip the test if the emulator is not installed."""
    if not PYTHON.exists():
        pytest.skip("the DynamoDB emulator is installed by `make unit` into .venv-ministack")


def create_table(url: str, name: str = TABLE) -> None:
    """Create the ledger's table."""
    ledger_emulator.create_table(url, REGION, name)


def client(url: str) -> Any:
    """Return a client of the emulator that does not retry."""
    return ledger_emulator.dynamodb_client(url, REGION)


class Proxy:
    """Forwards calls to an emulator, and fails some of them.

    `fail` is called with each operation and its parameters. It returns an error code to respond with, a `Fault` to
    inject after the call took effect, or None.
    """

    def __init__(self, url: str) -> None:
        self.fail: Callable[[str, dict[str, Any]], str | Fault | None] = lambda _operation, _parameters: None
        self.operations: list[str] = []
        self._target = url.removeprefix("http://")
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._server = LoopbackServer(self._respond)

    @property
    def url(self) -> str:
        return self._server.url

    def close(self) -> None:
        self._server.close()
        for connection in self._connections:
            connection.close()

    def empty_pages(self) -> None:
        """Let each query and scan return one empty page first, and then pages of two items."""
        seen: set[str] = set()

        def fail(operation: str, parameters: dict[str, Any]) -> None:
            if operation not in ("Query", "Scan"):
                return
            parameters["Limit"] = 2
            if "ExclusiveStartKey" not in parameters:
                seen.add(operation)

        self.fail = fail

    def fail_at_random(self, share: float, seed: int) -> None:
        """Fail this share of all calls: throttled, in conflict, or without a response after they took effect."""
        generator = random.Random(seed)
        lock = threading.Lock()

        def fail(operation: str, _parameters: dict[str, Any]) -> str | Fault | None:
            with lock:
                if generator.random() >= share:
                    return None
                codes: list[str | Fault] = [
                    "ProvisionedThroughputExceededException",
                    "InternalServerError",
                    Fault.RESET,
                ]
                if operation in ("UpdateItem", "TransactWriteItems"):
                    codes.append("TransactionConflictException" if operation == "UpdateItem" else "TransactionConflict")
                return generator.choice(codes)

        self.fail = fail

    def _respond(self, method: str, target: str, body: bytes, headers: Message) -> Reply | Fault:
        operation = headers.get("X-Amz-Target", "").rpartition(".")[2]
        parameters = json.loads(body)
        self.operations.append(operation)
        failure = self.fail(operation, parameters)
        if isinstance(failure, str):
            return _error(failure, len(parameters.get("TransactItems", [])))
        reply = self._forward(method, target, json.dumps(parameters).encode(), headers)
        return reply if failure is None else failure

    def _forward(self, method: str, target: str, body: bytes, headers: Message) -> Reply:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(self._target)
            self._connections.append(connection)
        kept = {name: value for name, value in headers.items() if name.lower() not in ("content-length", "host")}
        connection.request(method, target, body, kept)
        response = connection.getresponse()
        content = response.read()
        kept = {"Content-Type": response.headers.get("Content-Type", "application/x-amz-json-1.0")}
        return Reply(response.status, kept, content)


def _error(code: str, items: int) -> Reply:
    body: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected"}
    if code == "TransactionConflict":
        body["__type"] = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        body["CancellationReasons"] = [{"Code": code if index == 1 else "None"} for index in range(items)]
        body["Message"] = "Transaction cancelled"
    status = 500 if code == "InternalServerError" else 400
    return Reply(status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode())
