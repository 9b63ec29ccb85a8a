"""A clock on which waiting takes no time."""

import threading
import time


class SkippingClock:
    """Time passes as usual, and `sleep` skips it: the clock is ahead of the real one by all that was waited."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._skipped = 0.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._skipped

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Skip this time."""
        with self._lock:
            self._skipped += seconds
