"""The tools that the tests run: their own environment, and processes that end with whoever started them."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv-e2e" / "bin"
PYTHON = BIN / "python"
"""The Python that the functions run under: 3.13 where there is one, as `make e2e` says."""
CERTIFICATE = ROOT / "tests" / "emulator" / "test_emulator.pem"
"""Certificate and key of a server at 127.0.0.1; it signed itself, so whoever trusts it trusts nothing else."""
REGION = "us-east-1"
ACCOUNT = "123456789012"
SAM = {"SAM_CLI_TELEMETRY": "0", "__SAM_CLI_APP_DIR": str(BIN.parent / "sam")}
"""What keeps the SAM CLI from telling anybody, and from writing into anybody's home."""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "verysecretkey",
    "AWS_SESSION_TOKEN": "verysecrettoken",
}
"""Of nobody. To an emulated account the ID of the key says which account it is."""

_PATIENCE = 5.0


def environment(home: Path, **more: str) -> dict[str, str]:
    """The variables of a process that knows no credentials, configuration or proxy of whoever runs the tests."""
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
    """Run a command in the checkout to its end; what it printed. RuntimeError with that where it fails.

    subprocess.TimeoutExpired where it takes longer than `seconds`.
    """
    with started(command, environment, ROOT, subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=seconds)
    text = output.decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return text


@contextmanager
def started(
    command: list[str], environment: Mapping[str, str], folder: Path, output: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A process for as long as the block runs; it and all that it started are gone afterwards.

    `output` is a file descriptor, or subprocess.PIPE, for both of its streams.
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
    """Ask the whole group to go, then make it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            continue
    process.wait(_PATIENCE)
