"""The same response is sent until it is delivered or the time is up."""

import contextlib
import http.server
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from provider.cloudformation.delivery import Undelivered, deliver
from provider.cloudformation.response import one_line
from tests.threads import finish

SECRET = "X-Amz-Signature=verysecret"


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removes the pauses between attempts."""
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)


@contextmanager
def bucket(*statuses: int, location: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A bucket that returns these statuses in turn and records what it receives.

    With `location`, it redirects to an address without a server.
    """
    bodies: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert self.headers["content-type"] == ""
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            status = statuses[min(len(bodies), len(statuses)) - 1]
            self.send_response(status)
            self.send_header("content-length", "0")
            if location:
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
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
    """A clock that loses a tenth of a second each time it is read."""
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


def test_temporary_failures_are_retried_with_the_same_body() -> None:
    """5xx, 429, and 408 are retried with the same body."""
    with bucket(503, 429, 408, 200) as (url, bodies):
        deliver(url, b"body", seconds(20))
    assert bodies == [b"body"] * 4


@contextmanager
def raw(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that sends these bytes in turn, repeating the last, and closes each connection; records requests."""
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
def test_a_rejection_with_an_endless_body_is_retried(length: int) -> None:
    """A 503 that announces an endless body is retried like any other, and is no delivery."""
    refused = b"HTTP/1.1 503 Slow Down\r\nContent-Length: %d\r\n\r\n" % length
    with raw(refused, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, got):
        deliver(url, b"body", seconds(20))
    assert len(got) == 2


def test_a_success_with_a_broken_body_is_a_delivery() -> None:
    """A 200 whose body breaks off is a delivery: the response is not sent again."""
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx") as (url, got):
        deliver(url, b"body", seconds(20))
    assert len(got) == 1


def test_a_response_is_delivered_if_no_thread_can_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The response is delivered even if the process cannot start another thread."""

    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "delivery":
            raise RuntimeError("can't start new thread")
        start(thread)

    with bucket(200) as (url, bodies):
        monkeypatch.setattr(threading.Thread, "start", refuse)
        deliver(url, b"body", seconds(20))
    assert bodies == [b"body"]


REJECTIONS = [101, 301, 302, 307, 308, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 425, 429, 500, 501, 503]
OUTCOME = "SUCCESS for arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden"


@pytest.mark.parametrize("status", REJECTIONS)
def test_any_rejection_is_retried(status: int, no_pauses: None) -> None:
    """After any status except a success, the same body is sent to the same URL again."""
    with bucket(status, 200, location=True) as (url, bodies):
        deliver(url, b"body", seconds(20))
    assert bodies == [b"body"] * 2


@pytest.mark.parametrize("status", REJECTIONS)
def test_a_rejection_that_stays_is_raised(status: int, no_pauses: None) -> None:
    """A rejection that lasts until the time is up is raised, but not final, so Lambda retries."""
    with bucket(status, location=True) as (url, bodies), pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(2), outcome=OUTCOME)
    assert not caught.value.final
    assert len(bodies) > 1
    if status != 101:
        assert str(caught.value) == f"the response {OUTCOME} was not delivered: HTTP status {status}"


def signed(url: str, *, age: float, query: str = "X-Amz-Date={signed:%Y%m%dT%H%M%SZ}&X-Amz-Expires=7200") -> str:
    """Return the URL with a signature of an age in seconds, at NOW."""
    moment = datetime.fromtimestamp(NOW - age, UTC)
    return f"{url}&{query.format(signed=moment, expires=int(NOW - age + 7200))}"


NOW = 1_795_420_800.0
VERSION_2 = "AWSAccessKeyId=k&Expires={expires}"


@pytest.mark.parametrize("query", ["X-Amz-Date={signed:%Y%m%dT%H%M%SZ}&X-Amz-Expires=7200", VERSION_2])
def test_a_403_after_the_url_has_expired_is_final(query: str) -> None:
    """A 403 after the URL has expired is final: there is one attempt."""
    with bucket(403) as (url, bodies), pytest.raises(Undelivered) as caught:
        deliver(signed(url, age=7200, query=query), b"body", seconds(20), now=lambda: NOW)
    assert caught.value.final
    assert len(bodies) == 1


