"""ARNs of distribution configurations. Standard library only: the last-resort function needs them, too."""

import re
from typing import Final

_CONFIGURATION: Final = re.compile(r"arn:[^:]+:imagebuilder:[^:]+:[^:]+:distribution-configuration/[^/\s]+")


def slug(name: str) -> str:
    """A name as Image Builder writes it in the ARN: lowercase, with hyphens for spaces and underscores."""
    return name.lower().replace(" ", "-").replace("_", "-")


def configuration_arn(partition: str, region: str, account: str, name: str) -> str:
    """The ARN that a configuration of this name has in an account and Region."""
    return f"arn:{partition}:imagebuilder:{region}:{account}:distribution-configuration/{slug(name)}"


def is_configuration_arn(physical_id: str) -> bool:
    """Whether a physical ID is a distribution configuration's ARN."""
    return _CONFIGURATION.fullmatch(physical_id) is not None


def with_name(arn: str, name: str) -> str:
    """The ARN that a configuration of this name has in the account and Region of `arn`."""
    return f"{arn.rpartition('/')[0]}/{slug(name)}"
