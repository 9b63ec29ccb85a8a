"""API calls on behalf of one request: within its time, with retries, none after its response."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from typing import Any, Final, Protocol

from ..aws.client import before_send, call
from ..errors import Outcome, ProviderError, request_id_of

_READ_ATTEMPTS: Final = 5
"""Attempts of a read that returns no usable response, on top of botocore's own."""
_LONGEST_PAUSE: Final = 2.0
"""Seconds between attempts of a call that was throttled or not sent; attempts continue while time remains."""
_DENIED_SECONDS: Final = 20.0
"""How long a Create retries denied calls: permissions from the same deployment may take effect a bit later."""


class RequestContext(Protocol):
    """A request's time. `current_operation` and `trouble` (why it is being retried) are reported if time runs out.

    `may_succeed` says whether the response is a success if the work returns none.
    """

    current_operation: str
    trouble: str
    may_succeed: bool

    def now(self) -> float:
        """Seconds since the epoch."""

    def left(self) -> float:
        """Seconds left."""

    def wait(self, seconds: float) -> None:
        """Wait, at most until no time is left."""


class ApiCalls:
    """Calls of one client on behalf of one request. `connect` returns the client; it is called with the first call.

    With `retries_denied`, denied calls are retried for twenty seconds in total.
    """

    def __init__(self, connect: Callable[[], Any], context: RequestContext, *, retries_denied: bool = False) -> None:
        self._connect = connect
        self._context = context
        self._end = math.inf
        self._denied_seconds = _DENIED_SECONDS if retries_denied else 0.0

    @cached_property
    def _client(self) -> Any:
        return self._connect()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Allow the calls in this block some seconds at most."""
        self._end = self._context.now() + seconds
        try:
            yield
        finally:
            self._end = math.inf

    def call(self, operation: str, subject: str, expected: str = "", /, **parameters: Any) -> dict[str, Any]:
        """Call an operation. A response without its `expected` member (from a proxy, say) is not usable.

        Reads are retried here. Writes are not: the decision to write may depend on a read that is too old by now.
        """
        failure: ProviderError | None = None
        for attempt in count(1):
            try:
                response = self._attempt(operation, subject, expected, parameters)
            except ProviderError as error:
                if error.outcome is Outcome.OUT_OF_TIME and failure is not None:
                    raise failure from error
                failure = error
            else:
                self._context.trouble = self._context.trouble if failure is None else ""
                return response
            if not operation.startswith(("Get", "List")):
                raise failure
            self.back_off(failure, attempt, repeatable=attempt < _READ_ATTEMPTS)
        raise AssertionError("unreachable")

    def pages(self, operation: str, subject: str, member: str, /, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """The entries of all pages of a list operation; they are in this `member`."""
        page: dict[str, Any] = {}
        while True:
            response = self.call(operation, subject, **parameters, **page)
            yield from response.get(member, [])
            if not response.get("nextToken"):
                return
            page = {"nextToken": response["nextToken"]}

    def back_off(self, error: ProviderError, attempt: int, *, repeatable: bool = False) -> None:
        """Wait before another attempt after `attempt` of them. Raises the error if there must not be another one.

        Calls that were throttled or could not be sent are retried while time remains; with `repeatable`, so are calls
        whose outcome is unknown.
        """
        pause = random.uniform(0.0, min(_LONGEST_PAUSE, 0.1 * 2**attempt))  # noqa: S311 - jitter, not a secret
        is_retried = error.outcome in (Outcome.THROTTLED, Outcome.UNSENT)
        is_retried = is_retried or (repeatable and error.outcome is Outcome.UNKNOWN)
        if error.outcome is Outcome.DENIED and self._denied_seconds > 0:
            is_retried, pause = True, max(pause, _LONGEST_PAUSE / 4)
            self._denied_seconds -= pause
        if not is_retried or self._left() <= pause:
            raise error
        self._context.trouble = error.problem
        self._context.wait(pause)

    def _left(self) -> float:
        """Seconds left."""
        return min(self._context.left(), self._end - self._context.now())

    def _attempt(self, operation: str, subject: str, expected: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._context.current_operation = f"{operation} of {subject}"
        self._stop_in_time()
        client = self._client
        # botocore's own retries stop in time, too.
        hook = before_send.set(self._stop_in_time)
        try:
            return _usable(operation, expected, call(client, operation, parameters))
        finally:
            before_send.reset(hook)

    def _stop_in_time(self) -> None:
        """Raise ProviderError once no time is left: nothing may change after the response has been sent."""
        if self._left() <= 0:
            problem = f"no time was left for {self._context.current_operation}"
            raise ProviderError(problem, remediation="Deploy again", outcome=Outcome.OUT_OF_TIME)


def _usable(operation: str, expected: str, response: dict[str, Any]) -> dict[str, Any]:
    """The response, if it is from the service: to botocore, a proxy's page with status 200 is an empty response."""
    content_type = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "")
    if (expected and expected not in response) or "html" in content_type:
        raise ProviderError(
            f"{operation} returned a response that is not from Image Builder: a proxy's page, perhaps",
            remediation="The outcome is unknown. Check proxies and endpoint settings, then deploy again",
            outcome=Outcome.UNKNOWN,
            request_id=request_id_of(response),
        )
    return response
