"""Receives responses: a loopback HTTP server instead of CloudFormation's presigned S3 URLs."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from types import TracebackType
from typing import Any
from urllib.parse import quote

from ..emulator.server import LoopbackServer, Reply

MAX_RESPONSE_BYTES = 4096
MAX_ID_BYTES = 1024
"""CloudFormation's limits. Source: AWS CloudFormation User Guide, "Custom resource response objects"."""


class RejectedResponseError(Exception):
    """A response that CloudFormation rejects; the text is the reason in a stack event."""


@dataclass(frozen=True)
class Put:
    """One received PUT; `content_type` is empty if the header was empty or absent."""

    body: bytes
    content_type: str


@dataclass(frozen=True)
class CheckedResponse:
    """A provider's valid response."""

    succeeded: bool
    physical_id: str
    reason: str
    data: Mapping[str, Any]
    no_echo: bool


class Slot:
    """The response URL of one request, and every PUT to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._puts: list[Put] = []
        self._abandoned = False
        self._changed = threading.Condition()

    @property
    def puts(self) -> tuple[Put, ...]:
        """Every PUT so far, in order."""
        with self._changed:
            return tuple(self._puts)

    def wait(self, seconds: float) -> Put | None:
        """Wait for the first PUT. None if there is none within `seconds` or before `abandon`."""
        with self._changed:
            self._changed.wait_for(lambda: self._puts or self._abandoned, timeout=seconds)
            return self._puts[0] if self._puts else None

    def abandon(self) -> None:
        """End `wait`, because nothing is running that could respond."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def add(self, put: Put) -> None:
        """Record a PUT and end `wait`."""
        with self._changed:
            self._puts.append(put)
            self._changed.notify_all()


class ResponseSink:
    """Receives responses on 127.0.0.1 while its `with` block runs."""

    def __enter__(self) -> ResponseSink:
        self._slots: dict[str, Slot] = {}
        self._server = LoopbackServer(self._respond)
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def open(self, stack_id: str, logical_id: str, request_id: str, date: float | None = None) -> Slot:
        """A new slot for one request. Its URL cannot be guessed.

        `date` is the time of the request in seconds since the epoch; now by default.
        """
        key = quote(f"{stack_id}|{logical_id}|{request_id}", safe="")
        signature = quote(secrets.token_urlsafe(24), safe="")
        signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() if date is None else date))
        query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={signed}&X-Amz-Expires=7200&X-Amz-Signature={signature}"
        target = f"/{key}?{query}"
        slot = self._slots[target] = Slot(self._server.url + target)
        return slot

    def _respond(self, method: str, target: str, body: bytes, headers: Message) -> Reply:
        """Accept a PUT as S3 does for a presigned URL."""
        if method != "PUT":
            return _error(405, "MethodNotAllowed")
        if "Content-Length" not in headers:
            return _error(411, "MissingContentLength")
        if target not in self._slots:
            return _error(403, "SignatureDoesNotMatch")
        content_type = headers.get("Content-Type", "")
        self._slots[target].add(Put(body, content_type))
        # S3 signs the content type with the URL, and CloudFormation signs an empty one.
        return _error(403, "SignatureDoesNotMatch") if content_type else Reply(200, {}, b"")


def _error(status: int, code: str) -> Reply:
    return Reply(status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode())


def read(put: Put, event: Mapping[str, Any]) -> CheckedResponse:
    """The response to `event` in a PUT. Raises RejectedResponseError if CloudFormation would reject it."""
    for mistake in _mistakes(put, event):
        raise RejectedResponseError(mistake)
    response = json.loads(put.body)
    return CheckedResponse(
        succeeded=response["Status"] == "SUCCESS",
        physical_id=response["PhysicalResourceId"],
        reason=str(response.get("Reason") or ""),
        data=response.get("Data") or {},
        no_echo=bool(response.get("NoEcho")),
    )


def _mistakes(put: Put, event: Mapping[str, Any]) -> Iterator[str]:
    if put.content_type:
        yield f"The response has the content type {put.content_type!r}; S3 accepts only an empty one."
    if len(put.body) > MAX_RESPONSE_BYTES:
        yield "Response object is too long."
    try:
        response = json.loads(put.body)
    except ValueError:
        yield "Response is not valid JSON."
        return
    if not isinstance(response, dict):
        yield "Response is not a JSON object."
        return
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if response.get(name) != event[name]:
            yield f"Invalid {name}: {response.get(name)!r} is not the request's."
    yield from _invalid_members(response)


def _invalid_members(response: Mapping[str, Any]) -> Iterator[str]:
    physical_id, status = response.get("PhysicalResourceId"), response.get("Status")
    if not isinstance(physical_id, str) or not 0 < len(physical_id.encode()) <= MAX_ID_BYTES:
        yield "Invalid PhysicalResourceId"
    if status not in ("SUCCESS", "FAILED"):
        yield f"Invalid Status: {status!r} is neither SUCCESS nor FAILED."
    if status == "FAILED" and not response.get("Reason"):
        yield "Invalid Reason: a FAILED response needs one."
    if not isinstance(response.get("Data") or {}, dict):
        yield "Invalid Data: it must be an object."
