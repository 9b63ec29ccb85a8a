"""The one PUT that answers a request. Standard library only.

Source: AWS CloudFormation User Guide, "Custom resource response objects": a PUT to a pre-signed URL of S3 with an
empty content type. The URL is a secret and appears in no error and no log line.
"""

import http.client
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count, cycle
from typing import Final

from provider.protocol.worker import run
from provider.tls import system_context, tls_context
from provider.transport import Transport

_LOG = logging.getLogger(__name__)
_ATTEMPT_SECONDS: Final = 10.0
_PASSING: Final = (http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS)
_TRUST_FAILED: Final = (ssl.SSLError, FileNotFoundError, NotADirectoryError, PermissionError)
_SHORTEST_ATTEMPT: Final = 0.2
_LONGEST_PAUSE: Final = 2.0
_TRANSPORTS: Final = (Transport(tls_context), Transport(system_context))
"""What delivers, and what does where the trust of the first fails."""


class Undelivered(Exception):  # noqa: N818 - says what became of the answer
    """The answer did not arrive. `final` where no further attempt can change that, `untrusted` where trust failed."""

    def __init__(self, problem: str, *, final: bool, untrusted: bool = False) -> None:
        super().__init__(f"the answer was not delivered: {problem}")
        self.final = final
        self.untrusted = untrusted


def deliver(url: str, body: bytes, left: Callable[[], float]) -> None:
    """PUT the body to the URL, again and again the same body for as long as `left()` seconds allow.

    Network errors, 5xx, 429 and 408 are worth another attempt; a certificate that is not trusted is, with the trust
    that the system has: a bundle set for the API need not know who serves the answers. Raises Undelivered.
    """
    transports = cycle(_TRANSPORTS)
    transport = next(transports)
    for attempt in count(1):
        try:
            _put_within(url, body, min(_ATTEMPT_SECONDS, max(_SHORTEST_ATTEMPT, left() / 3)), transport)
        except Undelivered as error:
            transport = next(transports) if error.untrusted else transport
            pause = random.uniform(0.0, min(_LONGEST_PAUSE, 0.1 * 2**attempt))  # noqa: S311 - jitter, no secret
            if error.final or left() <= pause:
                raise
            _LOG.warning("%s; attempt %d, another one follows", error, attempt)
            time.sleep(pause)
        else:
            return


def connect(url: str, seconds: float) -> None:
    """Have a connection ready for the answer to come; trouble with it shows when that is delivered."""
    with suppress(OSError, http.client.HTTPException, ValueError):
        _TRANSPORTS[0].connect(url, min(_ATTEMPT_SECONDS, max(_SHORTEST_ATTEMPT, seconds)))


def is_connected(url: str) -> bool:
    """Whether a connection is kept that an answer to this URL can take."""
    try:
        return _TRANSPORTS[0].leads_to(url)
    except ValueError:
        return False


def _put_within(url: str, body: bytes, seconds: float, transport: Transport) -> None:
    """One attempt that ends in time, whatever a name server or a dripping peer does: sockets only time single reads."""
    outcome: list[Undelivered | None] = []
    ended = threading.Event()

    def attempt() -> None:
        try:
            _put(url, body, seconds, transport)
        except Undelivered as error:
            outcome.append(error)
        except Exception as error:  # noqa: BLE001 - only what is known to have arrived has arrived
            outcome.append(Undelivered(_describe(error), final=False))
        else:
            outcome.append(None)
        finally:
            ended.set()

    try:
        run("delivery", attempt)
    except RuntimeError:  # no thread is to be had
        attempt()
    ended.wait(seconds)
    if not outcome:
        raise Undelivered("no answer in time", final=False)
    if outcome[0] is not None:
        raise outcome[0]


def _put(url: str, body: bytes, seconds: float, transport: Transport) -> None:
    try:
        status = transport.put(url, {"content-type": ""}, body, seconds)
    except (OSError, http.client.HTTPException, ValueError) as error:
        nonsense = isinstance(error, http.client.InvalidURL | ValueError) and not isinstance(error, OSError)
        untrusted = isinstance(error, _TRUST_FAILED) and not isinstance(error, ssl.SSLEOFError)
        raise Undelivered(_describe(error), final=nonsense, untrusted=untrusted) from None
    if not 200 <= status < 300:
        raise Undelivered(f"HTTP status {status}", final=status < 500 and status not in _PASSING)


def _describe(error: Exception) -> str:
    """An error without its text where that could quote the URL."""
    detail = error.strerror if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{f' ({detail})' if detail else ''}"
