"""Starts contributors at once, each in a process of its own: for the measurement of many contributors.

It reads from standard input: `events`, the `milliseconds` of an invocation, and whether they go `through` the handler
or are applied by read-modify-write. It prints the seconds after which each of them had ended.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from provider import handler, provision
from provider.ledger import entry  # noqa: F401 - each process would import it

Contribute = Callable[[dict[str, Any]], object]


class Context:
    """Lambda's context."""

    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"

    def __init__(self, milliseconds: int) -> None:
        self._end = time.monotonic() + milliseconds / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left."""
        return int((self._end - time.monotonic()) * 1000)


def through_handler(milliseconds: int) -> Contribute:
    """Return the provider's handler, which takes so many milliseconds at most."""
    provision.prepare()
    return lambda event: handler.handler(event, Context(milliseconds))


def read_modify_write() -> Contribute:
    """Return what a function without a ledger does: read the configuration, add its accounts, and write the result."""
    api: Any = botocore.session.Session().create_client("imagebuilder", config=Config(retries={"mode": "standard"}))

    def contribute(event: dict[str, Any]) -> None:
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


def start(contribute: Contribute, event: dict[str, Any], barrier: tuple[int, int]) -> int:
    """Start a process that contributes as soon as the barrier's second end is closed. Returns the process's ID."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the process ends
        os.close(barrier[1])
        os.read(barrier[0], 1)
        contribute(event)
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    """Start a process for each event, let all of them begin at once, and wait until they have ended."""
    work = json.load(sys.stdin)
    contribute = through_handler(work["milliseconds"]) if work["through"] else read_modify_write()
    barrier = os.pipe()
    running = {start(contribute, event, barrier) for event in work["events"]}
    begin = time.monotonic()
    os.close(barrier[1])
    ended, failed = [], 0
    while running:
        child, status = os.wait()
        running.remove(child)
        ended.append(round(time.monotonic() - begin, 3))
        failed += status != 0
    print(json.dumps({"ended": ended, "failed": failed}))


if __name__ == "__main__":
    main()
