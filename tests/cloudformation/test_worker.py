"""Threads are kept for the next work, and one that hangs keeps nobody waiting."""

import threading
from concurrent.futures import Future

import pytest

from provider.cloudformation import worker
from tests.threads import PATIENCE, finish


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has no thread be idle at first."""
    monkeypatch.setattr(worker, "_WAITING", [])


def identity(name: str) -> tuple[int, str]:
    """The thread that gets work, and its name while it is at that."""
    told: Future[tuple[int, str]] = Future()

    def tell() -> None:
        thread = threading.current_thread()
        told.set_result((thread.native_id or 0, thread.name))

    worker.run(name, tell)
    found = told.result(PATIENCE)
    finish(name)
    return found


def test_a_thread_serves_again() -> None:
    """Work that comes when a thread is idle runs in that one, which has the work's name meanwhile."""
    (first, one), (second, other) = identity("test: one"), identity("test: other")
    assert (first, one, other) == (second, "test: one", "test: other")


def test_work_does_not_wait_for_work() -> None:
    """While one thread is at something, the next work runs in another."""
    gate = threading.Event()
    worker.run("test: hanging", lambda: gate.wait(PATIENCE))
    try:
        identity("test: next")
        assert any(thread.name == "test: hanging" for thread in threading.enumerate())
    finally:
        gate.set()
        finish("test: hanging")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_breaks_off_takes_nothing_along() -> None:
    """A thread whose work raised gets no further work."""

    def fail() -> None:
        raise MemoryError

    worker.run("test: failing", fail)
    finish("test: failing")
    assert worker._WAITING == []
    assert identity("test: next")[1] == "test: next"


def test_no_thread_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the process can have no further thread and none is idle, whoever asks is told."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="new thread"):
        worker.run("test: work", lambda: None)
