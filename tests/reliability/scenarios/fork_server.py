"""Runs events in separate processes that can be killed, without starting an interpreter for each.

A child process loads the provider once and forks for each event. It has one thread and no connections, so forking is
safe. `ForkServer` is the parent's side; `python -m tests.reliability.scenarios.fork_server` is the child's.
"""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Any, Self


class ForkServer:
    """Forks a process for each event. `descriptor` is the file of the shared clock."""

    def __init__(self, descriptor: int, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.scenarios.fork_server", str(descriptor)],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[descriptor],
            text=True,
        )
        self._pid = 0
        self._forked = threading.Event()

    def run(self, event: Mapping[str, Any], milliseconds: int, seed: int) -> bool:
        """Run one event to its end. Returns whether it ended normally."""
        self._forked.clear()
        self._write({"event": event, "milliseconds": milliseconds, "seed": seed})
        self._pid = int(self._line())
        self._forked.set()
        return int(self._line()) == 0

    def kill(self) -> None:
        """Kill the process of the event that runs."""
        self._forked.wait()
        os.kill(self._pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait()

    def _write(self, work: object) -> None:
        pipe = self._process.stdin
        assert pipe
        pipe.write(json.dumps(work) + "\n")
        pipe.flush()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


def main() -> None:
    """Fork for each line of standard input; print the process ID, and later how the process ended."""
    from provider import provision
    from provider.handler import respond
    from tests.reliability.scenarios.clock import SharedClock
    from tests.reliability.scenarios.deliveries import Context

    logging.disable(logging.CRITICAL)
    clock = SharedClock(int(sys.argv[1]))
    provision.prepare()
    out: IO[str] = sys.stdout
    for line in sys.stdin:
        work = json.loads(line)
        process = os.fork()
        if process == 0:
            random.seed(work["seed"])
            status = 1
            try:
                respond(work["event"], Context(clock, work["milliseconds"]), clock)
                status = 0
            finally:
                os._exit(status)
        print(process, file=out, flush=True)
        print(os.waitpid(process, 0)[1], file=out, flush=True)


if __name__ == "__main__":
    main()
