"""Runs the provider's real function in this process, as Lambda would."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

from ..extras import require

TIMEOUT = 60.0
"""The function's timeout in seconds."""


@dataclass(frozen=True)
class LambdaContext:
    """The part of Lambda's context object that the function reads."""

    invoked_function_arn: str = ""
    log_group_name: str = "/aws/lambda/provider"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    end: float = field(default_factory=lambda: time.monotonic() + TIMEOUT)

    def get_remaining_time_in_millis(self) -> int:
        """The time until the function's timeout."""
        return max(0, int((self.end - time.monotonic()) * 1000))


@contextmanager
def real_function(logs: TextIO | None, arn: str = "") -> Iterator[Callable[[dict[str, Any]], None]]:
    """A callable that invokes the function with an event. `arn` is the function's. Its output goes to `logs`, if any.

    Inside this context, sys.stdout and sys.stderr are redirected: keep references to the originals.
    """
    require("aws_lambda_powertools", "crhelper")  # without them, the function would only respond FAILED
    with ExitStack() as contexts:
        stream = logs or contexts.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
        contexts.enter_context(redirect_stdout(stream))
        contexts.enter_context(redirect_stderr(stream))
        from ..handler import handler

        yield lambda event: handler(event, LambdaContext(invoked_function_arn=arn))
