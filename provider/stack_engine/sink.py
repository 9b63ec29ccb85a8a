"""Where answers go: a loopback HTTP server in the place of CloudFormation's pre-signed S3 URLs."""

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

MOST_BYTES = 4096
MOST_ID_BYTES = 1024


class AnswerError(Exception):
    """An answer that CloudFormation would not take; the text is its reason as a stack event has it."""


@dataclass(frozen=True)
class Put:
    """One PUT as it arrived; `content_type` is empty where the header was empty or absent."""

    body: bytes
    content_type: str


@dataclass(frozen=True)
class CheckedAnswer:
    """A provider's answer, checked."""

    succeeded: bool
    physical_id: str
    reason: str
    data: Mapping[str, Any]
    no_echo: bool


class Slot:
    """The place for one request's answer: its `url`, and every PUT that arrived there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._puts: list[Put] = []
        self._abandoned = False
        self._changed = threading.Condition()

    @property
    def puts(self) -> tuple[Put, ...]:
        """Every PUT so far, the first one first."""
        with self._changed:
            return tuple(self._puts)

    def wait(self, seconds: float) -> Put | None:
        """The first PUT, waited for; None where none came within `seconds` or before `abandon`."""
        with self._changed:
            self._changed.wait_for(lambda: self._puts or self._abandoned, timeout=seconds)
            return self._puts[0] if self._puts else None

    def abandon(self) -> None:
        """Nobody is left who could answer: whoever waits need not wait on."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    def take(self, put: Put) -> None:
        """Keep a PUT and wake who waits for it."""
        with self._changed:
            self._puts.append(put)
            self._changed.notify_all()


class AnswerSink:
    """Takes answers on 127.0.0.1 for as long as its `with` block runs."""

    def __enter__(self) -> AnswerSink:
        self._slots: dict[str, Slot] = {}
        self._server = LoopbackServer(self._respond)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def open(self, stack_id: str, logical_id: str, request_id: str, date: float | None = None) -> Slot:
        """A new slot for one request; nobody can guess its URL, and no other request shares it.

        `date` is when CloudFormation made the request, in seconds since the epoch; now by default.
        """
        key = quote(f"{stack_id}|{logical_id}|{request_id}", safe="")
        signature = quote(secrets.token_urlsafe(24), safe="")
        signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() if date is None else date))
        query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={signed}&X-Amz-Expires=7200&X-Amz-Signature={signature}"
        target = f"/{key}?{query}"
        slot = self._slots[target] = Slot(self._server.url + target)
        return slot

    def _respond(self, method: str, target: str, body: bytes, headers: Message) -> Reply:
        """Take one answer, as S3 takes what a pre-signed URL allows."""
        if method != "PUT":
            return _reply(405, "MethodNotAllowed")
        if "Content-Length" not in headers:
            return _reply(411, "MissingContentLength")
        slot = self._slots.get(target)
        if slot is None:
            return _reply(403, "SignatureDoesNotMatch")
        content_type = headers.get("Content-Type", "")
        slot.take(Put(body, content_type))
        # S3 signs the content type with the URL, and CloudFormation signs an empty one.
        return _reply(403, "SignatureDoesNotMatch") if content_type else Reply(200, {}, b"")


def _reply(status: int, code: str) -> Reply:
    return Reply(status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode())


def read(put: Put, event: Mapping[str, Any]) -> CheckedAnswer:
    """The answer to `event` that `put` carries. Raises AnswerError where CloudFormation would not take it."""
    for refusal in _refusals(put):
        raise AnswerError(refusal)
    answer = json.loads(put.body)
    for refusal in _defects(answer, event):
        raise AnswerError(refusal)
    return CheckedAnswer(
        succeeded=answer["Status"] == "SUCCESS",
        physical_id=answer["PhysicalResourceId"],
        reason=str(answer.get("Reason") or ""),
        data=answer.get("Data") or {},
        no_echo=bool(answer.get("NoEcho")),
    )


def _refusals(put: Put) -> Iterator[str]:
    if put.content_type:
        yield f"The answer has the content type {put.content_type!r}; S3 takes it with none only."
    if len(put.body) > MOST_BYTES:
        yield "Response object is too long."
    try:
        answer = json.loads(put.body)
    except ValueError:
        yield "Response is not valid JSON."
    else:
        if not isinstance(answer, dict):
            yield "Response is not a JSON object."


def _defects(answer: Mapping[str, Any], event: Mapping[str, Any]) -> Iterator[str]:
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if answer.get(name) != event[name]:
            yield f"Invalid {name}: {answer.get(name)!r} is not the request's."
    physical_id = answer.get("PhysicalResourceId")
    if not isinstance(physical_id, str) or not 0 < len(physical_id.encode()) <= MOST_ID_BYTES:
        yield "Invalid PhysicalResourceId"
    if answer.get("Status") not in ("SUCCESS", "FAILED"):
        yield f"Invalid Status: {answer.get('Status')!r} is neither SUCCESS nor FAILED."
    if answer.get("Status") == "FAILED" and not answer.get("Reason"):
        yield "Invalid Reason: a FAILED answer needs one."
    if not isinstance(answer.get("Data") or {}, dict):
        yield "Invalid Data: it must be an object."
