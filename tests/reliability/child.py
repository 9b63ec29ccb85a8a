"""Runs the function in a separate process with one fault, which it reads from standard input.

`broken`: a package that raises when imported. `slow`: a package whose import takes a minute. `inside`: an exit, a
MemoryError, or a kill inside the API client before a request to `operation` is sent, or (`after`) after its response.
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))


def shadow(package: str, source: str) -> None:
    """Shadow a package with another one."""
    folder = tempfile.mkdtemp()
    Path(folder, f"{package}.py").write_text(source, encoding="utf-8")
    sys.path.insert(0, folder)


def happen(what: str) -> None:
    """Cause the fault."""
    if what == "exit":
        sys.exit(3)
    if what == "memory":
        raise MemoryError
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Serve one request."""
    work = json.load(sys.stdin)
    if package := work.get("broken"):
        shadow(package, "raise ImportError('broken for a test')\n")
    if package := work.get("slow"):
        shadow(package, "import time\ntime.sleep(60)\n")
    if what := work.get("inside"):
        from provider.aws.client import client

        moment = "after-call" if work.get("after") else "before-send"

        def listener(**_: Any) -> None:
            happen(what)

        client("imagebuilder", os.environ.get("AWS_REGION")).meta.events.register(
            f"{moment}.imagebuilder.{work['operation']}", listener
        )

    from provider.handler import handler

    class Context:
        """Lambda's context."""

        def get_remaining_time_in_millis(self) -> int:
            """Milliseconds left."""
            return int(work["milliseconds"])

    handler(work["event"], Context())


main()
