"""Waiting for what other threads are at."""

import threading
import time

PATIENCE = 30.0


def finish(name: str) -> None:
    """Wait until no thread has work of this name; AssertionError where one still has after a long time.

    A thread has its work's name from when it begins: wait for an effect of the work first.
    """
    end = time.monotonic() + PATIENCE
    while any(thread.name == name for thread in threading.enumerate()):
        assert time.monotonic() < end, f"{name} goes on and on"
        time.sleep(0.01)
