"""Divides the time of a request between the work and the response."""

import math
import time
from typing import Final, Protocol

_WITHOUT_CONTEXT: Final = 60.0
_LAMBDA_MOST: Final = 900.0
_RESPONSE_SHARE: Final = 0.25
_RESPONSE_MOST: Final = 15.0
_RESPONSE_LEAST: Final = 1.0
_LAST_MOMENT: Final = 0.25
"""Nothing is started in the last seconds before the end."""


class Clock(Protocol):
    """The functions of the standard library's `time` module that the provider uses."""

    def time(self) -> float:
        """Return seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment in the past."""

    def sleep(self, seconds: float, /) -> object:
        """Wait."""


class Deadline:
    """The time left for the work and for the response, and the current operation, for the reason of a timeout.

    `seconds` is the total time, of which the work may take at most `work_seconds`.
    """

    def __init__(self, seconds: float, work_seconds: float = math.inf, clock: Clock = time) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds - _LAST_MOMENT
        response = min(_RESPONSE_MOST, max(_RESPONSE_LEAST, seconds * _RESPONSE_SHARE), seconds / 2)
        self._work_end = min(self._end - response, clock.monotonic() + work_seconds)
        self.current_operation = "loading the provider"
        self.trouble = ""
        """Why the current operation is being retried."""
        self.may_succeed = False
        """Whether to respond with SUCCESS if the work returns no response, because provably nothing is left to do."""

    @classmethod
    def of(
        cls, context: object, most: float = math.inf, work_seconds: float = math.inf, clock: Clock = time
    ) -> "Deadline":
        """Return the deadline of a Lambda context, at most `most` seconds from now; without a context, a fixed one."""
        try:
            seconds = float(context.get_remaining_time_in_millis()) / 1000  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001 - an unusable context must not prevent a response
            seconds = math.nan
        if math.isnan(seconds):
            seconds = _WITHOUT_CONTEXT
        return cls(min(seconds, most, _LAMBDA_MOST), work_seconds, clock)

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._clock.time()

    def left(self) -> float:
        """Return the seconds that are left for the work; 0 or less if its time is up."""
        return self._work_end - self._clock.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait, at most until the time for the work is up."""
        self._clock.sleep(max(0.0, min(seconds, self.left())))

    def left_for_response(self) -> float:
        """Return the seconds that are left for the response."""
        return self._end - self._clock.monotonic()
