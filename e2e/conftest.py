"""Fixtures of the end-to-end tests: the built application, the runtime client, Image Builder, and a bucket."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.account import Account
from e2e.bucket import Bucket
from e2e.function import Function, Package
from e2e.tools import BIN, CERTIFICATE, CREDENTIALS, PYTHON, SAM, run
from provider.emulator.emulator import Emulator

_CLIENT = ("awslambdaric", "runtime_client*", "simplejson", "snapshot_restore_py")


def pytest_configure() -> None:
    """Treat SIGTERM as an interruption, so that fixtures end the processes that they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the Python version that ran the functions."""
    version = run([str(PYTHON), "--version"], {}).strip()
    lambdas = version.startswith("Python 3.13")
    note = "as in Lambda" if lambdas else "which differs from Lambda's: there was no Python 3.13 to create .venv-e2e"
    terminalreporter.write_line(f"the functions ran under {version}, {note}")


@dataclass(frozen=True)
class Application:
    """The output of `sam build`: the template, and a package for each function."""

    template: Path
    provider: Package
    last_resort: Package


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """The application, built as in the README."""
    built = tmp_path_factory.mktemp("sam") / "build"
    # With the user's environment, which names this machine's package registry.
    run([str(BIN / "sam"), "build", "--build-dir", str(built)], {**os.environ, **SAM})
    runtime = _runtime(tmp_path_factory.mktemp("runtime"))
    return Application(
        template=built / "template.yaml",
        provider=Package(built / "ProviderFunction", "provider.handler.handler", runtime),
        last_resort=Package(built / "LastResortFunction", "provider.last_resort.handler", runtime),
    )


@pytest.fixture(scope="session")
def service() -> Iterator[Emulator]:
    """The Image Builder emulator that the account's functions call."""
    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def account(application: Application, service: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in which the application is deployed."""
    with Account(tmp_path_factory.mktemp("account"), service.environment()) as running:
        running.deploy_application(application.template)
        yield running


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An empty Image Builder emulator."""
    with Emulator() as running:
        yield running


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket for responses."""
    running = Bucket()
    yield running
    running.close()


@pytest.fixture
def environments(emulator: Emulator, tmp_path: Path) -> Callable[..., Function]:
    """Creates execution environments that call the emulator and trust the bucket, with additional variables."""
    variables = {**emulator.environment(), **CREDENTIALS, "AWS_RETRY_MODE": "standard"}
    count = itertools.count()

    def make(package: Package, **more: str) -> Function:
        home = tmp_path / f"environment-{next(count)}"
        return Function(package, home, {**variables, "SSL_CERT_FILE": str(CERTIFICATE), **more})

    return make


def _runtime(folder: Path) -> Path:
    """Fill a folder with only the runtime client, as in Lambda's image, and return it."""
    script = "import sysconfig; print(sysconfig.get_path('platlib'))"
    packages = Path(run([str(PYTHON), "-c", script], {}).strip())
    for pattern in _CLIENT:
        for source in packages.glob(pattern):
            (folder / source.name).symlink_to(source)
    return folder