@pytest.mark.parametrize("query", ["X-Amz-Date={signed:%Y%m%dT%H%M%SZ}&X-Amz-Expires=7200", VERSION_2, "no=date"])
def test_a_403_before_the_url_has_expired_is_retried(query: str, no_pauses: None) -> None:
    """While the URL is valid, or does not show its expiry, a 403 is retried: its cause may be temporary."""
    with bucket(403, 403, 200) as (url, bodies):
        deliver(signed(url, age=7199, query=query), b"body", seconds(20), now=lambda: NOW)
    assert len(bodies) == 3


def test_a_403_is_final_from_the_moment_the_url_expires(no_pauses: None) -> None:
    """A URL that expires between two attempts ends the retries."""
    times = iter([NOW - 1, NOW - 0.1, NOW])
    with bucket(403) as (url, bodies), pytest.raises(Undelivered) as caught:
        deliver(signed(url, age=7200), b"body", seconds(20), now=lambda: next(times))
    assert caught.value.final
    assert len(bodies) == 3


@pytest.mark.parametrize("status", [404, 503])
def test_another_rejection_is_not_final_after_the_url_has_expired(status: int) -> None:
    """After the URL has expired, only a 403 is final; anything else is still retried and raised."""
    with bucket(status) as (url, _), pytest.raises(Undelivered) as caught:
        deliver(signed(url, age=9000), b"body", seconds(2), now=lambda: NOW)
    assert not caught.value.final


@pytest.mark.parametrize("interim", [100, 102, 103])
def test_an_interim_response_is_skipped(interim: int) -> None:
    """After a 1xx response, the final one counts: a 200 is a delivery with one PUT, a 503 is retried."""
    early = b"HTTP/1.1 %d Wait\r\n\r\n" % interim
    end = b" \r\nContent-Length: 0\r\n\r\n"
    with raw(early + b"HTTP/1.1 503" + end, early * 3 + b"HTTP/1.1 200" + end) as (url, got):
        deliver(url, b"body", seconds(20))
    assert len(got) == 2


def test_an_interim_response_alone_is_retried(no_pauses: None) -> None:
    """A connection that ends after an interim response is not a delivery."""
    with raw(b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, got):
        deliver(url, b"body", seconds(20))
    assert len(got) == 2


