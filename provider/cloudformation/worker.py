"""Threads that stay for the next work: starting one takes as long as signing a request. Standard library only."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final

IDLE: Final = "idle"
"""The name of a thread that has no work."""

Work = Callable[[], object]

_WAITING: Final[list[SimpleQueue[tuple[str, Work]]]] = []
"""What the idle threads wait for, each on its own."""


def run(name: str, work: Work) -> None:
    """Run work in a thread of this name: one that is idle, else a new one, which is no reason to keep a process alive.

    Raises RuntimeError or MemoryError where the process can have no further thread.
    """
    try:
        tasks = _WAITING.pop()
    except IndexError:
        tasks = SimpleQueue()
        threading.Thread(target=_serve, args=(tasks,), name=name, daemon=True).start()
    tasks.put((name, work))


def _serve(tasks: SimpleQueue[tuple[str, Work]]) -> None:
    thread = threading.current_thread()
    while True:
        thread.name, work = tasks.get()
        work()
        del work  # and with it what it holds
        _WAITING.append(tasks)
        thread.name = IDLE  # last, so that whoever sees this finds it waiting
