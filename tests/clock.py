"""A clock whose waits take no time."""

import threading
import time


class SkippingClock:
    """Time passes as usual, but `sleep` skips it, so the clock is ahead of the real one by all waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._skipped = 0.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._skipped

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment in the past."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Skip the time."""
        with self._lock:
            self._skipped += seconds
