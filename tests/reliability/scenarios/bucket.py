"""Receives responses in place of S3: a loopback server with one URL for each request."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from types import TracebackType
from typing import Self

from provider.emulator.faults import Fault
from provider.emulator.server import LoopbackServer, Reply


@dataclass
class Mailbox:
    """Receives one request's response. It rejects `rejections` PUTs with 503, and calls `on_put` for all others."""

    url: str = ""
    rejections: int = 0
    bodies: list[bytes] = field(default_factory=list)


class Bucket:
    """Receives responses. `on_put` runs before and after a PUT; an exception in it cuts the connection."""

    on_put: Callable[[Mailbox, bytes, str], None] | None = None

    def __init__(self) -> None:
        self._mailboxes: dict[str, Mailbox] = {}
        self._server = LoopbackServer(self._respond)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def open(self, number: int, date: float) -> Mailbox:
        """Return a mailbox for a request with this number and date."""
        signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(date))
        target = f"/{number}?X-Amz-Date={signed}&X-Amz-Expires=7200&X-Amz-Signature=s"
        mailbox = self._mailboxes[target] = Mailbox(self._server.url + target)
        return mailbox

    def clear(self) -> None:
        """Remove all mailboxes."""
        self._mailboxes.clear()

    def _respond(self, _method: str, target: str, body: bytes, _headers: Message) -> Reply | Fault:
        mailbox = self._mailboxes.get(target)
        if mailbox is None:
            return Reply(403, {}, b"")
        if mailbox.rejections > 0:
            mailbox.rejections -= 1
            return Reply(503, {}, b"")
        if self.on_put:
            self.on_put(mailbox, body, "before")
        mailbox.bodies.append(body)
        if self.on_put:
            self.on_put(mailbox, body, "after")
        return Reply(200, {}, b"")
