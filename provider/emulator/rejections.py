"""The values that the service rejects although its model allows them.

The messages about outputs and the AMI's name are the service's own; for the others, only the rejection is known.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from .faults import ServiceError

Distribution = dict[str, Any]
_BUILD_DATE = re.compile(r"\{\{ *imagebuilder:buildDate *\}\}")


def check_rules(distributions: list[Distribution]) -> None:
    """Raise ServiceError for the first rule of the service that `distributions` (by API names) violates."""
    for rule in _RULES:
        for path, reason in rule(distributions):
            raise invalid_value(path, reason)


def invalid_value(path: str, reason: str) -> ServiceError:
    """The service's error about the value of one parameter."""
    text = f"The value supplied for parameter '{path}' is not valid. {reason}"
    return ServiceError("InvalidParameterValueException", text)


def _region_once(distributions: list[Distribution]) -> Iterator[tuple[str, str]]:
    seen = set()
    for index, each in enumerate(distributions):
        if each["region"] in seen:
            yield f"distributions[{index}].region", f"The region '{each['region']}' is specified more than once."
        seen.add(each["region"])


def _outputs(distributions: list[Distribution]) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(distributions):
        # An empty structure counts as an output, an empty list does not.
        if not any(name != "region" and value != [] for name, value in each.items()):
            reason = "One or more outputs should be provided for each region in a distribution configuration."
            yield f"distributions[{index}]", reason


def _build_date(distributions: list[Distribution]) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(distributions):
        name = each.get("amiDistributionConfiguration", {}).get("name")
        if name is not None and not _BUILD_DATE.search(name):
            reason = "must contain '{{ imagebuilder:buildDate }}' to ensure that the name will be unique."
            yield f"distributions[{index}].amiDistributionConfiguration.name", f"The EC2 AMI name {reason}"


def _user_groups(distributions: list[Distribution]) -> Iterator[tuple[str, str]]:
    for index, each in enumerate(distributions):
        permission = each.get("amiDistributionConfiguration", {}).get("launchPermission", {})
        if any(group != "all" for group in permission.get("userGroups", [])):
            path = f"distributions[{index}].amiDistributionConfiguration.launchPermission.userGroups"
            yield path, "The only user group that is supported is 'all'."


_RULES: list[Callable[[list[Distribution]], Iterator[tuple[str, str]]]] = [
    _region_once,
    _outputs,
    _build_date,
    _user_groups,
]
