"""The one PUT that answers a request. Standard library only.

Source: AWS CloudFormation User Guide, "Custom resource response objects": a PUT to a pre-signed URL of S3 with an
empty content type. The URL is a secret and appears in no error and no log line.
"""

import http.client
import logging
import os
import random
import ssl
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_LOG = logging.getLogger(__name__)
_ATTEMPT_SECONDS: Final = 10.0
_SHORTEST_ATTEMPT: Final = 0.2
_LONGEST_PAUSE: Final = 2.0


class Undelivered(Exception):  # noqa: N818 - says what became of the answer
    """The answer did not arrive. `final` where no further attempt can change that."""

    def __init__(self, problem: str, *, final: bool) -> None:
        super().__init__(f"the answer was not delivered: {problem}")
        self.final = final


def deliver(url: str, body: bytes, left: Callable[[], float]) -> None:
    """PUT the body to the URL, again and again the same body for as long as `left()` seconds allow.

    Network errors, 5xx and 429 are worth another attempt. Raises Undelivered.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            _put_within(url, body, min(_ATTEMPT_SECONDS, max(_SHORTEST_ATTEMPT, left() / 3)))
        except Undelivered as error:
            pause = random.uniform(0.0, min(_LONGEST_PAUSE, 0.1 * 2**attempt))  # noqa: S311 - jitter, no secret
            if error.final or left() <= pause:
                raise
            _LOG.warning("%s; attempt %d, another one follows", error, attempt)
            time.sleep(pause)
        else:
            return


def _put_within(url: str, body: bytes, seconds: float) -> None:
    """One attempt that ends in time, whatever a name server or a dripping peer does: sockets only time single reads."""
    failures: list[Undelivered] = []

    def attempt() -> None:
        try:
            _put(url, body, seconds)
        except Undelivered as error:
            failures.append(error)

    thread = threading.Thread(target=attempt, name="delivery", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Undelivered("no answer in time", final=False)
    if failures:
        raise failures[0]


def _put(url: str, body: bytes, timeout: float) -> None:
    connection: http.client.HTTPConnection | None = None
    try:
        parts = urlsplit(url)
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=timeout, context=tls_context()
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("PUT", target, body, {"content-type": ""})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        nonsense = isinstance(error, http.client.InvalidURL | ValueError) and not isinstance(error, OSError)
        raise Undelivered(_describe(error), final=nonsense) from None
    finally:
        if connection is not None:
            connection.close()
    if not 200 <= status < 300:
        raise Undelivered(f"HTTP status {status}", final=status < 500 and status != http.client.TOO_MANY_REQUESTS)


def tls_context() -> ssl.SSLContext:
    """The context that verifies certificates, made once an environment: reading a bundle of CAs takes long."""
    return _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)
def _tls_context(_cert_file: str | None, _cert_dir: str | None) -> ssl.SSLContext:
    # OpenSSL reads these two from the environment by itself; as arguments they let a change of them be noticed.
    return ssl.create_default_context()


def _describe(error: Exception) -> str:
    """An error without its text where that could quote the URL."""
    detail = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{f' ({detail})' if detail else ''}"
