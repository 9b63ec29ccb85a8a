"""Runs tools in their own environment, in processes that end with the process that started them."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv-e2e" / "bin"
PYTHON = BIN / "python"
"""The Python that runs the functions: 3.13 if it is installed. `make e2e` reports the version."""
CERTIFICATE = ROOT / "tests" / "emulator" / "test_emulator.pem"
"""The self-signed certificate of a server at 127.0.0.1, and its key. Clients trust it as their only CA."""
REGION = "us-east-1"
ACCOUNT = "123456789012"
SAM = {"SAM_CLI_TELEMETRY": "0", "__SAM_CLI_APP_DIR": str(BIN.parent / "sam")}
"""Turns off the SAM CLI's telemetry, and keeps it from writing to the home folder."""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "verysecretkey",
    "AWS_SESSION_TOKEN": "verysecrettoken",
}
"""Not real. An emulated account's ID is the ID of the access key."""

_EXIT_SECONDS = 5.0


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment without the credentials, configuration, and proxy of the user who runs the tests."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **CREDENTIALS,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        **more,
    }


def run(command: list[str], environment: Mapping[str, str], seconds: float = 300.0) -> str:
    """Run a command in the checkout and return its output.

    Raises RuntimeError with the output if the command fails, and subprocess.TimeoutExpired after `seconds`.
    """
    with started(command, environment, ROOT, subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=seconds)
    text = output.decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}:\n{text}")
    return text


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str], folder: Path, output: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process while the block runs; end it and its children afterward.

    `output` is a file descriptor or subprocess.PIPE, for stdout and stderr.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)
        if process.stdout:
            process.stdout.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate the whole process group; if it does not exit, kill it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait(_EXIT_SECONDS)
