"""The time that a request has: so much for the work, the rest for the answer."""

import math
import time
from typing import Final

_WITHOUT_CONTEXT: Final = 60.0
_LAMBDA_MOST: Final = 900.0
_ANSWER_SHARE: Final = 0.25
_ANSWER_MOST: Final = 15.0
_ANSWER_LEAST: Final = 1.0
_LAST_MOMENT: Final = 0.25
"""Seconds before Lambda's own end at which nothing is begun any more."""


class Deadline:
    """Seconds left for the work and for the answer; and what the work is at, for whoever has to explain its end."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds - _LAST_MOMENT
        answer = min(_ANSWER_MOST, max(_ANSWER_LEAST, seconds * _ANSWER_SHARE), seconds / 2)
        self._work_end = self._end - answer
        self.doing = "loading the provider"
        """What is going on right now, to be told where time runs out."""
        self.created = ""
        """The ARN of what a Create brought into being, to be answered for however the request ends."""

    @classmethod
    def of(cls, context: object, most: float = math.inf) -> "Deadline":
        """The deadline that Lambda's context sets, `most` seconds from now; a fixed one where the context is none."""
        try:
            seconds = float(context.get_remaining_time_in_millis()) / 1000  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001 - whatever is wrong with the context, the request gets its answer
            seconds = _WITHOUT_CONTEXT
        return cls(min(seconds, most, _LAMBDA_MOST))

    def left(self) -> float:
        """Seconds that the work has, at most 0 when it is over."""
        return self._work_end - time.monotonic()

    def left_for_answer(self) -> float:
        """Seconds until nothing may be begun any more."""
        return self._end - time.monotonic()

    def end_work(self) -> None:
        """The answer is given: whatever still runs begins nothing new."""
        self._work_end = time.monotonic()
