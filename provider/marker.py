"""The marker: the physical ID of a Create that failed. It is not an ARN, and records what that Create did.

Standard library only, because the last-resort function imports it.
"""

from enum import Enum
from typing import Final

_PREFIX: Final = "no-distribution-configuration"
"""The beginning of a marker; in earlier releases, its end."""

_MAX_BYTES: Final = 1024
"""CloudFormation's limit for a physical ID."""


class CreationStatus(Enum):
    """The possible result of a failed Create. The Delete that follows reads it from the marker."""

    NOTHING_CREATED = "nothing-created"
    """The properties failed validation, so every delivery of the request fails in the same way."""
    DENIED = "denied"
    """Access was denied before this delivery created anything; an earlier delivery may have created something."""
    MAY_HAVE_CREATED = "may-have-created"
    """Anything else."""


def marker(status: CreationStatus, stack_id: str, logical_id: str, request_id: str) -> str:
    """Return the marker of a Create. It is the same for the same request and status."""
    text = "/".join((_PREFIX, status.value, request_id, logical_id, stack_id))
    return text.encode("utf-8", "replace")[:_MAX_BYTES].decode("utf-8", "ignore")


def status_in(physical_id: str) -> CreationStatus | None:
    """Return the status in a marker; None for any other physical ID, such as one that CloudFormation generated."""
    if physical_id.endswith(f"/{_PREFIX}"):  # an earlier release's
        return CreationStatus.MAY_HAVE_CREATED
    prefix, _, rest = physical_id.partition("/")
    status = rest.partition("/")[0]
    return next((one for one in CreationStatus if prefix == _PREFIX and one.value == status), None)
