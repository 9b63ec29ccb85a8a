"""A recording server, and a plain botocore client to compare with."""

import os
import ssl
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import create_loader

from provider.aws import client as aws
from provider.emulator.server import LoopbackServer, Reply
from provider.schema.model import SERVICE

CERTIFICATE = Path(__file__).parents[1] / "emulator" / "test_emulator.pem"
"""Certificate and key of a server at 127.0.0.1. It is self-signed, so it is also the CA to trust."""
PREFIXES = ("AWS_", "SSL_CERT_", "_X_AMZN_")
SETTINGS = [name for name in os.environ if name.startswith(PREFIXES) or name.lower().endswith("_proxy")]
"""The variables of this machine that affect a client."""
_NAMES = ("user-agent", "amz-sdk-invocation-id")
_LOADER = create_loader()
"""For plain clients: reading botocore's data is slow."""


@dataclass(frozen=True)
class Received:
    """A request as received. The headers that identify the sender and the call are separate from the others."""

    method: str
    target: str
    headers: frozenset[tuple[str, str]]
    body: bytes
    names: frozenset[tuple[str, str]] = field(compare=False)

    def __getitem__(self, header: str) -> str:
        """Return a header's value; empty if it is missing."""
        return dict(self.headers | self.names).get(header, "")


class Recorder(LoopbackServer):
    """A server that records requests and returns the same response to each; with a certificate, over TLS.

    `connections` counts its connections.
    """

    def __init__(self, *, certificate: Path | None = CERTIFICATE, port: int = 0) -> None:
        self.certificate = certificate
        self.reply = Reply(200, {"Content-Type": "application/json"}, b"{}")
        self.received: list[Received] = []
        self.connections = 0
        tls = None
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
        super().__init__(self._keep, port, tls)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port of the server."""
        return int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count the connection."""
        self.connections += 1
        super().process_request(request, client_address)

    def _keep(self, method: str, target: str, body: bytes, headers: Message) -> Reply:
        told = frozenset((name.lower(), value) for name, value in headers.items())
        names = frozenset(each for each in told if each[0] in _NAMES)
        self.received.append(Received(method, target, told - names, body, names))
        return self.reply


def client() -> Any:
    """Return the client that the function uses: of Image Builder, in the Region of AWS_REGION."""
    return aws.client(SERVICE, os.environ.get("AWS_REGION"))


def plain_client() -> Any:
    """Return a client with all of botocore's defaults. Close it after use.

    If the environment does not set a retry mode, it retries like ours.
    """
    config = None if "AWS_RETRY_MODE" in os.environ else Config(retries={"mode": "standard"})
    session = botocore.session.get_session()
    session.register_component("data_loader", _LOADER)
    return session.create_client(SERVICE, region_name=os.environ.get("AWS_REGION"), config=config)
