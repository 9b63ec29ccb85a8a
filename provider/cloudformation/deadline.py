"""The time that a request has: so much for the work, the rest for the response."""

import math
import time
from typing import Final, Protocol

_WITHOUT_CONTEXT: Final = 60.0
_LAMBDA_MOST: Final = 900.0
_RESPONSE_SHARE: Final = 0.25
_RESPONSE_MOST: Final = 15.0
_RESPONSE_LEAST: Final = 1.0
_LAST_MOMENT: Final = 0.25
"""Seconds before the end at which nothing is started anymore."""


class Clock(Protocol):
    """What the provider needs of the standard library's `time` module, which is one."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""

    def sleep(self, seconds: float, /) -> object:
        """Wait."""


class Deadline:
    """Seconds left for the work and for the response; and what the work is doing, for the reason if time runs out.

    `seconds` is the whole time, `work_seconds` the most of it that the work may take.
    """

    def __init__(self, seconds: float, work_seconds: float = math.inf, clock: Clock = time) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds - _LAST_MOMENT
        response = min(_RESPONSE_MOST, max(_RESPONSE_LEAST, seconds * _RESPONSE_SHARE), seconds / 2)
        self._work_end = min(self._end - response, clock.monotonic() + work_seconds)
        self.current_operation = "loading the provider"
        """The current operation."""
        self.trouble = ""
        """Why the current operation is being retried."""
        self.may_succeed = False
        """Whether the response is a success if the work returns none: provably, nothing has to be done anymore."""

    @classmethod
    def of(
        cls, context: object, most: float = math.inf, work_seconds: float = math.inf, clock: Clock = time
    ) -> "Deadline":
        """The deadline that Lambda's context sets, at most `most` seconds from now; a fixed one without a context."""
        try:
            seconds = float(context.get_remaining_time_in_millis()) / 1000  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001 - whatever is wrong with the context, the request gets its response
            seconds = math.nan
        if math.isnan(seconds):
            seconds = _WITHOUT_CONTEXT
        return cls(min(seconds, most, _LAMBDA_MOST), work_seconds, clock)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock.time()

    def left(self) -> float:
        """Seconds that the work has, at most 0 when it is over."""
        return self._work_end - self._clock.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait, at most until the work is over."""
        self._clock.sleep(max(0.0, min(seconds, self.left())))

    def left_for_answer(self) -> float:
        """Seconds until nothing may be started anymore."""
        return self._end - self._clock.monotonic()
