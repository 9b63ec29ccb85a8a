"""Invokes the handler for many events at once, each in a process of its own, which may be killed.

It reads from standard input: the `events`, the `milliseconds` of an invocation, how many of the invocations are killed
(`kills`), and the `seed` that selects them and the moments. As in Lambda, a killed invocation is repeated, unless
`dies_after` says after which of its calls it is killed. It prints how many were killed.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from provider import handler, provision
from provider.aws import client
from provider.ledger import entry, table  # noqa: F401 - each process would import them
from provider.reconciler import api_calls


class Context:
    """Lambda's context."""

    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"

    def __init__(self, milliseconds: int) -> None:
        self._end = time.monotonic() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return int((self._end - time.monotonic()) * 1000)


def die_after(calls: int) -> None:
    """Let this process be killed after this many calls of its API clients."""
    remaining = [calls]
    original = client.call

    def call(*arguments: Any) -> Any:
        try:
            return original(*arguments)
        finally:
            remaining[0] -= 1
            if remaining[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    for module in (api_calls, table):
        vars(module)["call"] = call


def invoke(event: dict[str, Any], milliseconds: int, dies_after: int | None = None) -> int:
    """Start an invocation in a new process, and return the process's ID."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        if dies_after is not None:
            die_after(dies_after)
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
        handler.handler(event, Context(milliseconds))
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    """Invoke the handler for all events, and wait until all invocations have ended."""
    work = json.load(sys.stdin)
    generator = random.Random(work["seed"])
    provision.prepare()
    dies_after = work.get("dies_after")
    running = {invoke(event, work["milliseconds"], dies_after): event for event in work["events"]}
    victims = generator.sample(sorted(running), work["kills"])
    moments = sorted((time.monotonic() + generator.uniform(0.3, 4.0), victim) for victim in victims)
    repeated = 0
    while running:
        while moments and moments[0][0] <= time.monotonic():
            _, victim = moments.pop(0)
            if victim in running:
                os.kill(victim, signal.SIGKILL)
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            time.sleep(0.01)
            continue
        event = running.pop(child)
        if status != 0:
            repeated += 1
            if dies_after is not None:
                continue
            running[invoke(event, work["milliseconds"])] = event
    print(repeated)


if __name__ == "__main__":
    main()
