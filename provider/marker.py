"""The marker: the physical ID of a Create that failed. It is no ARN, and records what is known of that Create.

Standard library only: the last-resort function needs it, too.
"""

from enum import Enum
from typing import Final

_PREFIX: Final = "no-distribution-configuration"
"""What a marker begins with; in earlier releases, what it ended with."""

_LONGEST: Final = 1024
"""Bytes that CloudFormation takes."""


class CreationStatus(Enum):
    """What is known of a failed Create. The Delete that follows reads it from the marker."""

    NOTHING_CREATED = "nothing-created"
    """The properties failed validation, so every delivery of the request fails in the same way."""
    DENIED = "denied"
    """Access was denied before this delivery created anything; an earlier delivery may have created something."""
    MAY_HAVE_CREATED = "may-have-created"
    """Anything else."""


def marker(status: CreationStatus, stack_id: str, logical_id: str, request_id: str) -> str:
    """The marker of a Create: the same for the same request and status."""
    text = "/".join((_PREFIX, status.value, request_id, logical_id, stack_id))
    return text.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore")


def status_in(physical_id: str) -> CreationStatus | None:
    """What a physical ID records of a failed Create; None if it is no marker, but CloudFormation's own ID, say."""
    if physical_id.endswith(f"/{_PREFIX}"):  # an earlier release's
        return CreationStatus.MAY_HAVE_CREATED
    prefix, _, rest = physical_id.partition("/")
    status = rest.partition("/")[0]
    return next((one for one in CreationStatus if prefix == _PREFIX and one.value == status), None)
