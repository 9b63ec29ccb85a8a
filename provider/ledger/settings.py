"""The function's settings of its ledger, besides the table. The constructs use them, so this imports nothing else."""

from enum import Enum
from typing import Final

DRIFT: Final = "LEDGER_DRIFT"
"""The environment variable with what a sweep does with drift: Report or Repair."""
MAX_REMOVALS: Final = "LEDGER_MAX_ACCOUNT_REMOVALS"
"""The environment variable with the percentage of a source's accounts that may be removed without a deployment."""


class DriftMode(Enum):
    """What a sweep does with drift. The values are those of the template's parameter."""

    REPORT = "Report"
    REPAIR = "Repair"
