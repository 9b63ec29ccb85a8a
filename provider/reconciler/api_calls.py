"""The API calls of one request: with retries, within the request's time, and none after its response."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from ..arn import Location
from ..aws.client import before_send, call
from ..errors import EXPIRED, INVALID, NotAssumed, Outcome, ProviderError, request_id_of

if TYPE_CHECKING:
    from ..cloudformation.deadline import Deadline

_READ_ATTEMPTS: Final = 5
"""Attempts of a read that returns no usable response, each with botocore's own retries."""
_MAX_PAUSE: Final = 2.0
"""Seconds between attempts of a call that was throttled or not sent. Attempts continue while time remains."""
_DENIED_SECONDS: Final = 20.0
"""How long a Create retries denied calls, because permissions from the same deployment may take effect later."""


Connect = Callable[[Location, bool], Any]
"""Returns the client for a location. If the second argument is true, a role's credentials have expired; it renews them.
"""


class ApiCalls:
    """The calls of one service for one request. `connect` creates the client of a location on the first call there.

    With `retries_denied`, denied calls are retried for 20 seconds in total. `end` limits the time of all calls, in
    seconds since the epoch.
    """

    def __init__(
        self, connect: Connect, deadline: "Deadline", *, retries_denied: bool = False, end: float = math.inf
    ) -> None:
        self._connect = connect
        self._deadline = deadline
        self._end = end
        self._denied_seconds = _DENIED_SECONDS if retries_denied else 0.0
        self._clients: dict[Location, Any] = {}
        self._renewed: set[Location] = set()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Limit the time of the calls in this block."""
        before, self._end = self._end, self._deadline.now() + seconds
        try:
            yield
        finally:
            self._end = before

    def call(
        self, location: Location, operation: str, subject: str, expected: str = "", /, **parameters: Any
    ) -> dict[str, Any]:
        """Call an operation on `subject` in a location. A response without the `expected` member is not usable.

        Raises ProviderError. Reads are retried here. Writes are not, because the decision to write may depend on an
        outdated read.
        """
        failure: ProviderError | None = None
        for attempt in count(1):
            try:
                response = self._attempt(location, operation, subject, expected, parameters)
            except ProviderError as error:
                if failure is not None and (error.outcome is Outcome.OUT_OF_TIME or self.left() <= 0):
                    raise failure from error
                failure = error
            else:
                self._deadline.retry_reason = self._deadline.retry_reason if failure is None else ""
                return response
            if not operation.startswith(("Get", "List")):
                raise failure
            self.back_off(failure, attempt, repeatable=attempt < _READ_ATTEMPTS)
        raise AssertionError("unreachable")

    def pages(
        self, location: Location, operation: str, subject: str, member: str, /, **parameters: Any
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the entries of all pages of a list operation. `member` is the member that contains them."""
        page: dict[str, Any] = {}
        while True:
            response = self.call(location, operation, subject, **parameters, **page)
            yield from response.get(member, [])
            if not response.get("nextToken"):
                return
            page = {"nextToken": response["nextToken"]}

    def back_off(self, error: ProviderError, attempt: int, *, repeatable: bool = False) -> None:
        """Wait before the next attempt; `attempt` of them have failed. Raises the error if it must not be retried.

        Calls that were throttled or not sent are retried while time remains. With `repeatable`, so are calls whose
        outcome is unknown.
        """
        pause = random.uniform(0.0, min(_MAX_PAUSE, 0.1 * 2**attempt))  # noqa: S311 - jitter, not a secret
        is_retried = error.outcome in (Outcome.THROTTLED, Outcome.UNSENT)
        is_retried = is_retried or (repeatable and error.outcome is Outcome.UNKNOWN)
        is_final = isinstance(error, NotAssumed) and error.final
        if error.outcome is Outcome.DENIED and self._denied_seconds > 0 and not is_final:
            is_retried, pause = True, max(pause, _MAX_PAUSE / 4)
            self._denied_seconds -= pause
        if not is_retried or self.left() <= pause:
            raise error
        self._deadline.retry_reason = error.problem
        self._deadline.wait(pause)

    def left(self) -> float:
        """Return the seconds left for calls; 0 or less if their time is up."""
        return min(self._deadline.left(), self._end - self._deadline.now())

    def _attempt(
        self, location: Location, operation: str, subject: str, expected: str, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        doing = f"{operation} of {subject}"
        self._deadline.current_operation = doing
        self._stop_in_time()
        # Stops botocore's own retries, too.
        hook = before_send.set(self._stop_in_time)
        try:
            if location not in self._clients:
                self._clients[location] = self._connect(location, False)
                self._deadline.current_operation = doing
            try:
                response = call(self._clients[location], operation, parameters)
            except ProviderError as error:
                response = self._call_again(location, operation, parameters, error)
            return _usable(operation, expected, response)
        finally:
            before_send.reset(hook)

    def _call_again(
        self, location: Location, operation: str, parameters: dict[str, Any], error: ProviderError
    ) -> dict[str, Any]:
        """Repeat a call that failed because of a role's credentials. Raises `error` for any other failure.

        Credentials that are not valid anymore are renewed once: the role was created again, or its sessions revoked.
        """
        is_unusable = error.outcome is Outcome.DENIED or error.code in INVALID
        if not location.role or not (error.code in EXPIRED or (is_unusable and location not in self._renewed)):
            raise error
        self._renewed.add(location)
        doing = self._deadline.current_operation
        self._clients[location] = self._connect(location, True)
        self._deadline.current_operation = doing
        if error.outcome not in (Outcome.REFUSED, Outcome.DENIED):
            raise error
        return call(self._clients[location], operation, parameters)

    def _stop_in_time(self) -> None:
        """Raise ProviderError if no time is left, because nothing may change after the response is sent."""
        if self.left() <= 0:
            problem = f"no time was left for {self._deadline.current_operation}"
            raise ProviderError(problem, remediation="Deploy again", outcome=Outcome.OUT_OF_TIME)


def _usable(operation: str, expected: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return the response if it is from the service. botocore treats a proxy's page with status 200 as empty."""
    content_type = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "")
    if (expected not in response) if expected else ("html" in content_type):
        raise ProviderError(
            f"{operation} returned a response that is not from the service, possibly a proxy's page",
            remediation="The outcome is unknown. Check proxies and endpoint settings, then deploy again",
            outcome=Outcome.UNKNOWN,
            request_id=request_id_of(response),
        )
    return response
