"""CloudFormation's bucket for responses: HTTPS, with a presigned URL for each request."""

import json
import ssl
import uuid
from email.message import Message
from typing import Any

from e2e.tools import CERTIFICATE, ROOT
from provider.emulator.server import LoopbackServer, Reply
from provider.stack_engine.sink import CheckedResponse, Put, Slot, read

SIGNATURE = "verysecretsignature"


class Bucket:
    """Receives responses over TLS until `close`."""

    def __init__(self) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATE)
        self._slots: dict[str, Slot] = {}
        self._server = LoopbackServer(self._respond, tls=tls)

    def request(self, sample: str, **other: Any) -> "Request":
        """Return a new request from a sample event, with a response URL in this bucket.

        `other` replaces members of the event.
        """
        event = json.loads((ROOT / "events" / f"{sample}.json").read_text(encoding="utf-8"))
        target = f"/{uuid.uuid4()}?X-Amz-Expires=7200&X-Amz-Signature={SIGNATURE}"
        slot = self._slots[target] = Slot(self._server.url + target)
        return Request({**event, "RequestId": str(uuid.uuid4()), "ResponseURL": slot.url, **other}, slot)

    def close(self) -> None:
        """Stop the server."""
        self._server.close()

    def _respond(self, method: str, target: str, body: bytes, headers: Message) -> Reply:
        slot = self._slots.get(target)
        if method != "PUT" or slot is None:
            return Reply(403, {}, b"")
        slot.add(Put(body, headers.get("Content-Type", "")))
        return Reply(200, {}, b"")


class Request:
    """An event for a function, and the responses to it."""

    def __init__(self, event: dict[str, Any], slot: Slot) -> None:
        self.event = event
        self._slot = slot

    @property
    def response_count(self) -> int:
        """The number of responses so far."""
        return len(self._slot.puts)

    @property
    def response(self) -> CheckedResponse:
        """The only response, checked against CloudFormation's rules."""
        (put,) = self._slot.puts
        return read(put, self.event)
