"""DynamoDB on the loopback interface: ministack, and a proxy that injects failures."""

import http.client
import json
import os
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from provider.emulator.faults import Fault
from provider.emulator.server import LoopbackServer, Reply

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv-ministack/bin/python"
_START_SECONDS = 60.0
TABLE = "ledger"


@contextmanager
def ministack(home: Path) -> Iterator[str]:
    """Run ministack, and yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {"IOT_MTLS_ENABLED": "0", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "EDGE_PORT": str(port)}
    command = [str(PYTHON), "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}"]
    with (home / "ministack.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env={**os.environ, **variables}, stdout=log, stderr=log)
    try:
        _wait_until_up(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end or process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return


def create_table(url: str, name: str = TABLE) -> None:
    """Create the ledger's table."""
    api = client(url)
    api.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
    )
    api.close()


def client(url: str) -> Any:
    """Return a client of the emulator that does not retry."""
    return botocore.session.Session().create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=Config(retries={"total_max_attempts": 1}),
    )


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
