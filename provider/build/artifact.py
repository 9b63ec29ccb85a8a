"""Builds a function's artifact: the packages in the lock file, and the parts of the provider that it needs.

Usage: python -m provider.build.artifact FUNCTION FOLDER, with the function's logical ID in template.yaml.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from .shrink import RUNTIME, normalize_for_reproducibility, shrink

LOCK: Final = Path(__file__).with_name("lambda.lock")
TOOLS: Final = (
    *("__main__.py", "authoring", "build", "cli", "construct", "emulator", "extras.py", "lint", "preflight"),
    *("stack_engine", "template"),
)
"""Parts of the provider that no function needs."""

_LAST_RESORT: Final = (
    *("__init__.py", "arn.py", "last_resort.py", "marker.py"),
    *("aws/__init__.py", "aws/tls.py", "aws/transport.py", "cloudformation/*.py", "resources/__init__.py"),
)
"""The files of the last-resort function."""

_PROVIDER: Final = Path(__file__).parents[1]
_ANY_MACHINE: Final = ("--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi", "none")
"""Only pure-Python wheels, so that the artifact is independent of this machine."""


class BuildError(Exception):
    """An artifact could not be built; the text says why."""


def build(function: str, folder: Path) -> None:
    """Build the function with this logical ID into a folder, which must not exist or be empty.

    Raises BuildError if there is no such function, the folder has files, or pip cannot download the packages.
    """
    if function not in _BUILDS:
        raise BuildError(f"there is no function {function}; the functions are {' and '.join(_BUILDS)}")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BuildError(f"{folder} is not empty")
    _BUILDS[function](folder)
    normalize_for_reproducibility(folder)


def _build_provider(folder: Path) -> None:
    _install(folder)
    ignore = shutil.ignore_patterns("__pycache__")

    def left_out(directory: str, names: list[str]) -> set[str]:
        tools = {*TOOLS, "last_resort.py"} if Path(directory) == _PROVIDER else set()
        return ignore(directory, names) | tools

    shutil.copytree(_PROVIDER, folder / "provider", ignore=left_out)
    shrink(folder)


def _build_last_resort(folder: Path) -> None:
    for pattern in _LAST_RESORT:
        for source in _PROVIDER.glob(pattern):
            if source.name != "custom_resource.py":  # it needs crhelper
                target = folder / "provider" / source.relative_to(_PROVIDER)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)


def _install(folder: Path) -> None:
    pip = (sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input")
    options = ("--require-hashes", "--no-compile", "--python-version", RUNTIME, *_ANY_MACHINE)
    command = [*pip, "install", *options, "--requirement", str(LOCK), "--target", str(folder)]
    ran = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode:
        raise BuildError(f"pip could not install the function's packages from {LOCK}:\n{ran.stderr.strip()}")


_BUILDS: Final[dict[str, Callable[[Path], None]]] = {
    "ProviderFunction": _build_provider,
    "LastResortFunction": _build_last_resort,
}


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        build(sys.argv[1], Path(sys.argv[2]))
    except BuildError as error:
        sys.exit(str(error))
