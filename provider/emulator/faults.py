"""How a call goes wrong: the service's own errors, and failures that somebody ordered for a rehearsal."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

ANY_OPERATION = "*"


class ServiceError(Exception):
    """An answer that is an error.

    `status` is the HTTP status; None means the one that the service model gives for `code`, or 400.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Fault(Enum):
    """A failure to order. The value is the service's error code, or what happens on the wire instead."""

    THROTTLE = "CallRateLimitExceededException"
    UNAVAILABLE = "ServiceUnavailableException"
    SERVER_ERROR = "ServiceException"
    DENIED = "AccessDeniedException"
    RESET = "the connection is reset"
    HANG = "no answer comes"
    GARBAGE = "status 200 with an HTML page"


_MESSAGES = {
    Fault.THROTTLE: "Rate exceeded",
    Fault.UNAVAILABLE: "The service is not able to respond to the request at this time.",
    Fault.SERVER_ERROR: "This exception is thrown when the service encounters an unrecoverable exception.",
    Fault.DENIED: "User is not authorized to perform: imagebuilder:{operation}",
}


@dataclass(frozen=True)
class Failure:
    """One failure waiting for its call: either a `fault` or, for any other error, an `error`."""

    operation: str
    fault: Fault | None = None
    error: ServiceError | None = None
    after: bool = False

    def error_for(self, operation: str) -> ServiceError | None:
        """The error that `operation` is answered with; None where the wire fails instead."""
        if self.fault in _MESSAGES:
            return ServiceError(self.fault.value, _MESSAGES[self.fault].format(operation=operation))
        return self.error


def _never() -> None:
    """No failure."""


class FaultPlan:
    """The failures still to come, each for one call, in the order they were ordered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Failure] = []
        self._drawn: Callable[[], Failure | None] = _never

    def order(self, failure: Failure, times: int) -> None:
        """Let the next `times` matching calls fail. ValueError where `times` is no positive number."""
        if times < 1:
            raise ValueError(f"a failure happens once or more often, not {times} times")
        with self._lock:
            self._waiting += [failure] * times

    def take(self, operation: str) -> Failure | None:
        """The failure that this call meets, if one is waiting for it. It is gone afterwards."""
        with self._lock:
            for place, failure in enumerate(self._waiting):
                if failure.operation in (operation, ANY_OPERATION):
                    return self._waiting.pop(place)
            return self._drawn()

    def order_at_random(self, share: float, faults: tuple[Fault, ...], seed: int) -> None:
        """Let this share of all calls fail, before or after they take effect, until `clear`."""
        chance = random.Random(seed)  # noqa: S311 - a rehearsal that can be repeated, no secret

        def drawn() -> Failure | None:
            if chance.random() >= share:
                return None
            return Failure(ANY_OPERATION, chance.choice(faults), after=chance.random() < 0.5)

        with self._lock:
            self._drawn = drawn

    def clear(self) -> None:
        """Forget every failure still to come."""
        with self._lock:
            self._waiting.clear()
            self._drawn = _never
