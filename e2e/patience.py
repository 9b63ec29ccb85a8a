"""Waiting for what happens in another process."""

import time
from collections.abc import Callable

_SECONDS = 30.0


def wait_until(happened: Callable[[], bool]) -> None:
    """Look until it has happened. TimeoutError where it does not."""
    end = time.monotonic() + _SECONDS
    while not happened():
        if time.monotonic() > end:
            raise TimeoutError(f"it did not happen within {_SECONDS:.0f} s")
        time.sleep(0.02)
