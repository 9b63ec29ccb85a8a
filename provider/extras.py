"""The optional packages, and how to install one that is missing. Standard library only."""

import sys
from importlib.util import find_spec
from typing import Final

DISTRIBUTION: Final = "image-builder-distribution-provider"
"""The name of the installed package."""
CHECKOUT: Final = "path/to/this/checkout"

_EXTRAS: Final = {"aws_cdk": "cdk", "constructs": "cdk", "jsii": "cdk", "ministack": "ledger"}
"""The extra in pyproject.toml that contains a package, by the package's name in imports. The others are in `cli`."""
_TARGETS: Final = {
    "cdk": "`make demo` in the checkout sets up .venv",
    "cli": "`make demo` in the checkout sets up .venv",
    "ledger": "`make ministack` in the checkout installs it into .venv-ministack",
}
"""By extra: how a checkout, which is a fresh clone or the .venv of `sam build`, gets what is missing."""


def require(*packages: str) -> None:
    """Raise ModuleNotFoundError if one of these packages is not installed."""
    for package in packages:
        if package not in sys.modules and find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)


def explain(error: ModuleNotFoundError) -> str:
    """A sentence with the command that installs a missing package; empty if a part of the provider is missing."""
    package = (error.name or "").partition(".")[0]
    if package in ("", __package__):
        return ""
    extra = _EXTRAS.get(package, "cli")
    requirements = _requirements(extra)
    if requirements:
        command = f"To install what is missing: pip install {' '.join(map(repr, requirements))}"
    else:
        command = f"{_TARGETS[extra]}, or: pip install '{CHECKOUT}[{extra}]'"
    return f"{sys.executable} has no package {package}. {command}"


def _requirements(extra: str) -> list[str]:
    """The requirements of an extra; empty in a checkout, which is not installed."""
    from importlib.metadata import PackageNotFoundError, requires  # imported here to start faster

    try:
        found = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    parts = (one.partition(";") for one in found)
    return [requirement.strip() for requirement, _, marker in parts if f"'{extra}'" in marker.replace('"', "'")]
