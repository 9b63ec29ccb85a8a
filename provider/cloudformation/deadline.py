"""Divides the time of a request between the work and the response."""

import math
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import Protocol

    from .response import Response

    class Clock(Protocol):
        """The functions of the standard library's `time` module that the provider uses."""

        def time(self) -> float: ...
        def monotonic(self) -> float: ...
        def sleep(self, seconds: float, /) -> object: ...


_DEFAULT_SECONDS: Final = 60.0
"""The total time if the Lambda context does not show it."""
_MAX_LAMBDA_SECONDS: Final = 900.0
_RESPONSE_SHARE: Final = 0.25
_MAX_RESPONSE_SECONDS: Final = 15.0
_MIN_RESPONSE_SECONDS: Final = 1.0
_MARGIN_SECONDS: Final = 0.25
"""Nothing starts this shortly before the end."""


class Deadline:
    """The time left for the work and for the response, and what the reason of a timeout reports.

    `seconds` is the total time, of which the work may take at most `work_seconds`.
    """

    def __init__(self, seconds: float, work_seconds: float = math.inf, clock: "Clock" = time) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds - _MARGIN_SECONDS
        response = min(_MAX_RESPONSE_SECONDS, max(_MIN_RESPONSE_SECONDS, seconds * _RESPONSE_SHARE), seconds / 2)
        self._work_end = min(self._end - response, clock.monotonic() + work_seconds)
        self.current_operation = "startup"
        self.retry_reason = ""
        """Why the current operation is being retried."""
        self.may_succeed = False
        """Whether to respond with SUCCESS if the work returns no response, because there is certainly nothing to do."""
        self.response: Response | None = None
        """The response if time runs out during the cleanup after a request that has succeeded."""

    @classmethod
    def of(
        cls, context: object, most: float = math.inf, work_seconds: float = math.inf, clock: "Clock" = time
    ) -> "Deadline":
        """Return the deadline of a Lambda context, or a default without a context; at most `most` seconds from now."""
        try:
            seconds = float(context.get_remaining_time_in_millis()) / 1000  # type: ignore[attr-defined]  # may be missing
        except Exception:  # noqa: BLE001 - an unusable context must not prevent a response
            seconds = math.nan
        if math.isnan(seconds):
            seconds = _DEFAULT_SECONDS
        return cls(min(seconds, most, _MAX_LAMBDA_SECONDS), work_seconds, clock)

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._clock.time()

    def left(self) -> float:
        """Return the seconds left for the work; 0 or less if its time is up."""
        return self._work_end - self._clock.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait, at most until the time for the work is up."""
        self._clock.sleep(max(0.0, min(seconds, self.left())))

    def left_for_response(self) -> float:
        """Return the seconds left for the response."""
        return self._end - self._clock.monotonic()
