"""`python -m provider` without the packages that it needs."""

import subprocess
import sys
from pathlib import Path


def test_a_missing_package_is_reported_in_a_sentence() -> None:
    """Without its packages, the command says how to install them and exits with 2, without a traceback."""
    bare = [sys.executable, "-S", "-E", "-m", "provider", "--help"]
    ended = subprocess.run(bare, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"Error: {sys.executable} has no package click. ")
    assert "make demo" in ended.stderr
    assert ended.stderr.count("\n") == 1
