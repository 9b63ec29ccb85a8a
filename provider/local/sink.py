"""Where answers go: a loopback HTTP server in the place of CloudFormation's pre-signed S3 URLs."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

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
class Answer:
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


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.slots: dict[str, Slot] = {}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_PUT(self) -> None:
        """Take one answer, as S3 takes what a pre-signed URL allows."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._say(411, "MissingContentLength")
            return
        body = self.rfile.read(int(length))
        slot = self.server.slots.get(self.path)
        content_type = self.headers.get("Content-Type", "")
        if slot is None:
            self._say(403, "SignatureDoesNotMatch")
            return
        slot.take(Put(body, content_type))
        # S3 signs the content type with the URL, and CloudFormation signs an empty one.
        self._say(403 if content_type else 200, "SignatureDoesNotMatch" if content_type else "")

    def _say(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's signature
        """Say nothing: what arrived is kept in the slot."""


class AnswerSink:
    """Takes answers on 127.0.0.1 for as long as its `with` block runs."""

    def __enter__(self) -> AnswerSink:
        self._server = _Server()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def open(self, stack_id: str, logical_id: str, request_id: str) -> Slot:
        """A new slot for one request; nobody can guess its URL, and no other request shares it."""
        key = quote(f"{stack_id}|{logical_id}|{request_id}", safe="")
        signature = quote(secrets.token_urlsafe(24), safe="")
        query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=7200&X-Amz-Signature={signature}"
        url = f"http://127.0.0.1:{self._server.server_address[1]}/{key}?{query}"
        slot = Slot(url)
        parts = urlsplit(url)
        self._server.slots[f"{parts.path}?{parts.query}"] = slot
        return slot


def read(put: Put, event: Mapping[str, Any]) -> Answer:
    """The answer to `event` that `put` carries. Raises AnswerError where CloudFormation would not take it."""
    for refusal in _refusals(put):
        raise AnswerError(refusal)
    answer = json.loads(put.body)
    for refusal in _defects(answer, event):
        raise AnswerError(refusal)
    return Answer(
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
