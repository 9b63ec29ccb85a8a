"""The locations of one request's configurations, from its properties: Region, account, and the role to assume."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..arn import Location, is_configuration_arn
from ..errors import NotAssumed, Outcome, ProviderError
from ..schema.model import PROVIDER_PROPERTIES, REGION, ROLE, TARGET, pascal_case
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
        known = [place for place in (self.desired, self.old) if place.contains(arn)]
        # In an unverified location, the account of the function's role is not certain.
        known += [
            place
            for place in (self.desired, self.old)
            if place.account == account or not (place.role or place.is_verified)
        ]
        if known:
            return Location(partition, region, account, is_verified=True, role=known[0].role)
        given = f"{pascal_case(ROLE)} is a role of account {self.desired.account}"
        without = f"the provider's function is in account {self.desired.account}"
        raise ProviderError(
            f"{arn} is in account {account}, but {given if self.desired.role else without}; it was not changed",
            remediation=f"Set {pascal_case(ROLE)} to a role of account {account}",
        )

    def explained(self, error: ProviderError, location: Location) -> ProviderError:
        """Return an error of a call in a location, with what a location other than the function's requires."""
        if isinstance(error, NotAssumed):
            return error
        is_denied, is_other = error.outcome is Outcome.DENIED, location.region != self.function.region
        if is_denied and location.role:
            error.remediation = error.remediation.replace("the provider's role", f"the role {location.role}")
        elif is_denied and is_other:
            error.remediation += f". The provider's parameter Regions must include {location.region}"
        elif error.outcome is Outcome.UNSENT and is_other:
            error.remediation = f"Check that {pascal_case(REGION)} is correct. {error.remediation}"
        return error


def _location(properties: Mapping[str, Any], function: Location) -> Location:
    target = properties.get(TARGET)
    region = target.split(":")[3] if isinstance(target, str) and is_configuration_arn(target) else ""
    if region in ("", function.region) and REGION not in properties and ROLE not in properties:
        return function
    return function.at(region or _valid(properties, REGION), _valid(properties, ROLE))


def _valid(properties: Mapping[str, Any], member: str) -> str:
    """Return the value of a property if it is valid; otherwise empty."""
    value = properties.get(member)
    return value if isinstance(value, str) and not validate(value, PROVIDER_PROPERTIES[member]) else ""


def is_valid(properties: Mapping[str, Any]) -> bool:
    """Return whether the Region and the role in properties are valid, if they are given."""
    return all(_valid(properties, member) for member in (REGION, ROLE) if member in properties)
