"""HTTP over a pooled connection: a TLS handshake takes longer than a request. Standard library only."""

import http.client
import io
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

SSLContextFactory = Callable[[], ssl.SSLContext]
"""Returns the SSL context that verifies the server's certificate."""

MAX_IDLE_SECONDS: Final = 20.0
"""How long a connection may be idle. If Lambda has frozen the environment meanwhile, a connection that the server has
closed may look open until something is sent."""

_MAX_INTERIM_RESPONSES: Final = 16
"""How many 1xx responses may precede the final one."""

_MAX_LABEL: Final = 63
"""Characters between two dots of a host name (RFC 1035)."""


class HTTPReply(NamedTuple):
    """A complete HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Server = tuple[str, str, int]
"""The scheme, the host, and the port of a connection's server."""


class _TimedReader(io.RawIOBase):
    """Reads from a socket until `end`, even if data arrives byte by byte."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, end: float) -> None:
        self.end = end
        self._sock, self._raw = sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _FinalResponse(http.client.HTTPResponse):
    """A response that skips all interim responses (the standard library skips only 100) and arrives before `end`."""

    def __init__(self, sock: socket.socket, end: float, method: str) -> None:
        super().__init__(sock, method=method)
        self._reader = _TimedReader(sock, self.fp.detach(), end)
        self.fp = io.BufferedReader(self._reader)

    def has_extra_data(self) -> bool:
        """Return whether more than the response was read. That belongs to no request, and more may follow."""
        self._reader.end = 0.0  # `peek` reads nothing more
        try:
            return self.fp is not None and bool(self.fp.peek(1))
        except TimeoutError:
            return False

    def begin(self) -> None:
        """Read up to the body of the final response."""
        for _ in range(_MAX_INTERIM_RESPONSES + 1):
            super().begin()
            if self.status >= http.client.OK:
                return
            self.headers = None  # type: ignore[assignment]  # makes begin() read the next status line
        raise http.client.HTTPException("too many interim responses")


class _SingleWriteConnection(http.client.HTTPConnection):
    """Sends the headers and the body of a request in one write, because two packets would wake the server twice."""

    def exchange(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> _FinalResponse:
        """Send a request and return the response, up to its body. `seconds` is the time for all of it."""
        if seconds <= 0:
            raise TimeoutError
        self._end = time.monotonic() + seconds
        self._pieces: list[bytes] = []
        self.request(method, target, body, headers)
        self.sock.settimeout(seconds)
        self.sock.sendall(b"".join(self._pieces))
        return cast(_FinalResponse, self.getresponse())

    def response_class(self, sock: socket.socket, method: str) -> _FinalResponse:  # type: ignore[override]  # getresponse() calls it
        return _FinalResponse(sock, self._end, method)

    def connect(self) -> None:
        """Connect."""
        address: Any = (_encoded(self.host), self.port)
        self.sock = socket.create_connection(address, self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:  # type: ignore[override]  # only bytes are sent here
        self._pieces.append(data)


class _TLSConnection(_SingleWriteConnection):
    """The same over TLS."""

    default_port = http.client.HTTPS_PORT

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout)
        self._verifying = context

    def connect(self) -> None:
        """Connect, and verify the server's certificate."""
        super().connect()
        self.sock = self._verifying.wrap_socket(self.sock, server_hostname=_encoded(self.host))


class PooledConnection(NamedTuple):
    """An open connection, its server, and the request target of the URL that it was opened for."""

    server: Server
    connection: _SingleWriteConnection
    target: str

    def close(self) -> None:
        """Close a connection that is not in use."""
        self.connection.close()


_Idle = tuple[_SingleWriteConnection, float]
"""An idle connection, and since when it has been idle."""


