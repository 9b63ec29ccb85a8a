"""A pooled connection is reused only if nothing is left to read from it."""

import io
import resource
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, IncompleteRead

import pytest

from provider.aws.tls import tls_context
from provider.aws.transport import Transport
from provider.emulator.server import Reply
from tests.aws.wire import CERTIFICATE, Recorder

SECONDS = 10.0


def http_response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@contextmanager
def server(first: bytes) -> Iterator[tuple[str, list[socket.socket]]]:
    """A TLS server that sends these bytes as each connection's first response, and then a normal response."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    connections: list[socket.socket] = []

    def serve(connection: ssl.SSLSocket) -> None:
        with suppress(OSError):
            for data in (first, http_response(b"later")):
                connection.recv(65536)
                connection.sendall(data)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection = tls.wrap_socket(listener.accept()[0], server_side=True)
                connections.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/", connections
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


@pytest.fixture
def transport() -> Transport:
    """A transport that trusts the server."""
    return Transport(lambda: tls_context(str(CERTIFICATE)))


@contextmanager
def plain_server(*replies: bytes) -> Iterator[tuple[str, list[bytes], threading.Event]]:
    """A server that replies to the n-th request with the n-th bytes, over any connection, and records requests.

    A reply's parts, split by `LATER`, are sent one by one, each when the event is set.
    """
    requests: list[bytes] = []
    later = threading.Event()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while request := connection.recv(65536):
                requests.append(request)
                first, *rest = replies[min(len(requests), len(replies)) - 1].split(LATER)
                connection.sendall(first)
                for part in rest:
                    later.wait(SECONDS)
                    connection.sendall(part)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/", requests, later
        finally:
            later.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


LATER = b"<later>"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def put(transport: Transport, url: str, body: bytes = b"body") -> int:
    return transport.put(transport.connection(url, SECONDS), {}, body, SECONDS)


def exchanged(transport: Transport, url: str) -> bytes:
    return transport.exchange(transport.connection(url, SECONDS), "GET", {}, b"", SECONDS).body


def test_a_connection_without_extra_data_is_reused(transport: Transport) -> None:
    """Requests with normal responses share one connection."""
    with server(http_response(b"first")) as (url, connections):
        assert [exchanged(transport, url), exchanged(transport, url)] == [b"first", b"later"]
        assert len(connections) == 1


def test_bytes_after_a_response_belong_to_no_request(transport: Transport) -> None:
    """Bytes after a response, already decrypted, are not the response to the next request."""
    room = io.DEFAULT_BUFFER_SIZE  # so much is taken from TLS at a time
    body = b"x" * (room - len(http_response(b"")) - len(str(room)) + 1)
    whole = http_response(body)
    assert len(whole) == room
    with server(whole + http_response(b"nobody's")) as (url, connections):
        assert [exchanged(transport, url), exchanged(transport, url)] == [body, body]
        assert len(connections) == 2


def test_a_connection_is_reused_despite_many_open_files(transport: Transport) -> None:
    """If a process has more open files than `select` supports, a connection is still reused."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this process may not have so many files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    files = [socket.socket() for _ in range(1100)]
    try:
        with server(http_response(b"first")) as (url, connections):
            assert [exchanged(transport, url), exchanged(transport, url)] == [b"first", b"later"]
            assert len(connections) == 1
    finally:
        for file in files:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("interim", [100, 102, 103, 199])
@pytest.mark.parametrize("pause", [b"", LATER])
def test_an_interim_response_is_not_the_final_one(interim: int, pause: bytes) -> None:
    """After any 1xx response, the final one is read, at once or later, and the connection is reused."""
    early = b"HTTP/1.1 %d Wait\r\nLink: </x>; rel=preload\r\n\r\n" % interim
    transport = Transport(ssl.create_default_context)
    with plain_server(early + early + pause + http_response(b"whole"), EMPTY) as (url, requests, later):
        later.set()
        assert exchanged(transport, url) == b"whole"
        assert put(transport, url) == 200
        assert len(requests) == 2
        assert transport.has_connection(url)


def test_interim_responses_are_bounded() -> None:
    """A server that sends only interim responses does not block forever."""
    with (
        plain_server(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000) as (url, _, _),
        pytest.raises(HTTPException, match="interim"),
    ):
        put(Transport(ssl.create_default_context), url)


