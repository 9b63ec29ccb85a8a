"""HTTP exchanges over a connection that is kept: a handshake takes longer than an exchange. Standard library only."""

import http.client
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

SSLContextFactory = Callable[[], ssl.SSLContext]
"""Returns the SSL context that verifies the server's certificate."""


MOST_IDLE_SECONDS: Final = 20.0
"""How long a connection is kept for the next request. Where the environment is frozen between two of them, the end of a
connection is not always seen before something is sent over it."""

_MAX_INTERIM_RESPONSES: Final = 16
"""How many 1xx responses may precede the final one."""

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


class _FinalResponse(http.client.HTTPResponse):
    """A response whose status is final. The standard library skips only 100, and takes 102 and 103 for final ones."""

    def begin(self) -> None:
        """Read up to the body of the final response."""
        for _ in range(_MAX_INTERIM_RESPONSES + 1):
            super().begin()
            if self.status >= http.client.OK:
                return
            self.headers = None  # type: ignore[assignment]  # makes begin() read the next status line
        raise http.client.HTTPException("too many interim responses")


class _SingleWriteConnection(http.client.HTTPConnection):
    """Sends a request's headers and body together: two packets wake the other side twice."""

    response_class = _FinalResponse

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


class _Secured(_SingleWriteConnection):
    """The same over TLS."""

    default_port = http.client.HTTPS_PORT

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout)
        self._verifying = context

    def connect(self) -> None:
        """Connect, and verify who answers."""
        super().connect()
        self.sock = self._verifying.wrap_socket(self.sock, server_hostname=_encoded(self.host))


class PooledConnection(NamedTuple):
    """An open connection, its peer, and the request target of the URL that it was opened for."""

    peer: Peer
    connection: _SingleWriteConnection
    target: str

    def abort(self) -> None:
        """End an exchange that another thread waits for: that thread gets an error."""
        sock = self.connection.sock
        if sock is None:  # the exchange has ended already
            return
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # SSLSocket's own would remove TLS under a reading thread

    def close(self) -> None:
        """Close a connection that nothing is sent over."""
        self.connection.close()


class _Kept(NamedTuple):
    """A connection without a request, and since when."""

    connection: _SingleWriteConnection
    since: float


class Transport:
    """Sends requests, each once, and keeps the last connection for the next one. Threads may share it.

    `clock` measures how long a connection has been idle; it has to keep running while the environment is frozen.
    Its methods raise OSError (of making the trust, too), http.client.HTTPException, and ValueError for a bad URL.
    """

    def __init__(self, ssl_context: SSLContextFactory, clock: Callable[[], float] = time.time) -> None:
        self._ssl_context = ssl_context
        self._clock = clock
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
            return kept is not None and self._is_fresh(kept)

    def reach(self, url: str, seconds: float) -> PooledConnection:
        """A connection to a URL's host: the kept one if it is open, else a new one, waited for at most so long."""
        peer, target = _peer(url), _target(url)
        return PooledConnection(peer, self._take(peer) or self._connected(peer, seconds), target)

    def exchange(
        self, line: PooledConnection, method: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Answer:
        """Send one request and read its answer, waiting at most so long for each piece of data."""
        response = _asked(line, method, headers, body, seconds)
        try:
            answer = Answer(response.status, dict(response.headers.items()), _body(response))
        except BaseException:
            line.connection.close()
            raise
        self._done(line, response)
        return answer

    def put(self, connection: PooledConnection, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        """Send one PUT and return the status. The body of the response is not waited for.

        Only a success without a body leaves the connection open: a server that rejects a request may not have read all
        of it, and would take the rest for the next one.
        """
        response = _asked(connection, "PUT", headers, body, seconds)
        status = response.status
        if is_success(status) and response.length == 0:
            self._done(connection, response)
        else:
            response.close()
            connection.close()
        return status

    def _done(self, line: PooledConnection, response: http.client.HTTPResponse) -> None:
        is_reusable = not response.will_close and not _has_leftovers(line.connection.sock, response)
        response.close()
        if is_reusable:
            self._keep(line.peer, line.connection)
        else:
            line.close()

    def _connected(self, peer: Peer, seconds: float) -> _SingleWriteConnection:
        connection = (
            _Secured(peer.host, peer.port, seconds, self._ssl_context())
            if peer.scheme == "https"
            else _SingleWriteConnection(peer.host, peer.port, timeout=seconds)
        )
        connection.connect()
        return connection

    def _take(self, peer: Peer) -> _SingleWriteConnection | None:
        """The connection that is kept, if it leads there and the other side has not ended it meanwhile."""
        with self._lock:
            kept = self._kept.pop(peer, None)
        if kept is None or self._is_fresh(kept):
            return kept and kept.connection
        kept.connection.close()
        return None

    def _keep(self, peer: Peer, connection: _SingleWriteConnection) -> None:
        with self._lock:
            _close(self._kept)
            self._kept[peer] = _Kept(connection, self._clock())

    def _is_fresh(self, kept: _Kept) -> bool:
        """Whether a kept connection can be used: it is not old, and nothing can be read from it, not even its end."""
        return 0 <= self._clock() - kept.since <= MOST_IDLE_SECONDS and _is_untouched(kept.connection.sock)


def is_success(status: int) -> bool:
    """Whether an HTTP status says that the request was carried out."""
    return 200 <= status < 300


def _asked(
    line: PooledConnection, method: str, headers: Mapping[str, str], body: bytes, seconds: float
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
    """The path and the query, verbatim: `urlunsplit` changes a path that starts with two slashes."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii() or not target.isprintable() or " " in target:
        raise http.client.InvalidURL("the URL has characters that a request cannot carry")
    return target


def _body(response: http.client.HTTPResponse) -> bytes:
    """The whole body. Where its length is announced, what follows it stays where `_has_leftovers` sees it."""
    if response.length is None:
        return response.read()
    body = response.fp.read(response.length)
    if len(body) < response.length:
        raise http.client.IncompleteRead(body, response.length - len(body))
    return body


def _has_leftovers(sock: socket.socket, response: http.client.HTTPResponse) -> bool:
    """Whether more was read than the response. The rest of that may still be on its way, and belongs to no request."""
    if response.fp is None:
        return False
    sock.settimeout(0)
    try:
        return bool(response.fp.peek(1))
    except OSError:  # nothing has come
        return False


def _is_silent(sock: socket.socket) -> bool:
    """Whether it is certain that nothing has come, neither to the system nor further to TLS."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return False
    try:
        return not select.select([sock], [], [], 0)[0]
    except ValueError:  # too many files are open for this question
        return False


def _is_untouched(sock: socket.socket) -> bool:
    """Whether nothing has come over a connection but what TLS sends by itself."""
    if _is_silent(sock):
        return True
    sock.settimeout(0)
    try:
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        pass
    return False
