"""The commands warn if their botocore is not the one that the provider deploys."""

import subprocess
import sys

import botocore
import pytest

from provider.cli.botocore_version import deployed, warning
from tests.cli.commands import EXAMPLES, ROOT, command


def with_botocore(version: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process in which botocore has this version."""
    program = f"import botocore, sys; botocore.__version__ = {version!r}; from provider.cli.main import run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_deployed_version_is_that_of_the_lock_file() -> None:
    """The environment of the tests has the deployed version of botocore, so nothing is warned about."""
    assert deployed() == botocore.__version__
    assert warning(botocore.__version__) == ""
    assert command("validate", EXAMPLES / "golden-image.yaml").stderr == ""


@pytest.mark.parametrize(
    ("installed", "relation"), [("1.9.999", "older"), ("1.44.4", "older"), ("1.100.0", "newer"), ("2.0.0rc1", "newer")]
)
def test_another_version_is_reported_with_a_fix(installed: str, relation: str) -> None:
    """The warning says whether the installed version is older or newer, and how to install the deployed one."""
    text = warning(installed)
    assert f"botocore {installed} is {relation} than the provider's ({deployed()})" in text
    assert text.endswith(f"pip install botocore=={deployed()}")


def test_a_command_warns_once_on_standard_error() -> None:
    """With another botocore, a command works as before, and warns once on standard error, also if it fails."""
    for template, status in (("golden-image.yaml", 0), ("no-such-file.yaml", 2)):
        ended = with_botocore("1.9.0", "validate", str(EXAMPLES / template))
        assert ended.returncode == status
        assert ended.stderr.count("botocore 1.9.0 is older") == 1
        assert "botocore" not in ended.stdout


def test_a_command_without_botocore_does_not_load_it_to_warn() -> None:
    """A command that does not use botocore does not import it for the warning."""
    program = "import sys; from provider.cli.main import main; main(['completion', 'bash'], standalone_mode=False)"
    check = f"{program}; print('botocore' in sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stderr.split() == ["False"]
