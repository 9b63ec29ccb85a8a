"""Runs in the measured process: loads a handler from an artifact, passes events to it, and reports the times.

Usage: python -S driver.py ARTIFACT HANDLER EVENTS REPORT. EVENTS and REPORT are JSON files. Imports as little
as possible, because its own time counts as well.
"""

import json
import sys
import time
from importlib import import_module


class Context:
    """Lambda's context."""

    function_name = "provider"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"
    memory_limit_in_mb = "512"
    aws_request_id = "5e0b0c7e-3d5b-4b0e-9d3c-000000000001"
    log_group_name = "/aws/lambda/provider"
    log_stream_name = "2026/01/01/[$LATEST]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        """Return enough milliseconds for a run under Valgrind."""
        return 300_000


def peak_kilobytes() -> int:
    """Return the peak memory of this process. getrusage would include the parent's."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib is not worth its import here
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main(artifact: str, handler: str, events: str, report: str) -> None:
    """Run the handler, once for each event."""
    sys.path.insert(0, artifact)
    try:  # noqa: SIM105 - contextlib is not worth its import here
        # Depending on the import depth at which its regular expressions are compiled, CPython may allocate and free a
        # piece of its stack again and again, which takes up to a sixth of a start. At this depth, it never does.
        import urllib3.util.url  # noqa: F401 - imported only to be loaded here
    except ImportError:
        pass
    module, _, name = handler.rpartition(".")
    function = getattr(import_module(module), name)
    with open(events, encoding="utf-8") as file:  # noqa: PTH123 - as above
        asked = json.load(file)
    seconds = []
    for event in asked:
        begin = time.perf_counter()
        function(event, Context())
        seconds.append(time.perf_counter() - begin)
    with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123 - as above
        json.dump({"seconds": seconds, "peak_kilobytes": peak_kilobytes()}, file)


main(*sys.argv[1:])
