"""Delivers the response with one PUT. Standard library only.

Source: AWS CloudFormation User Guide, "Custom resource response objects": a PUT to a presigned URL of S3 with an
empty content type. The URL is a secret and appears in no error and no log line.
"""

import http.client
import logging
import math
import random
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count, cycle
from typing import Final

from ..aws.tls import delivery_context, system_context
from ..aws.transport import PooledConnection, Transport, is_success
from .response import cut, one_line
from .response_url import expiry, is_safe

_LOG = logging.getLogger(__name__)
_MAX_ATTEMPT_SECONDS: Final = 10.0
_MIN_ATTEMPT_SECONDS: Final = 0.2
_MIN_PAUSE: Final = 0.05
_MAX_PAUSE: Final = 2.0
_TRANSPORTS: Final = (Transport(delivery_context), Transport(system_context))
"""The default, and the one for servers whose certificate the default does not trust."""
_OUTCOME_BYTES: Final = 1200
_PROBLEM_BYTES: Final = 300
"""The limits of an error's parts, because the last-resort function quotes the error in a response of 4,096 bytes."""


class Undelivered(Exception):  # noqa: N818 - reads better in `except Undelivered`
    """The response was not delivered. If it is `final`, no other attempt can succeed.

    The text is one line without secrets, because the last-resort function quotes it in the stack's events. `outcome`
    summarizes the response, such as "SUCCESS for arn:...".
    """

    def __init__(self, problem: str, *, final: bool, outcome: str = "") -> None:
        response = f"the response {cut(one_line(outcome), _OUTCOME_BYTES)}".rstrip()
        super().__init__(f"{response} was not delivered: {cut(one_line(problem), _PROBLEM_BYTES)}")
        self.final = final


class _AttemptError(Exception):
    """One attempt did not deliver the response. `status` is the HTTP status, 0 without one."""

    def __init__(self, problem: str, *, status: int = 0, untrusted: bool = False) -> None:
        super().__init__(problem)
        self.status = status
        self.untrusted = untrusted


def deliver(
    url: str,
    body: bytes,
    left: Callable[[], float],
    *,
    outcome: str = "",
    sleep: Callable[[float], object] = time.sleep,
    now: Callable[[], float] = time.time,
) -> None:
    """PUT the body to the URL. Retry until it is delivered or no time is `left()` (seconds).

    Only an invalid URL and a 403 after the URL has expired are final. Any other failure may be temporary: S3 returns
    400 for a slow PUT, and 403 while a VPC endpoint's policy denies the bucket. If the server's certificate is not
    trusted, the next attempt uses the system's CAs, because a bundle for the API may lack the CA of the bucket.

    Raises Undelivered, which quotes `outcome`, a summary of the response.
    """
    if not is_safe(url):
        raise Undelivered("the URL is invalid", final=True, outcome=outcome)
    transports = cycle(_TRANSPORTS)
    transport = next(transports)
    for attempt in count(1):
        try:
            _put_within(url, body, min(_MAX_ATTEMPT_SECONDS, max(_MIN_ATTEMPT_SECONDS, left() / 3)), transport)
        except _AttemptError as error:
            transport = next(transports) if error.untrusted else transport
            final = error.status == http.client.FORBIDDEN and now() >= (expiry(url) or math.inf)
            undelivered = Undelivered(str(error), final=final, outcome=outcome)
            pause = random.uniform(0.0, min(_MAX_PAUSE, 0.1 * 2 ** min(attempt, 8)))  # noqa: S311 - jitter
            remaining = left() - _MIN_ATTEMPT_SECONDS
            if final or remaining < _MIN_PAUSE:
                raise undelivered from None
            _LOG.warning("%s; attempt %d failed, trying again", undelivered, attempt)
            sleep(min(pause, remaining))
        else:
            return


def connect(url: str, seconds: float) -> None:
    """Open a connection for the response. Errors are ignored, because the delivery repeats them."""
    with suppress(OSError, http.client.HTTPException, ValueError):
        _TRANSPORTS[0].connect(url, min(_MAX_ATTEMPT_SECONDS, max(_MIN_ATTEMPT_SECONDS, seconds)))


def is_connected(url: str) -> bool:
    """Return whether the pool has an open connection for this URL."""
    try:
        return _TRANSPORTS[0].has_connection(url)
    except ValueError:
        return False


def _put_within(url: str, body: bytes, seconds: float, transport: Transport) -> None:
    """Make one attempt that ends within `seconds`. Raises _AttemptError."""
    end = time.monotonic() + seconds
    try:
        connection = transport.pooled(url) or _connected(url, seconds, transport)
        status = transport.put(connection, {"content-type": ""}, body, end - time.monotonic())
    except Exception as error:  # noqa: BLE001 - after any error, the delivery is not certain
        untrusted = isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
        raise _AttemptError(_describe(error), untrusted=untrusted) from None
    if not is_success(status):
        raise _AttemptError(f"HTTP status {status}", status=status)


def _connected(url: str, seconds: float, transport: Transport) -> PooledConnection:
    """Open a connection in another thread, because name resolution cannot be interrupted."""
    failures: list[Exception] = []

    def open_connection() -> None:
        try:
            transport.connect(url, seconds)
        except Exception as error:  # noqa: BLE001 - raised below
            failures.append(error)

    thread = threading.Thread(target=open_connection, name="delivery", daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):  # no thread can be started
        open_connection()
    else:
        thread.join(seconds)
    if failures:
        raise failures[0]
    connection = transport.pooled(url)
    if connection is None:
        raise TimeoutError
    return connection


def _describe(error: Exception) -> str:
    """Describe an error without its text, which may quote the URL."""
    detail = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{f' ({detail})' if detail else ''}"
