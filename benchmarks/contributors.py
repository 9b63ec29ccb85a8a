"""Starts contributors at once, a few in each of many processes: for the measurement of many contributors.

It reads from standard input: `events`, the `milliseconds` of an invocation, whether they go `through` the handler or
are applied by read-modify-write, and by how much the handler's clock is `slower`. It prints the seconds by that clock
after which each of them had ended, how many of them failed, and the calls of the ledger's table.
"""

import gc
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.config import Config

from provider import handler, provision
from provider.aws.client import client
from provider.ledger import entry  # noqa: F401 - each process would import it
from provider.observability import logger
from provider.schema.model import LEDGER_SERVICE

_PER_PROCESS: Final = 10
"""Contributors in one process. A process for each would take more memory than many machines have."""

Event = dict[str, Any]
Contribute = Callable[[Event], object]


class Context:
    """Lambda's context."""

    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"

    def __init__(self, milliseconds: int) -> None:
        self._end = time.monotonic() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return int((self._end - time.monotonic()) * 1000)


class SlowClock:
    """A clock on which time passes more slowly, as if the machine were faster by that factor."""

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._time, self._monotonic = time.time(), time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._time + (time.time() - self._time) / self._factor

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment in the past, the same in all processes."""
        return self._monotonic + (time.monotonic() - self._monotonic) / self._factor

    def sleep(self, seconds: float) -> None:
        """Wait for some seconds of this clock."""
        time.sleep(seconds * self._factor)


class Calls:
    """Counts the calls of the ledger's table in this process, and the items that transactions write."""

    def __init__(self) -> None:
        self._operations: list[str] = []

    def count(self, model: Any, params: dict[str, Any], **_: object) -> None:
        """Count a call, for botocore's event `before-parameter-build`."""
        self._operations.append(model.name)
        self._operations += ["item" for item in params.get("TransactItems", []) if "Update" in item]

    def counted(self) -> Counter[str]:
        """Return the numbers by operation; those of items in transactions as `item`."""
        return Counter(self._operations)


def through_handler(milliseconds: int, calls: Calls, clock: SlowClock) -> Contribute:
    """Return the provider's handler, which takes so many milliseconds at most.

    What each process would load is loaded before, so that the processes share its memory, and so that threads find it
    complete: in Lambda, no two requests start in one process at once.
    """
    provision.prepare()
    logger()
    api = client(LEDGER_SERVICE, os.environ["AWS_REGION"])
    api.meta.events.register(f"before-parameter-build.{LEDGER_SERVICE}", calls.count)
    gc.collect()
    gc.freeze()
    return lambda event: handler.respond(event, Context(milliseconds), clock)


def read_modify_write() -> Contribute:
    """Return what a function without a ledger does: read the configuration, add its accounts, and write the result."""
    api: Any = botocore.session.Session().create_client("imagebuilder", config=Config(retries={"mode": "standard"}))

    def contribute(event: Event) -> None:
        properties = event["ResourceProperties"]
        arn = properties["DistributionConfigurationArn"]
        live = api.get_distribution_configuration(distributionConfigurationArn=arn)["distributionConfiguration"]
        (part,) = properties["Distributions"]
        (region,) = live["distributions"]
        permission = region["amiDistributionConfiguration"].setdefault("launchPermission", {})
        added = part["AmiDistributionConfiguration"]["LaunchPermission"]["UserIds"]
        permission["userIds"] = [*permission.get("userIds", []), *added]
        api.update_distribution_configuration(
            distributionConfigurationArn=arn, distributions=live["distributions"], clientToken=event["RequestId"]
        )

    return contribute


def run(contribute: Contribute, events: Sequence[Event], calls: Calls, clock: SlowClock, result: int) -> None:
    """Contribute in threads, and write the result to a file descriptor as one line."""
    ended: list[float] = []

    def one(event: Event) -> None:
        contribute(event)
        ended.append(clock.monotonic())

    threads = [threading.Thread(target=one, args=(event,)) for event in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(result, f"{json.dumps({'ended': ended, 'calls': calls.counted()})}\n".encode())


def start(work: Callable[[], object], barrier: tuple[int, int]) -> None:
    """Start a process that begins as soon as the barrier's second end is closed."""
    if os.fork():
        return
    try:
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
        os.close(barrier[1])
        os.read(barrier[0], 1)
        work()
    finally:
        os._exit(0)


def main() -> None:
    """Start the processes, let all of them begin at once, and wait until they have ended."""
    asked = json.load(sys.stdin)
    calls = Calls()
    clock = SlowClock(asked["slower"])
    contribute = through_handler(asked["milliseconds"], calls, clock) if asked["through"] else read_modify_write()
    barrier = os.pipe()
    results = tempfile.TemporaryFile()  # noqa: SIM115 - until the process ends
    events = asked["events"]
    groups = [events[first : first + _PER_PROCESS] for first in range(0, len(events), _PER_PROCESS)]
    for group in groups:
        start(partial(run, contribute, group, calls, clock, results.fileno()), barrier)
    begin = clock.monotonic()
    os.close(barrier[1])
    for _ in groups:
        os.wait()
    results.seek(0)
    lines = [json.loads(line) for line in results]
    ended = sorted(round(each - begin, 2) for line in lines for each in line["ended"])
    total: Counter[str] = Counter()
    for line in lines:
        total.update(line["calls"])
    print(json.dumps({"ended": ended, "failed": len(events) - len(ended), "calls": total}))


if __name__ == "__main__":
    main()
