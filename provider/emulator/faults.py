"""Failures of calls: the service's errors, and injected failures."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

ANY_OPERATION = "*"


class ServiceError(Exception):
    """An error response.

    `status` is the HTTP status; None means the status of `code` in the service model, or 400.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Fault(Enum):
    """A failure to inject. The value is Image Builder's error code, or a description of the network failure."""

    THROTTLE = "CallRateLimitExceededException"
    UNAVAILABLE = "ServiceUnavailableException"
    SERVER_ERROR = "ServiceException"
    DENIED = "AccessDeniedException"
    RESET = "the connection is reset"
    HANG = "no response is sent"
    GARBAGE = "status 200 with an HTML page"


_MESSAGES = {
    Fault.THROTTLE: "Rate exceeded",
    Fault.UNAVAILABLE: "The service is not able to respond to the request at this time.",
    Fault.SERVER_ERROR: "This exception is thrown when the service encounters an unrecoverable exception.",
    Fault.DENIED: "User is not authorized to perform: {action}",
}
_COMMON_ERRORS: dict[str, tuple[int | None, str, int]] = {
    "CallRateLimitExceededException": (None, "Throttling", 400),
    "ServiceUnavailableException": (None, "ServiceUnavailable", 503),
    "ServiceException": (None, "InternalFailure", 500),
    "AccessDeniedException": (None, "AccessDenied", 403),
    "UnrecognizedClientException": (403, "InvalidClientTokenId", 403),
    "ExpiredTokenException": (403, "ExpiredToken", 403),
    "InvalidSignatureException": (403, "SignatureDoesNotMatch", 403),
}
"""By Image Builder's code: its status (None: that of the model), and STS's code and status for the same cause."""


def common_error(service: str, code: str, message: str) -> ServiceError:
    """The error of `service` ("imagebuilder" or "sts") for a cause that any call can have, by Image Builder's code."""
    status, sts_code, sts_status = _COMMON_ERRORS[code]
    return ServiceError(sts_code, message, sts_status) if service == "sts" else ServiceError(code, message, status)


@dataclass(frozen=True)
class InjectedFailure:
    """One injected failure: a `fault`, or any other `error`. With `after`, the call takes effect first."""

    operation: str
    fault: Fault | None = None
    error: ServiceError | None = None
    after: bool = False

    def error_for(self, service: str, operation: str) -> ServiceError | None:
        """The error response for an operation of a service; None for a network failure."""
        if self.fault in _MESSAGES:
            message = _MESSAGES[self.fault].format(action=f"{service}:{operation}")
            return common_error(service, self.fault.value, message)
        return self.error


def _never() -> None:
    """No failure."""


class FaultPlan:
    """The injected failures that have not happened yet, each for one call, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[InjectedFailure] = []
        self._random_failure: Callable[[], InjectedFailure | None] = _never

    def add(self, failure: InjectedFailure, times: int) -> None:
        """Make the next `times` matching calls fail. Raises ValueError if `times` is not positive."""
        if times < 1:
            raise ValueError(f"times must be at least 1, not {times}")
        with self._lock:
            self._pending += [failure] * times

    def take(self, operation: str) -> InjectedFailure | None:
        """Remove and return the failure for this call, if there is one."""
        with self._lock:
            for index, failure in enumerate(self._pending):
                if failure.operation in (operation, ANY_OPERATION):
                    return self._pending.pop(index)
            return self._random_failure()

    def fail_at_random(self, share: float, faults: tuple[Fault, ...], seed: int) -> None:
        """Make this share of all calls fail, before or after they take effect, until `clear`."""
        generator = random.Random(seed)  # noqa: S311 - a seed makes runs repeatable; nothing here is secret

        def random_failure() -> InjectedFailure | None:
            if generator.random() >= share:
                return None
            return InjectedFailure(ANY_OPERATION, generator.choice(faults), after=generator.random() < 0.5)

        with self._lock:
            self._random_failure = random_failure

    def clear(self) -> None:
        """Discard all failures that have not happened yet."""
        with self._lock:
            self._pending.clear()
            self._random_failure = _never
