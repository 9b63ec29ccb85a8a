"""A ledger on this machine: an empty table of a DynamoDB emulator, which runs in a process of its own."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from ..extras import require
from ..ledger.table import PARTITION_KEY, SORT_KEY
from ..resources import LEDGER_TABLE
from .files import UserError

ENVIRONMENT: Final = Path(__file__).parents[2] / ".venv-ministack"
"""Where `make ministack` installs the emulator, because its requirements conflict with those of the tests."""

_HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 60.0
# Without a worker process, and until the end of its input, which comes however the process that started it ends.
_SERVE: Final = """
import os, sys, threading
from hypercorn.__main__ import main
threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()
sys.exit(main(["ministack.app:app", "--workers", "0", "--bind", sys.argv[1]]))
"""


def python_with_emulator() -> Path:
    """The Python that has the emulator. Raises ModuleNotFoundError if none has."""
    separate = ENVIRONMENT / "bin" / "python"
    if find_spec("ministack") is None and separate.exists():
        return separate
    require("ministack")
    return Path(sys.executable)


@contextmanager
def ledger_emulator(region: str) -> Iterator[dict[str, str]]:
    """Run the emulator with an empty ledger in this Region; yield the variables that direct the function to it.

    Raises ModuleNotFoundError if it is not installed, and UserError if it does not start.
    """
    with dynamodb(python_with_emulator()) as url:
        create_table(url, region, "ledger")
        yield {LEDGER_TABLE: "ledger", "AWS_ENDPOINT_URL_DYNAMODB": url}


@contextmanager
def dynamodb(python: Path) -> Iterator[str]:
    """Run the emulator on the loopback interface, and yield its URL. Raises UserError if it does not start."""
    with socket.create_server((_HOST, 0)) as free:
        port = free.getsockname()[1]
    own = {"IOT_MTLS_ENABLED": "0", "BIND_HOST": _HOST, "GATEWAY_PORT": str(port), "EDGE_PORT": str(port)}
    with tempfile.TemporaryDirectory() as home:
        log = Path(home) / "emulator.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - a constant command
                [str(python), "-c", _SERVE, f"{_HOST}:{port}"],
                cwd=home,
                env={**os.environ, **own},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )
        try:
            if not _is_up(port, process):
                raise UserError(f"the DynamoDB emulator did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
            yield f"http://{_HOST}:{port}"
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


def _is_up(port: int, process: "subprocess.Popen[bytes]") -> bool:
    """Whether the emulator accepts connections, as soon as it does."""
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection((_HOST, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def create_table(url: str, region: str, name: str) -> None:
    """Create an empty ledger in this Region of an emulator."""
    with closing(dynamodb_client(url, region)) as api:
        api.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": PARTITION_KEY, "KeyType": "HASH"},
                {"AttributeName": SORT_KEY, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (PARTITION_KEY, SORT_KEY)],
        )


def dynamodb_client(url: str, region: str) -> Any:
    """A client of the emulator that does not retry."""
    import botocore.session
    from botocore.config import Config

    return botocore.session.Session().create_client(
        "dynamodb",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",  # noqa: S106 - the emulator checks no signatures
        config=Config(retries={"total_max_attempts": 1}),
    )
