"""What the end-to-end tests share: the built application, the runtime client, an Image Builder and a bucket."""

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
    """Let a request to end be an interruption, which fixtures notice, so that no process outlives the tests."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which Python stood for Lambda's."""
    version = run([str(PYTHON), "--version"], {}).strip()
    lambdas = version.startswith("Python 3.13")
    note = "as in Lambda" if lambdas else "which is not Lambda's: no Python 3.13 was found when .venv-e2e was made"
    terminalreporter.write_line(f"the functions ran under {version}, {note}")


@dataclass(frozen=True)
class Application:
    """What `sam build` made: the template as deployed, and a package for each function."""

    template: Path
    provider: Package
    last_resort: Package


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """The application, built as the README says."""
    built = tmp_path_factory.mktemp("sam") / "build"
    # In the environment of whoever runs the tests: it says where this machine's package registry is.
    run([str(BIN / "sam"), "build", "--build-dir", str(built)], {**os.environ, **SAM})
    runtime = _runtime(tmp_path_factory.mktemp("runtime"))
    return Application(
        template=built / "template.yaml",
        provider=Package(built / "ProviderFunction", "provider.handler.handler", runtime),
        last_resort=Package(built / "LastResortFunction", "provider.last_resort.handler", runtime),
    )


@pytest.fixture(scope="session")
def service() -> Iterator[Emulator]:
    """The Image Builder that the account's functions reach."""
    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def account(application: Application, service: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with the application in it."""
    with Account(tmp_path_factory.mktemp("account"), service.environment()) as running:
        running.deploy_application(application.template)
        yield running


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A fresh Image Builder."""
    with Emulator() as running:
        yield running


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """A fresh bucket for answers."""
    running = Bucket()
    yield running
    running.close()


@pytest.fixture
def environments(emulator: Emulator, tmp_path: Path) -> Callable[..., Function]:
    """Makes execution environments, which reach the emulator and trust the bucket; more variables may be given."""
    variables = {**emulator.environment(), **CREDENTIALS, "AWS_RETRY_MODE": "standard"}
    count = itertools.count()

    def make(package: Package, **more: str) -> Function:
        home = tmp_path / f"environment-{next(count)}"
        return Function(package, home, {**variables, "SSL_CERT_FILE": str(CERTIFICATE), **more})

    return make


def _runtime(folder: Path) -> Path:
    """A folder with the runtime client alone, as Lambda's image has it."""
    where = "import sysconfig; print(sysconfig.get_path('platlib'))"
    packages = Path(run([str(PYTHON), "-c", where], {}).strip())
    for pattern in _CLIENT:
        for source in packages.glob(pattern):
            (folder / source.name).symlink_to(source)
    return folder
