"""An AWS account on the loopback interface: ministack over TLS, with the application deployed to it by `sam deploy`.

How ministack differs from CloudFormation and Lambda, and how the tests handle that:

- It has no Image Builder. The functions inherit ministack's environment, in which botocore's standard variables name
  the emulator's endpoint; template.yaml does not depend on it.
- It invokes a custom resource's function directly and once, without Lambda's retries and failure destinations. The
  tests cover those with asynchronous invocations through Lambda's API, which ministack implements like Lambda.
- After a failed Create, it ignores the physical ID of the response and sends no Delete. tests/ covers what follows a
  failed Create.
"""

import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from e2e.tools import ACCOUNT, BIN, CERTIFICATE, CREDENTIALS, PYTHON, REGION, ROOT, SAM, environment, run, started

PROVIDER_STACK = "image-builder-distribution-provider"
"""The stack's name in samconfig.toml."""
_START_SECONDS = 60.0
_STACK_SECONDS = 30.0


class Account:
    """An account that exists while its `with` block runs. `variables` are set in its functions' environment."""

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self._home = home
        self._variables = variables
        self._log = home / "ministack.log"

    def __enter__(self) -> Self:
        with ExitStack() as self._opened:
            port = _free_port()
            self._url = f"https://127.0.0.1:{port}"
            # ministack's own command would also listen on port 443 if it can.
            command = [str(PYTHON), "-m", "hypercorn", "ministack.app:app", "--bind", f"127.0.0.1:{port}"]
            command += ["--certfile", str(CERTIFICATE), "--keyfile", str(CERTIFICATE)]
            with self._log.open("wb") as log:
                running = started(command, self._server_environment(port), self._home, log.fileno())
                self._process = self._opened.enter_context(running)
            self.stacks, self.functions, self.queues, self.logs = map(
                self._client, ("cloudformation", "lambda", "sqs", "logs")
            )
            self._wait_until_up()
            self._opened = self._opened.pop_all()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    @property
    def log(self) -> str:
        """The output of ministack so far."""
        return self._log.read_text(encoding="utf-8")

    def kill_functions(self) -> None:
        """Kill the processes of all functions, as the kernel does if memory runs out."""
        for line in run(["ps", "-A", "-o", "pid=,pgid=,command="], {"PATH": os.environ["PATH"]}).splitlines():
            process, group, command = line.split(maxsplit=2)
            if int(group) == self._process.pid and "_worker.py" in command:
                os.kill(int(process), signal.SIGKILL)

    def deploy_application(self, template: Path, **parameters: str) -> None:
        """Run `sam deploy` with the settings of samconfig.toml, without confirmation."""
        command = [str(BIN / "sam"), "deploy", "--template-file", str(template), "--no-confirm-changeset"]
        command += ["--config-file", str(ROOT / "samconfig.toml"), "--no-progressbar"]
        if parameters:
            command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
        endpoint = {"AWS_ENDPOINT_URL": self._url, "AWS_CA_BUNDLE": str(CERTIFICATE)}
        run(command, environment(self._home, **SAM, **endpoint))

    def create(self, name: str, template: Path, **parameters: str) -> str:
        """Create a stack from a template and return its final status."""
        self.stacks.create_stack(
            StackName=name, TemplateBody=template.read_text(encoding="utf-8"), **_given(parameters)
        )
        return self.settled(name)

    def update(self, name: str, template: Path, **parameters: str) -> str:
        """Update a stack to a template and return its final status."""
        self.stacks.update_stack(
            StackName=name, TemplateBody=template.read_text(encoding="utf-8"), **_given(parameters)
        )
        return self.settled(name)

    def delete(self, name: str) -> str:
        """Delete a stack and return its final status. Raises ClientError if CloudFormation refuses to delete it."""
        stack_id = self._stack(name)["StackId"]
        self.stacks.delete_stack(StackName=name)
        return self.settled(stack_id)

    def settled(self, name: str) -> str:
        """Wait until no operation on a stack is in progress; return its status. Raises TimeoutError."""
        end = time.monotonic() + _STACK_SECONDS
        while (status := str(self._stack(name)["StackStatus"])).endswith("_IN_PROGRESS"):
            if time.monotonic() > end:
                raise TimeoutError(f"{name} is still {status}:\n{self.log}")
            time.sleep(0.1)
        return status

    def outputs(self, name: str) -> dict[str, str]:
        """Return a stack's outputs."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._stack(name).get("Outputs", [])}

    def resource(self, name: str, logical_id: str) -> str:
        """Return the physical ID of one of a stack's resources."""
        found = self.stacks.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def reasons(self, name: str) -> list[str]:
        """Return the reasons in a stack's events, the latest first."""
        events = self.stacks.describe_stack_events(StackName=name)["StackEvents"]
        return [reason for event in events if (reason := event.get("ResourceStatusReason"))]

    def _client(self, service: str) -> Any:
        make: Callable[..., Any] = boto3.client
        keys = {name.lower(): value for name, value in CREDENTIALS.items()}
        config = Config(retries={"total_max_attempts": 1})
        client = make(service, REGION, endpoint_url=self._url, verify=str(CERTIFICATE), config=config, **keys)
        self._opened.callback(client.close)
        return client

    def _stack(self, name: str) -> dict[str, Any]:
        (stack,) = self.stacks.describe_stacks(StackName=name)["Stacks"]
        found: dict[str, Any] = stack
        return found

    def _server_environment(self, port: int) -> dict[str, str]:
        # A copy, because ministack writes another file next to it.
        certificate = str(shutil.copy(CERTIFICATE, self._home))
        return environment(
            self._home,
            **{
                "TMPDIR": str(self._home),
                "STATE_DIR": str(self._home / "state"),
                "S3_DATA_DIR": str(self._home / "s3"),
                "GATEWAY_PORT": str(port),
                "MINISTACK_HOST": "127.0.0.1",
                "MINISTACK_REGION": REGION,
                "MINISTACK_ACCOUNT_ID": ACCOUNT,
                "USE_SSL": "1",
                "MINISTACK_SSL_CERT": certificate,
                "MINISTACK_SSL_KEY": certificate,
                "SSL_CERT_FILE": certificate,
                "AWS_CA_BUNDLE": certificate,
                "LAMBDA_EXECUTOR": "local",
                "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1",
                "IOT_MTLS_ENABLED": "0",
                **self._variables,
            },
        )

    def _wait_until_up(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.stacks.list_stacks()
            except BotoCoreError as error:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError(f"ministack did not start:\n{self.log}") from error
                time.sleep(0.1)
            else:
                return


def _given(parameters: Mapping[str, str]) -> dict[str, Any]:
    return {"Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
