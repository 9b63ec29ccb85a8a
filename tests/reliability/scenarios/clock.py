"""A virtual clock that processes share: a sleep advances it and takes no time."""

import mmap
import struct
from collections.abc import Callable
from typing import Final

_SIZE: Final = 8


class SharedClock:
    """Replaces the `time` module in the provider. `descriptor` is a file of at least eight bytes."""

    on_sleep: Callable[[], None] | None = None
    """Runs after each sleep, in the thread that slept."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _SIZE)

    def time(self) -> float:
        """Seconds since the epoch."""
        now: float = struct.unpack_from("d", self._memory)[0]
        return now

    def monotonic(self) -> float:
        """The same: this clock is never set back."""
        return self.time()

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.advance(max(0.0, seconds))
        if self.on_sleep:
            self.on_sleep()

    def advance(self, seconds: float) -> None:
        """Advance the clock without running the hook."""
        self.set(self.time() + seconds)

    def set(self, now: float) -> None:
        """Set the clock."""
        struct.pack_into("d", self._memory, 0, now)
