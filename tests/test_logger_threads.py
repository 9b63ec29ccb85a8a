"""The logger is created once, whichever threads need it first."""

import threading
import time
from typing import Any

import pytest

from provider import observability


def test_threads_share_one_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of threads that need the logger at the same time, one creates it."""
    created = []
    original = observability.Logger

    def create(**settings: Any) -> observability.Logger:
        created.append(threading.current_thread().name)
        time.sleep(0.05)  # the other threads arrive meanwhile
        return original(**settings)

    monkeypatch.setattr(observability, "Logger", create)
    observability._created.cache_clear()
    threads = [threading.Thread(target=observability.logger) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(created) == 1