class Transport:
    """Sends each request once, and keeps the last connection in a pool of one. Threads may share it.

    `clock` measures idle time and must keep running while Lambda freezes the environment. The methods raise OSError
    (also for an unreadable CA bundle), http.client.HTTPException, and ValueError (invalid URL).
    """

    def __init__(self, ssl_context: SSLContextFactory, clock: Callable[[], float] = time.time) -> None:
        self._ssl_context = ssl_context
        self._clock = clock
        self._lock = threading.Lock()
        self._pool: dict[Server, _Idle] = {}
        weakref.finalize(self, _close, self._pool)

    def connect(self, url: str, seconds: float) -> None:
        """Open a connection to a URL's host and put it into the pool."""
        server = _server(url)
        self._put_back(server, self._open(server, seconds))

    def has_connection(self, url: str) -> bool:
        """Return whether the pool has an open connection to a URL's host."""
        with self._lock:
            idle = self._pool.get(_server(url))
            return idle is not None and self._is_fresh(idle)

    def pooled(self, url: str) -> PooledConnection | None:
        """Take the connection to a URL's host out of the pool, unless the server has closed it."""
        server, target = _server(url), _target(url)
        with self._lock:
            idle = self._pool.pop(server, None)
        if idle is None or self._is_fresh(idle):
            return idle and PooledConnection(server, idle[0], target)
        idle[0].close()
        return None

    def connection(self, url: str, seconds: float) -> PooledConnection:
        """Return a connection to a URL's host: the pooled one if it is open, else a new one with this timeout."""
        server = _server(url)
        return self.pooled(url) or PooledConnection(server, self._open(server, seconds), _target(url))

    def exchange(
        self, connection: PooledConnection, method: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> HTTPReply:
        """Send one request and read the response. Both must end within `seconds`."""
        response = _send(connection, method, headers, body, seconds)
        try:
            reply = HTTPReply(response.status, dict(response.headers.items()), _body(response))
        except BaseException:
            connection.connection.close()
            raise
        self._release(connection, response)
        return reply

    def put(self, connection: PooledConnection, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        """Send one PUT and return the status, within `seconds`, without waiting for the body of the response.

        Only a success without a body leaves the connection open. A server that rejects a request may not have read all
        of it, and would parse the rest as the next request.
        """
        response = _send(connection, "PUT", headers, body, seconds)
        status = response.status
        if is_success(status) and response.length == 0:
            self._release(connection, response)
        else:
            response.close()
            connection.close()
        return status

    def _release(self, connection: PooledConnection, response: _FinalResponse) -> None:
        is_reusable = not response.will_close and not response.has_extra_data()
        response.close()
        if is_reusable:
            self._put_back(connection.server, connection.connection)
        else:
            connection.close()

    def _open(self, server: Server, seconds: float) -> _SingleWriteConnection:
        scheme, host, port = server
        connection = (
            _TLSConnection(host, port, seconds, self._ssl_context())
            if scheme == "https"
            else _SingleWriteConnection(host, port, timeout=seconds)
        )
        connection.connect()
        return connection

    def _put_back(self, server: Server, connection: _SingleWriteConnection) -> None:
        with self._lock:
            _close(self._pool)
            self._pool[server] = (connection, self._clock())

    def _is_fresh(self, idle: _Idle) -> bool:
        """Return whether a pooled connection is usable: not idle for too long, and not closed by the server."""
        connection, since = idle
        return 0 <= self._clock() - since <= MAX_IDLE_SECONDS and _is_untouched(connection.sock)


def is_success(status: int) -> bool:
    """Return whether an HTTP status means success."""
    return 200 <= status < 300


def _send(
    connection: PooledConnection, method: str, headers: Mapping[str, str], body: bytes, seconds: float
) -> _FinalResponse:
    try:
        return connection.connection.exchange(method, connection.target, body, headers, seconds)
    except BaseException:
        connection.close()
        raise


def _close(pool: dict[Server, _Idle]) -> None:
    while pool:
        pool.popitem()[1][0].close()


def _server(url: str) -> Server:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _encoded(host: str) -> bytes:
    """Encode a host name. For plain ASCII, avoid Python's IDNA codec, which loads large Unicode tables."""
    is_plain = host.isascii() and all(0 < len(label) <= _MAX_LABEL for label in host.removesuffix(".").split("."))
    return host.encode("ascii" if is_plain else "idna")


def _target(url: str) -> str:
    """Return the path and the query unchanged: `urlunsplit` would change a path that starts with two slashes."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.isascii() or not target.isprintable() or " " in target:
        raise http.client.InvalidURL("the URL contains characters that are not allowed in a request")
    return target


def _body(response: http.client.HTTPResponse) -> bytes:
    """Read the whole body. If its length is known, read no further, so that `has_extra_data` sees what follows."""
    if response.length is None:
        return response.read()
    body = response.fp.read(response.length)
    if len(body) < response.length:
        raise http.client.IncompleteRead(body, response.length - len(body))
    return body


def _is_silent(sock: socket.socket) -> bool:
    """Return whether there is certainly nothing to read from the socket and its TLS buffer."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return False
    try:
        return not select.select([sock], [], [], 0)[0]
    except ValueError:  # select() cannot handle file descriptors this high
        return False


def _is_untouched(sock: socket.socket) -> bool:
    """Return whether nothing was received except TLS's own messages."""
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
