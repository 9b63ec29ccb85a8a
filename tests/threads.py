"""Waits for other threads."""

import threading
import time

PATIENCE = 30.0


def finish(name: str) -> None:
    """Wait until no thread has this name. Raises AssertionError after a long time.

    A thread has its name only after it starts: wait for an effect of its work first.
    """
    end = time.monotonic() + PATIENCE
    while any(thread.name == name for thread in threading.enumerate()):
        assert time.monotonic() < end, f"{name} goes on and on"
        time.sleep(0.01)
