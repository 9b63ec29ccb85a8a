"""ARNs of distribution configurations. Standard library only, because the last-resort function imports it."""

from typing import Final, NamedTuple

_RESOURCE: Final = "distribution-configuration/"


def slug(name: str) -> str:
    """Return a name as in the ARN: lowercase, with hyphens for spaces and underscores."""
    return name.lower().replace(" ", "-").replace("_", "-")


def configuration_arn(partition: str, region: str, account: str, name: str) -> str:
    """Return the ARN of a configuration of this name in an account and Region."""
    return f"arn:{partition}:imagebuilder:{region}:{account}:{_RESOURCE}{slug(name)}"


def is_configuration_arn(physical_id: str) -> bool:
    """Return whether a physical ID is a distribution configuration's ARN."""
    *parts, resource = physical_id.split(":", 5)
    name = resource.removeprefix(_RESOURCE)
    if not resource.startswith(_RESOURCE) or name.split() != [name] or "/" in name:
        return False
    return len(parts) == 5 and all(parts) and parts[0] == "arn" and parts[2] == "imagebuilder"


def with_name(arn: str, name: str) -> str:
    """Return the ARN of a configuration of this name in the account and Region of `arn`."""
    return f"{arn.rpartition('/')[0]}/{slug(name)}"


class Location(NamedTuple):
    """A partition, Region, and account, in which names of configurations are unique.

    It is verified unless the function and the stack are in different locations. `role` is the ARN of the role that is
    assumed for calls there; empty for the function's own role.
    """

    partition: str = "aws"
    region: str = ""
    account: str = ""
    is_verified: bool = False
    role: str = ""

    @classmethod
    def of(cls, function_arn: str, stack_id: str) -> "Location":
        """Return the location of the function, or of the stack if the function's ARN is unknown."""
        found = [
            arn.split(":")[1:5] for arn in (function_arn, stack_id) if arn.startswith("arn:") and arn.count(":") > 4
        ]
        if not found:
            return cls()
        partition, _, region, account = found[0]
        return cls(partition, region, account, all(one[2:] == [region, account] for one in found))

    def at(self, region: str, role: str) -> "Location":
        """Return the location in another Region, and in the account of a role. Empty arguments change nothing."""
        account = role.split(":")[4] if role else self.account
        is_verified = self.is_verified or bool(region and role)
        return Location(self.partition, region or self.region, account, is_verified, role)

    def contains(self, arn: str) -> bool:
        """Return whether a configuration's ARN has this Region and account."""
        return arn.split(":")[3:5] == [self.region, self.account]

    def arn(self, name: str) -> str:
        """Return the ARN of a configuration of this name in this location."""
        return configuration_arn(self.partition, self.region, self.account, name)
