"""Waiting for events in other processes."""

import time
from collections.abc import Callable

_SECONDS = 30.0


def wait_until(happened: Callable[[], bool]) -> None:
    """Poll until `happened` returns true. Raises TimeoutError if it does not."""
    end = time.monotonic() + _SECONDS
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"the event did not happen within {_SECONDS:.0f} s")
        time.sleep(0.02)
