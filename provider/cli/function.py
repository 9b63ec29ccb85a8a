"""Runs the provider's real function in this process, as Lambda would."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

SECONDS = 60.0
"""The function's timeout."""


@dataclass(frozen=True)
class Context:
    """The part of Lambda's context object that the function reads."""

    function_name: str = "provider"
    function_version: str = "$LATEST"
    invoked_function_arn: str = ""
    memory_limit_in_mb: int = 512
    log_group_name: str = "/aws/lambda/provider"
    log_stream_name: str = "this process"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    end: float = field(default_factory=lambda: time.monotonic() + SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """The time until the function's timeout."""
        return max(0, int((self.end - time.monotonic()) * 1000))


@contextmanager
def real_function(logs: TextIO | None, arn: str = "") -> Iterator[Callable[[dict[str, Any]], None]]:
    """A callable that invokes the function with an event. `arn` is the function's. Its output goes to `logs`, if any.

    Inside this context, sys.stdout and sys.stderr are redirected: keep references to the originals.
    """
    with ExitStack() as open_while:
        stream = logs or open_while.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
        open_while.enter_context(redirect_stdout(stream))
        open_while.enter_context(redirect_stderr(stream))
        from ..handler import handler

        yield lambda event: handler(event, Context(invoked_function_arn=arn))


@contextmanager
def offline() -> Iterator[None]:
    """Hide the user's AWS settings and proxies from botocore; restore the whole environment at the end."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_") or name.lower() in {"http_proxy", "https_proxy", "all_proxy"}:
            del os.environ[name]
    os.environ.update({"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
