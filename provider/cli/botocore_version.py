"""Warns if the installed botocore is not the deployed one: the commands read its fields and checks from botocore."""

from pathlib import Path
from typing import Final

_LOCK: Final = Path(__file__).parents[1] / "build" / "lambda.lock"
"""What is deployed to Lambda."""
_PIN: Final = "botocore=="


def deployed() -> str:
    """The version of botocore that the provider deploys."""
    pins = (line for line in _LOCK.read_text("utf-8").splitlines() if line.startswith(_PIN))
    return next(pins).removeprefix(_PIN).split()[0]


def warning(installed: str) -> str:
    """A warning that this version of botocore is not the deployed one; empty if it is."""
    pinned = deployed()
    if installed == pinned:
        return ""
    if _numbers(installed) < _numbers(pinned):
        relation, effect = "older", "lack fields that the deployed function knows"
    else:
        relation, effect = "newer", "accept fields that the deployed function does not know"
    return (
        f"Warning: botocore {installed} is {relation} than the provider's ({pinned}), so this command may {effect}. "
        f"To fix: pip install {_PIN}{pinned}"
    )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdigit()]
