"""Stubs of Image Builder and CloudFormation's bucket: only what an Update needs, over TLS.

They do as little as possible and run in a separate process, so that they are not measured. Use `stubs`.
"""

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any, Final, cast

from botocore.session import get_session

from benchmarks.cores import use_other_cores
from benchmarks.scene import Seen
from provider.emulator.server import LoopbackServer, Reply
from provider.emulator.wire import Router
from provider.schema.model import SERVICE, UPDATE, content_members
from provider.stack_engine.sink import Put

CERTIFICATE: Final = Path(__file__).parents[1] / "tests" / "emulator" / "test_emulator.pem"
"""The self-signed certificate of a server at 127.0.0.1, and its key. Clients trust it as a CA."""
_NOT_FOUND: Final = Reply(404, {"Content-Type": "application/json"}, b'{"message": "no such operation"}')


class Stubs:
    """Both servers. The constructor starts them."""

    def __init__(self) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATE)
        self._router = Router(get_session().get_service_model(SERVICE))
        self._lock = threading.Lock()
        self.begin({}, 0)
        self._api = LoopbackServer(self._image_builder, tls=tls)
        self._bucket = LoopbackServer(self._take, tls=tls)

    def urls(self) -> tuple[str, str]:
        """Return the URLs of the API and the bucket."""
        return self._api.url, self._bucket.url

    def begin(self, live: dict[str, Any], calls_per_connection: int) -> None:
        """Start a run with this live configuration.

        After so many calls, the API closes the connection, as it does if a connection is idle between two events; 0
        means never.
        """
        self._live = live
        self._calls_per_connection = calls_per_connection
        self._calls: list[tuple[str, bytes]] = []
        self._responses: list[tuple[float, Put]] = []

    def seen(self) -> Seen:
        """Return what the servers received since `begin`."""
        return Seen(self._calls, self._responses)

    def _image_builder(self, method: str, target: str, body: bytes, _headers: Message) -> Reply:
        route = self._router.route(method, target)
        if route is None:
            return _NOT_FOUND
        with self._lock:
            operation = route.operation.name
            self._calls.append((operation, body))
            count = len(self._calls)
            if operation == UPDATE:
                content = json.loads(body)
                self._live |= {member: content[member] for member in content_members() if member in content}
                self._live["dateUpdated"] = str(count)
                answer = {name: content[name] for name in ("clientToken", "distributionConfigurationArn")}
            elif operation == "TagResource":
                self._live["tags"] |= json.loads(body)["tags"]
                answer = {}
            else:
                answer = {"distributionConfiguration": self._live}
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": str(count)}
        if self._calls_per_connection and count % self._calls_per_connection == 0:
            headers["Connection"] = "close"
        return Reply(200, headers, json.dumps({"requestId": str(count), **answer}).encode())

    def _take(self, _method: str, _target: str, body: bytes, headers: Message) -> Reply:
        self._responses.append((time.monotonic(), Put(body, headers.get("Content-Type", ""))))
        return Reply(200, {}, b"")


class _Manager(BaseManager):
    """Runs the stubs in a separate process."""


_Manager.register("stubs", Stubs)


@contextmanager
def stubs() -> Iterator[Stubs]:
    """Run the stubs in a separate process while the block runs."""
    manager = _Manager()
    manager.start(use_other_cores)
    with manager:
        yield cast(Stubs, manager.stubs())  # type: ignore[attr-defined]  # registered above