def test_an_interim_response_alone_is_no_response() -> None:
    """If a connection ends after an interim response, the request has failed."""
    with plain_server(b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n") as (url, _, _):
        transport = Transport(ssl.create_default_context)
        with pytest.raises((OSError, HTTPException)):
            transport.put(transport.connection(url, SECONDS), {}, b"body", 0.2)
        assert not transport.has_connection(url)


@pytest.mark.parametrize(
    "reply",
    [
        EMPTY + b"HTTP/1.1 ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nbody",
        b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 400 RequestTimeout\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_put_leaves_nothing_for_the_next_one(reply: bytes) -> None:
    """After an unread body, bytes beyond the response, or a rejection, the connection is not reused."""
    transport = Transport(ssl.create_default_context)
    with plain_server(reply + LATER + b"503 Not Yours\r\n\r\n", EMPTY) as (url, _, later):
        assert put(transport, url) == int(reply.split()[1])
        assert not transport.has_connection(url)
        later.set()
        assert put(transport, url) == 200
        assert transport.has_connection(url)


def test_an_exchange_leaves_nothing_for_the_next_one() -> None:
    """If bytes beyond a response were read with it, its connection is not reused, even if more follows later."""
    transport = Transport(ssl.create_default_context)
    with plain_server(http_response(b"first") + b"HTTP/1.1 200 OK\r\nContent-", http_response(b"second")) as (
        url,
        _,
        _,
    ):
        assert exchanged(transport, url) == b"first"
        assert not transport.has_connection(url)
        assert exchanged(transport, url) == b"second"


def test_a_body_that_breaks_off_is_an_error() -> None:
    """A response whose body ends early is an error, and its connection is not reused."""
    transport = Transport(ssl.create_default_context)
    with plain_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf" + LATER, http_response(b"x")) as (
        url,
        _,
        later,
    ):
        connection = transport.connection(url, SECONDS)
        later.set()
        with pytest.raises((IncompleteRead, TimeoutError)):
            transport.exchange(connection, "GET", {}, b"", 0.2)
        assert not transport.has_connection(url)


@pytest.mark.parametrize(("idle", "reused"), [(0.0, True), (19.0, True), (21.0, False), (3600.0, False), (-1.0, False)])
def test_a_connection_is_reused_for_twenty_seconds(idle: float, reused: bool) -> None:
    """A connection that was idle for longer is not reused: the server may have closed it while Lambda was frozen."""
    now = [1_000_000.0]
    transport = Transport(ssl.create_default_context, clock=lambda: now[0])
    with Recorder(certificate=None) as recorder:
        recorder.reply = Reply(200, {}, b"")
        url = f"{recorder.url}/"
        put(transport, url)
        now[0] += idle
        assert transport.has_connection(url) is reused
        put(transport, url)
        assert recorder.connections == (1 if reused else 2)


@pytest.mark.parametrize(
    "target", ["/", "/a/b", "//x", "//x//y?a=b", "/x?", "/a;b=c?d=e?f", "/%2F%2f?X-Amz-Signature=a%2Bb", "///"]
)
def test_a_request_goes_to_the_target_of_its_url(target: str) -> None:
    """The path and the query arrive unchanged, because the URL's signature covers them."""
    with plain_server(EMPTY) as (url, requests, _):
        put(Transport(ssl.create_default_context), url.removesuffix("/") + target)
        assert requests[0].split()[1].decode() == target.removesuffix("?")


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 102 Wait\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_an_exchange_ends_in_time_even_if_the_response_arrives_slowly(start: bytes) -> None:
    """The time is for the whole exchange, not for each read."""
    transport = Transport(ssl.create_default_context)
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with suppress(OSError), connection:
            connection.sendall(start)
            while not ended.wait(0.05):
                connection.sendall(b"x" if b"OK" in start else b"HTTP/1.1 102 Wait\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(TimeoutError):
            transport.exchange(transport.connection(url, SECONDS), "GET", {}, b"", 0.3)
        ended.set()
        thread.join()
    assert not transport.has_connection(url)


@pytest.mark.parametrize("seconds", [0.0, -0.1])
def test_nothing_is_sent_if_no_time_is_left(seconds: float) -> None:
    """An exchange whose time is already up is a timeout, and sends nothing."""
    transport = Transport(ssl.create_default_context)
    with plain_server(EMPTY) as (url, requests, _):
        with pytest.raises(TimeoutError):
            transport.put(transport.connection(url, SECONDS), {}, b"body", seconds)
        assert put(transport, url) == 200
        assert len(requests) == 1
