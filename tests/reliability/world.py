"""One request with a fault, sent through the real function to a real API and a real bucket for the response."""

import json
import logging
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from provider.cloudformation.delivery import Undelivered
from provider.emulator.emulator import Emulator
from provider.emulator.faults import Fault as ApiFault
from provider.emulator.server import LoopbackServer, Reply
from provider.handler import handler
from provider.schema.rules import OWNERSHIP_TAGS
from tests.reliability.matrix import RequestType
from tests.stack import ARN, NAME, STACK_ID, Context

CHILD = Path(__file__).with_name("child.py")
OPERATION = {name: f"{name}DistributionConfiguration" for name in ("Create", "Update", "Delete")}
SECRETS = ("X-Amz-Signature", "verysecretsignature", "verysecretkey")


class Bucket:
    """Receives responses. `trouble` are the faults of the next PUTs, `lasting` the fault of all later ones."""

    def __init__(self, tls: Any = None) -> None:
        self.trouble: list[str] = []
        self.lasting = ""
        self.seen: list[bytes] = []
        self.taken: list[bytes] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self._server = LoopbackServer(self._respond, tls=tls)

    def url(self, query: str = "") -> str:
        """A presigned URL of this bucket."""
        return f"{self._server.url}/response?X-Amz-Expires=7200{query}&X-Amz-Signature=verysecretsignature"

    def close(self) -> None:
        """Stop the bucket."""
        self._server.close()

    def _respond(self, _method: str, _target: str, body: bytes, _headers: Message) -> Reply | ApiFault:
        self.seen.append(body)
        self.meanwhile()
        trouble = self.trouble.pop(0) if self.trouble else self.lasting
        if trouble.isdecimal():
            return Reply(int(trouble), {"Location": f"{self._server.url}/elsewhere"}, b"<Error/>")
        if trouble:
            return ApiFault[trouble.upper()]
        self.taken.append(body)
        return Reply(200, {}, b"")


@dataclass
class World:
    """The environment of one cell. `seconds` is Lambda's timeout."""

    emulator: Emulator
    bucket: Bucket
    request_type: RequestType
    seconds: float
    url: str = ""
    child: dict[str, str] = field(default_factory=dict)
    """The faults of the function's own process; empty if it runs in this process."""
    output: str = ""
    raised: bool = False

    def __post_init__(self) -> None:
        self.request_id = str(uuid.uuid4())
        self.url = self.url or self.bucket.url()
        self.before: dict[str, Any] = {
            "Name": "golden",
            "Description": "before",
            "Distributions": [{"Region": "us-east-1", "AmiDistributionConfiguration": {"Name": NAME}}],
        }
        self.desired = {**self.before, "Description": "desired"}
        if self.request_type != "Create":
            self.emulator.seed(
                name="golden",
                description="before",
                distributions=[{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}],
                tags=dict(zip(OWNERSHIP_TAGS, (STACK_ID, "Golden"), strict=True)),
            )

    @property
    def operation(self) -> str:
        """The call that changes the configuration."""
        return OPERATION[self.request_type]

    @property
    def description(self) -> str | None:
        """The description of the live configuration; None if it does not exist."""
        live = self.emulator.configurations.get(f"{ARN}golden")
        return None if live is None else live.get("description", "")

    @property
    def done(self) -> bool:
        """Whether the live state is the desired one."""
        return self.description == (None if self.request_type == "Delete" else "desired")

    @property
    def unchanged(self) -> bool:
        """Whether the live state is unchanged."""
        return self.description == (None if self.request_type == "Create" else "before")

    @property
    def response(self) -> dict[str, Any]:
        """The response that was received."""
        (body,) = self.bucket.taken
        told: dict[str, Any] = json.loads(body)
        return told

    def send(self) -> float:
        """Deliver the request as Lambda does. Returns how many seconds it took."""
        start = time.monotonic()
        event = self.event(self.request_type, self.request_id)
        if self.child:
            self._send_to_child(event)
        else:
            try:
                handler(event, Context(milliseconds=int(self.seconds * 1000)))
                self.raised = False
            except Undelivered:
                self.raised = True
        return time.monotonic() - start

    def follow_up(self) -> dict[str, Any]:
        """Remove all faults and send what CloudFormation sends after this request's failure. Returns the response."""
        physical_id = self.response["PhysicalResourceId"]
        self.emulator.reset_faults()
        self.bucket.taken.clear()
        self.url, self.child = self.bucket.url(), {}
        kind: RequestType = "Update" if self.request_type == "Update" else "Delete"
        event = self.event(kind, str(uuid.uuid4())) | {"PhysicalResourceId": physical_id}
        if kind == "Update":
            event |= {"ResourceProperties": self.before, "OldResourceProperties": self.desired}
        handler(event, Context(milliseconds=20_000))
        return self.response

    def kill(self) -> None:
        """Kill the function's process and wait for its end."""
        self._process.kill()
        self._process.wait()

    def event(self, request_type: RequestType, request_id: str) -> dict[str, Any]:
        """The event that CloudFormation sends."""
        event = {
            "RequestType": request_type,
            "StackId": STACK_ID,
            "RequestId": request_id,
            "LogicalResourceId": "Golden",
            "ResourceType": "Custom::ImageBuilderDistributionConfiguration",
            "ResponseURL": self.url,
            "ResourceProperties": self.desired,
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = f"{ARN}golden"
        if request_type == "Update":
            event["OldResourceProperties"] = self.before
        return event

    def _send_to_child(self, event: dict[str, Any]) -> None:
        work = {"event": event, "milliseconds": int(self.seconds * 1000), **self.child}
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(
            [sys.executable, str(CHILD)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as self._process:
            try:
                output, _ = self._process.communicate(json.dumps(work), timeout=60)
            finally:
                self._process.kill()
        self.output += output
        self.raised = self._process.returncode != 0
        logging.getLogger(__name__).debug("the function's process ended with %s", self._process.returncode)
