"""HTTP exchanges over a connection that is kept: a handshake takes longer than an exchange. Standard library only."""

import http.client
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

Trust = Callable[[], ssl.SSLContext]
"""Gives the context that verifies who answers."""


MOST_IDLE_SECONDS: Final = 20.0
"""How long a connection is kept for the next request. Where the environment is frozen between two of them, the end of a
connection is not always seen before something is sent over it."""

_LONGEST_LABEL: Final = 63
"""Characters between two dots of a host's name (RFC 1035)."""


class Answer(NamedTuple):
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Peer(NamedTuple):
    """Whom a connection leads to."""

    scheme: str
    host: str
    port: int


class _InOnePiece(http.client.HTTPConnection):
    """Sends a request's headers and body together: two packets wake the other side twice."""

    def request_at_once(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a request."""
        self._pieces: list[bytes] = []
        self.request(method, target, body, headers)
        self.sock.sendall(b"".join(self._pieces))

    def connect(self) -> None:
        """Connect."""
        address: Any = (_encoded(self.host), self.port)
        self.sock = socket.create_connection(address, self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:  # type: ignore[override]  # nobody here sends anything but bytes
        self._pieces.append(data)


class _Secured(_InOnePiece):
    """The same over TLS."""

    default_port = http.client.HTTPS_PORT

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout)
        self._verifying = context

    def connect(self) -> None:
        """Connect, and verify who answers."""
        super().connect()
        self.sock = self._verifying.wrap_socket(self.sock, server_hostname=_encoded(self.host))


class Line(NamedTuple):
    """An open connection, whom it leads to, and what of a URL is asked for there."""

    peer: Peer
    connection: _InOnePiece
    target: str


class _Kept(NamedTuple):
    """A connection without a request, and since when: by the clock that goes on while the environment is frozen."""

    connection: _InOnePiece
    since: float


class Transport:
    """Sends requests, each once, and keeps the last connection for the next one. Threads may share it.

    Its methods raise OSError (of making the trust, too), http.client.HTTPException, and ValueError for a bad URL.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._lock = threading.Lock()
        self._kept: dict[Peer, _Kept] = {}
        weakref.finalize(self, _close, self._kept)

    def connect(self, url: str, seconds: float) -> None:
        """Have a connection to a URL's host ready for the exchange to come."""
        peer = _peer(url)
        self._keep(peer, self._connected(peer, seconds))

    def leads_to(self, url: str) -> bool:
        """Whether a connection is kept that leads to a URL's host, and is open."""
        with self._lock:
            kept = self._kept.get(_peer(url))
            return kept is not None and _is_fresh(kept)

    def reach(self, url: str, seconds: float) -> Line:
        """A connection to a URL's host: the kept one if it is open, else a new one, waited for at most so long."""
        peer, target = _peer(url), _target(url)
        return Line(peer, self._take(peer) or self._connected(peer, seconds), target)

    def exchange(self, line: Line, method: str, headers: Mapping[str, str], body: bytes, seconds: float) -> Answer:
        """Send one request and read its answer, waiting at most so long for each piece of data."""
        response = _asked(line, method, headers, body, seconds)
        try:
            answer = Answer(response.status, dict(response.headers.items()), response.read())
        except BaseException:
            line.connection.close()
            raise
        self._done(line, response)
        return answer

    def put(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        """Send one PUT; the status alone is the answer, and whatever else comes is not waited for."""
        line = self.reach(url, seconds)
        response = _asked(line, "PUT", headers, body, seconds)
        status = response.status
        if response.length == 0:
            self._done(line, response)
        else:
            line.connection.close()
        return status

    def _done(self, line: Line, response: http.client.HTTPResponse) -> None:
        response.close()
        if response.will_close:
            line.connection.close()
        else:
            self._keep(line.peer, line.connection)

    def _connected(self, peer: Peer, seconds: float) -> _InOnePiece:
        connection = (
            _Secured(peer.host, peer.port, seconds, self._trust())
            if peer.scheme == "https"
            else _InOnePiece(peer.host, peer.port, timeout=seconds)
        )
        connection.connect()
        return connection

    def _take(self, peer: Peer) -> _InOnePiece | None:
        """The connection that is kept, if it leads there and the other side has not ended it meanwhile."""
        with self._lock:
            kept = self._kept.pop(peer, None)
        if kept is None or _is_fresh(kept):
            return kept and kept.connection
        kept.connection.close()
        return None

    def _keep(self, peer: Peer, connection: _InOnePiece) -> None:
        with self._lock:
            _close(self._kept)
            self._kept[peer] = _Kept(connection, time.time())


def _asked(
    line: Line, method: str, headers: Mapping[str, str], body: bytes, seconds: float
) -> http.client.HTTPResponse:
    try:
        line.connection.sock.settimeout(seconds)
        line.connection.request_at_once(method, line.target, body, headers)
        return line.connection.getresponse()
    except BaseException:
        line.connection.close()
        raise


def _close(kept: dict[Peer, _Kept]) -> None:
    while kept:
        kept.popitem()[1].connection.close()


def _peer(url: str) -> Peer:
    parts = urlsplit(url)
    return Peer(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def _encoded(host: str) -> bytes:
    """A host's name as it is asked for. Python's codec for names loads tables of all the letters there are."""
    is_plain = host.isascii() and all(0 < len(label) <= _LONGEST_LABEL for label in host.removesuffix(".").split("."))
    return host.encode("ascii" if is_plain else "idna")


def _target(url: str) -> str:
    parts = urlsplit(url)
    target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    if not target.isascii() or not target.isprintable() or " " in target:
        raise http.client.InvalidURL("the URL has characters that a request cannot carry")
    return target


def _is_fresh(kept: _Kept) -> bool:
    """Whether a kept connection is still one: not old, and nothing is to be read of it, not even its end."""
    if not 0 <= time.time() - kept.since <= MOST_IDLE_SECONDS:
        return False
    sock = kept.connection.sock
    if _is_silent(sock):
        return True
    # Something has come. It may be what TLS sends by itself.
    sock.settimeout(0)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        pass
    return False


def _is_silent(sock: socket.socket) -> bool:
    """Whether it is certain that nothing has come, neither to the system nor further to TLS."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return False
    try:
        return not select.select([sock], [], [], 0)[0]
    except ValueError:  # too many files are open for this question
        return False
