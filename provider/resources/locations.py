"""The locations of one request's configurations, from its properties: Region, account, and the role to assume."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..arn import Location
from ..errors import Outcome, ProviderError
from ..schema.model import PROVIDER_PROPERTIES, REGION, ROLE, pascal_case
from ..schema.validation import validate

if TYPE_CHECKING:
    from ..cloudformation.request import Request


class Locations(NamedTuple):
    """The function's location, and those that the desired and the old properties specify."""

    function: Location
    desired: Location
    old: Location

    @classmethod
    def of(
        cls, request: "Request", desired: Mapping[str, Any], old: Mapping[str, Any], function: Location
    ) -> "Locations":
        """Return the locations of a request. `desired` and `old` are its properties by the API's names.

        They may be invalid. An invalid Region or role counts as not given.
        """
        place = _location(desired, function)
        return cls(function, place, _location(old, function) if request.request_type == "Update" else place)

    def at(self, arn: str) -> Location:
        """Return the location of a configuration: the ARN's Region and account, with a role of that account.

        Raises ProviderError if the properties name no role of that account.
        """
        _, partition, _, region, account, _ = arn.split(":", 5)
        for known in (self.desired, self.old):
            # In an unverified location, the account of the function's role is not certain.
            if known.account == account or not (known.role or known.is_verified):
                return Location(partition, region, account, is_verified=True, role=known.role)
        given = f"{pascal_case(ROLE)} is a role of account {self.desired.account}"
        without = f"the provider's function is in account {self.desired.account}"
        raise ProviderError(
            f"{arn} is in account {account}, but {given if self.desired.role else without}; it was not changed",
            remediation=f"Set {pascal_case(ROLE)} to a role of account {account}",
        )

    def explained(self, error: ProviderError, location: Location) -> ProviderError:
        """Return an error of a call in a location, with what access there requires if access was denied."""
        if error.outcome is not Outcome.DENIED or error.code == "":
            return error
        if location.role:
            error.remediation = error.remediation.replace("the provider's role", f"the role {location.role}")
        elif location.region != self.function.region:
            error.remediation += f". The provider's parameter Regions must include {location.region}"
        return error


def _location(properties: Mapping[str, Any], function: Location) -> Location:
    if REGION not in properties and ROLE not in properties:
        return function
    region, role = (_valid(properties.get(member), member) for member in (REGION, ROLE))
    return function.at(region, role)


def _valid(value: object, member: str) -> str:
    """Return the value of a property if it is valid; otherwise empty."""
    return value if isinstance(value, str) and not validate(value, PROVIDER_PROPERTIES[member]) else ""
