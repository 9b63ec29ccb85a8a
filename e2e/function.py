"""A Lambda function's execution environment: its artifact under the real runtime client, in a separate process."""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from e2e.runtime_api import Invocation, RuntimeApi
from e2e.tools import ACCOUNT, PYTHON, REGION, environment, started

_INIT_SECONDS = 30.0


class CrashError(Exception):
    """The function's process exited without a response; the text has its exit code and output."""


@dataclass(frozen=True)
class Package:
    """A deployment package: the folders of the artifact and of the runtime client, and the handler's name.

    `beside` are further folders at the end of the path.
    """

    folder: Path
    handler: str
    runtime: Path
    beside: tuple[Path, ...] = ()


class Function:
    """One execution environment. It starts with its `with` block, handles events one after the other, and can crash."""

    def __init__(self, package: Package, home: Path, variables: Mapping[str, str]) -> None:
        self._package = package
        self._home = home
        self._variables = variables
        self._output = home / "output.log"
        self.init_seconds = 0.0

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True)
        name = self._package.handler.split(".")[1]
        self.arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        with ExitStack() as opened:
            self._api = RuntimeApi(self.arn)
            opened.callback(self._api.close)
            start = time.monotonic()
            # Without `site`, so that only the standard library and PYTHONPATH are on the path.
            command = [str(PYTHON), "-S", "-m", "awslambdaric", self._package.handler]
            with self._output.open("wb") as output:
                running = started(command, self._environment(name), self._package.folder, output.fileno())
                self._process = opened.enter_context(running)
            self._wait(self._api.ready, _INIT_SECONDS)
            self.init_seconds = time.monotonic() - start
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    @property
    def output(self) -> str:
        """The output of the process, which Lambda would send to CloudWatch."""
        return self._output.read_text(encoding="utf-8")

    @property
    def init_errors(self) -> list[dict[str, Any]]:
        """The errors that the runtime has reported for the init phase."""
        return self._api.init_errors

    @property
    def process_id(self) -> int:
        """The ID of the function's process."""
        return self._process.pid

    def begin(self, event: Any, seconds: float) -> Invocation:
        """Send an event without waiting; the function has `seconds` for it."""
        return self._api.send(event, seconds)

    def invoke(self, event: Any, seconds: float = 30.0) -> Invocation:
        """Send an event and wait for its result. Raises CrashError, or TimeoutError when Lambda would time out."""
        invocation = self.begin(event, seconds)
        self._wait(invocation.ended, seconds)
        return invocation

    def kill(self) -> dict[str, str]:
        """Kill the process, as the kernel does if memory runs out; return the error that Lambda reports."""
        self._process.kill()
        self._process.wait()
        return {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error: signal: killed"}

    def _wait(self, happened: threading.Event, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not happened.wait(0.1):
            if (code := self._process.poll()) is not None and not happened.is_set():
                raise CrashError(f"the process exited with {code}:\n{self.output}")
            if time.monotonic() > end:
                raise TimeoutError(f"no response within {seconds} s:\n{self.output}")

    def _environment(self, name: str) -> dict[str, str]:
        package = self._package
        return environment(
            self._home,
            PYTHONPATH=os.pathsep.join(map(str, (package.folder, package.runtime, *package.beside))),
            AWS_LAMBDA_RUNTIME_API=self._api.address,
            _HANDLER=package.handler,
            LAMBDA_TASK_ROOT=str(package.folder),
            LAMBDA_RUNTIME_DIR=str(package.runtime),
            AWS_EXECUTION_ENV="AWS_Lambda_python3.13",
            AWS_LAMBDA_FUNCTION_NAME=name,
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512",
            AWS_LAMBDA_FUNCTION_VERSION="$LATEST",
            AWS_LAMBDA_INITIALIZATION_TYPE="on-demand",
            AWS_LAMBDA_LOG_GROUP_NAME=f"/aws/lambda/{name}",
            AWS_LAMBDA_LOG_STREAM_NAME="2026/01/01/[$LATEST]0123456789abcdef",
            AWS_LAMBDA_LOG_FORMAT="JSON",
            TZ=":UTC",
            **{"AWS_LAMBDA_LOG_LEVEL": "INFO", **self._variables},
        )


def failure_record(function: Function, event: Any, attempts: int, error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record that Lambda sends to the failure destination after the last attempt.

    Source: AWS Lambda Developer Guide, "Capturing records of asynchronous invocations".
    """
    return {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": f"{function.arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": dict(error),
    }
