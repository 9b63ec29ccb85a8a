"""The answer is delivered, again and again the same, for as long as there is time."""

import contextlib
import http.server
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from provider.protocol.delivery import Undelivered, deliver
from tests.threads import finish

SECRET = "X-Amz-Signature=verysecret"


@contextmanager
def bucket(*statuses: int) -> Iterator[tuple[str, list[bytes]]]:
    """A bucket that answers with these statuses in turn, and keeps what it got."""
    bodies: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.headers["content-type"] == ""
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            status = statuses[min(len(bodies), len(statuses)) - 1]
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/key?{SECRET}", bodies
        finally:
            server.shutdown()
            thread.join()


def seconds(total: float) -> Callable[[], float]:
    """A clock that loses a tenth of its seconds at every look."""
    left = [total]

    def look() -> float:
        left[0] -= total / 10
        return left[0]

    return look


def test_the_body_arrives() -> None:
    """One PUT with an empty content type delivers the body."""
    with bucket(200) as (url, bodies):
        deliver(url, b"body", seconds(5))
    assert bodies == [b"body"]


def test_passing_trouble_is_tried_again_with_the_same_body() -> None:
    """5xx, 429 and 408 are tried again, with the same body."""
    with bucket(503, 429, 408, 200) as (url, bodies):
        deliver(url, b"body", seconds(20))
    assert bodies == [b"body"] * 4


@contextmanager
def raw(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends these bytes in turn, the last one for ever, and ends the connection; and what it got."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        got.append(connection.recv(65536))
                        connection.sendall(answers[min(len(got), len(answers)) - 1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/key?{SECRET}", got
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize("length", [10**15, 10**20])
def test_a_refusal_is_none_less_for_a_body_that_nobody_can_hold(length: int) -> None:
    """A 503 that announces an endless body is tried again like any other, never taken for delivered."""
    refused = b"HTTP/1.1 503 Slow Down\r\nContent-Length: %d\r\n\r\n" % length
    with raw(refused, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, got):
        deliver(url, b"body", seconds(20))
    assert len(got) == 2


def test_an_answer_is_taken_when_its_status_says_so() -> None:
    """A 200 whose body breaks off is a delivery: it is not sent again."""
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx") as (url, got):
        deliver(url, b"body", seconds(20))
    assert len(got) == 1


def test_an_answer_is_delivered_where_no_thread_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the process may have no further thread, the answer goes out all the same."""

    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "delivery":
            raise RuntimeError("can't start new thread")
        start(thread)

    with bucket(200) as (url, bodies):
        monkeypatch.setattr("provider.protocol.worker._WAITING", [])
        monkeypatch.setattr(threading.Thread, "start", refuse)
        deliver(url, b"body", seconds(20))
    assert bodies == [b"body"]


@pytest.mark.parametrize("status", [301, 400, 403, 404])
def test_a_refusal_is_final(status: int) -> None:
    """403 and its like are final: an expired URL does not get better."""
    with bucket(status) as (url, bodies), pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(20))
    assert caught.value.final
    assert len(bodies) == 1


def test_it_ends_with_its_time() -> None:
    """Trouble that does not pass ends as undelivered when the time is up, and another try may help."""
    with bucket(503) as (url, _), pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(2))
    assert not caught.value.final


def test_nobody_there_is_worth_another_try(caplog: pytest.LogCaptureFixture) -> None:
    """A refused connection is tried again, and the URL is in no log line and no error."""
    with bucket(200) as (url, _):
        pass
    with caplog.at_level(logging.DEBUG), pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(2))
    assert not caught.value.final
    assert "another one follows" in caplog.text
    for text in (caplog.text, repr(caught.value), str(caught.value)):
        assert "verysecret" not in text
        assert "127.0.0.1" not in text


def test_a_url_that_http_cannot_carry_is_final_and_stays_secret() -> None:
    """A URL with a control character is refused without being quoted."""
    with pytest.raises(Undelivered) as caught:
        deliver(f"http://127.0.0.1:1/a b?{SECRET}", b"body", seconds(5))
    assert caught.value.final
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://a..b/x", "http://127.0.0.1:1/\u00e4?x", "http://[::1/x"])
def test_a_url_of_nonsense_is_final(url: str) -> None:
    """A URL that no connection can be made of is undelivered for good, not an error of another kind."""
    with pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(5))
    assert caught.value.final


def test_certificates_are_verified() -> None:
    """A server without TLS, or with a certificate nobody vouches for, gets nothing."""
    with bucket(200) as (url, bodies), pytest.raises(Undelivered):
        deliver(url.replace("http://", "https://"), b"body", seconds(1))
    assert bodies == []


def test_a_peer_that_drips_does_not_outlast_the_time() -> None:
    """A peer that sends a byte now and then for ever, or a lookup that blocks, ends an attempt in time all the same."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                while not stop.wait(0.02):
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        end = time.monotonic() + 1.0
        try:
            with pytest.raises(Undelivered, match=r"no answer in time|TimeoutError"):
                deliver(
                    f"http://127.0.0.1:{listener.getsockname()[1]}/x", b"body", lambda: end - time.monotonic() - 0.5
                )
            assert time.monotonic() < end + 1.0
        finally:
            stop.set()
            thread.join()
            finish("delivery")