def test_an_attempt_that_takes_too_long_is_aborted_before_the_next_one(no_pauses: None) -> None:
    """There is one PUT at a time: an attempt that is still running when its time is up is aborted."""
    ended: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip(connection: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while not ended:
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    time.sleep(0.02)

        def serve() -> None:
            first, _ = listener.accept()
            with first:
                assert first.recv(65536)
                dripping = threading.Thread(target=drip, args=(first,))
                dripping.start()
                second, _ = listener.accept()
                first.settimeout(5)
                with second:
                    try:
                        ended.append(first.recv(1))
                    except ConnectionResetError:
                        ended.append(b"")
                    except TimeoutError:
                        ended.append(b"never")
                    second.recv(65536)
                    second.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                dripping.join()

        thread = threading.Thread(target=serve)
        thread.start()
        deliver(f"http://127.0.0.1:{listener.getsockname()[1]}/x", b"body", patient(first=0.5))
        thread.join()
    assert ended == [b""]
    finish("delivery")


def test_an_abandoned_attempt_sends_nothing(no_pauses: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt that connects after its time is up (name resolution was slow) sends nothing."""
    found, connect = threading.Event(), socket.create_connection
    slow = iter([True])

    def find(*where: Any) -> socket.socket:
        if next(slow, False):
            found.wait(30)
        return connect(*where)

    monkeypatch.setattr("provider.aws.transport.socket.create_connection", find)
    with bucket(200) as (url, bodies):
        deliver(url, b"body", patient(first=0.5))
        found.set()
        finish("delivery")
        assert bodies == [b"body"]


def patient(first: float) -> Callable[[], float]:
    """Return the seconds left: few for the first attempt, many for all later ones."""
    lefts = iter([first * 3])
    return lambda: next(lefts, 60.0)


def test_pauses_use_the_given_clock() -> None:
    """The pauses between attempts use `sleep`, and each is shorter than the time left."""
    pauses: list[float] = []
    with bucket(503, 503, 503, 200) as (url, bodies):
        deliver(url, b"body", lambda: 100.0, sleep=pauses.append)
    assert len(bodies) == 4
    assert len(pauses) == 3
    assert all(0 <= pause <= 2 for pause in pauses)


@pytest.mark.parametrize(
    "outcome",
    ["FAILED for x?X-Amz-Signature=verysecret", "FAILED for a\nb\ufffec\u202a", "SUCCESS for " + "\u00e4" * 5000],
)
def test_the_text_of_a_failure_can_be_quoted(outcome: str) -> None:
    """The outcome is quoted in one line, without secrets, and shorter than a response."""
    text = str(Undelivered("HTTP status 503", final=False, outcome=outcome))
    assert text == one_line(text)
    assert "verysecret" not in text
    assert text.startswith(f"the response {outcome[:10]}")
    assert text.endswith(" was not delivered: HTTP status 503")
    assert len(text.encode()) < 1600


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x", "//127.0.0.1/x", "", "https:///x"])
def test_an_invalid_url_is_final_and_nothing_is_sent(url: str) -> None:
    """An unsafe URL receives no response."""
    with pytest.raises(Undelivered, match="invalid") as caught:
        deliver(url, b"body", seconds(20), outcome=OUTCOME)
    assert caught.value.final
    assert OUTCOME in str(caught.value)


def test_it_ends_with_its_time() -> None:
    """A failure that lasts until the time is up raises Undelivered, which is not final."""
    with bucket(503) as (url, _), pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(2))
    assert not caught.value.final


def test_a_refused_connection_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    """A refused connection is retried, and the URL is in no log line and no error."""
    with bucket(200) as (url, _):
        pass
    with caplog.at_level(logging.DEBUG), pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(2))
    assert not caught.value.final
    assert "failed, trying again" in caplog.text
    for text in (caplog.text, repr(caught.value), str(caught.value)):
        assert "verysecret" not in text
        assert "127.0.0.1" not in text


def test_a_url_with_control_characters_is_final_and_stays_secret() -> None:
    """A URL with a control character is rejected without being quoted."""
    with pytest.raises(Undelivered) as caught:
        deliver(f"http://127.0.0.1:1/a b?{SECRET}", b"body", seconds(5))
    assert caught.value.final
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://a..b/x", "http://127.0.0.1:1/\u00e4?x", "http://[::1/x"])
def test_a_malformed_url_is_final(url: str) -> None:
    """A URL that cannot be parsed is final, not an error of another class."""
    with pytest.raises(Undelivered) as caught:
        deliver(url, b"body", seconds(5))
    assert caught.value.final


def test_certificates_are_verified() -> None:
    """A server without TLS or with an untrusted certificate receives nothing."""
    with bucket(200) as (url, bodies), pytest.raises(Undelivered):
        deliver(url.replace("http://", "https://"), b"body", seconds(1))
    assert bodies == []


def test_a_slow_server_does_not_delay_the_end() -> None:
    """An attempt ends in time even if the server sends single bytes forever or name resolution hangs."""
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
            with pytest.raises(Undelivered, match=r"no response in time|TimeoutError"):
                deliver(
                    f"http://127.0.0.1:{listener.getsockname()[1]}/x", b"body", lambda: end - time.monotonic() - 0.5
                )
            assert time.monotonic() < end + 1.0
        finally:
            stop.set()
            thread.join()
            finish("delivery")
