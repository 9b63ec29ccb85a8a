"""A connection that is kept is used again only where nothing is left on it."""

import io
import resource
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from provider.tls import tls_context
from provider.transport import Transport
from tests.client.wire import CERTIFICATE

SECONDS = 10.0


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@contextmanager
def server(first: bytes) -> Iterator[tuple[str, list[socket.socket]]]:
    """A TLS server that answers each connection's first request with these bytes, in one record, the next one well."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    connections: list[socket.socket] = []

    def serve(connection: ssl.SSLSocket) -> None:
        with suppress(OSError):
            for told in (first, answer(b"later")):
                connection.recv(65536)
                connection.sendall(told)

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
    """One that trusts the server."""
    return Transport(lambda: tls_context(str(CERTIFICATE)))


def exchanged(transport: Transport, url: str) -> bytes:
    return transport.exchange(transport.reach(url, SECONDS), "GET", {}, b"", SECONDS).body


def test_a_connection_with_nothing_left_is_used_again(transport: Transport) -> None:
    """Requests that are answered as they should be share one connection."""
    with server(answer(b"first")) as (url, connections):
        assert [exchanged(transport, url), exchanged(transport, url)] == [b"first", b"later"]
        assert len(connections) == 1


def test_what_is_left_of_an_answer_is_nobody_s_answer(transport: Transport) -> None:
    """What a server sent beyond its answer, already deciphered, is not taken for the answer to the next request."""
    room = io.DEFAULT_BUFFER_SIZE  # so much is taken from TLS at a time
    body = b"x" * (room - len(answer(b"")) - len(str(room)) + 1)
    whole = answer(body)
    assert len(whole) == room
    with server(whole + answer(b"nobody's")) as (url, connections):
        assert [exchanged(transport, url), exchanged(transport, url)] == [body, body]
        assert len(connections) == 2


def test_many_open_files_are_no_hindrance(transport: Transport) -> None:
    """Where a process has more files open than `select` can tell apart, a connection is used again all the same."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("this process may not have so many files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    files = [socket.socket() for _ in range(1100)]
    try:
        with server(answer(b"first")) as (url, connections):
            assert [exchanged(transport, url), exchanged(transport, url)] == [b"first", b"later"]
            assert len(connections) == 1
    finally:
        for file in files:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
