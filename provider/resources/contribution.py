"""The contribution: a stack's part of another stack's configuration. Only a provider with a ledger merges it.

Without the ledger, `decide` rejects a contribution, and its Delete has nothing to do.
"""

import hashlib
from collections.abc import Mapping
from re import fullmatch
from typing import TYPE_CHECKING, Any, Final

from ..errors import ProviderError
from ..plan import Configuration, NeedsRead, Observed, Plan, ReadAgain, WriteResult
from ..schema.merging import contribution
from ..schema.model import DISTRIBUTIONS, REGION, SERVICE, TARGET, pascal_case
from ..schema.return_values import REGIONS
from ..schema.rules import RULES
from .distribution_configuration import check_request_id
from .image_builder import OPERATIONS, ImageBuilder
from .interface import ResourceType
from .locations import Locations
from .ownership import Owner

if TYPE_CHECKING:
    from ..cloudformation.request import Request

ATTRIBUTES: Final[Mapping[str, str]] = {
    pascal_case(TARGET): "the ARN of the configuration",
    REGIONS: "the contribution's Regions, comma-separated",
}

_RULES: Final = frozenset(
    {"region-once", "build-date", "all-users", "region-name", "region-slip", "parallel-launches", "one-template"}
)
"""The rules about values, by ID. The others are about a whole configuration."""


_INFIX: Final = "/contribution/"


def part_id(arn: str, owner: Owner) -> str:
    """Return the physical ID of a resource's part of a configuration."""
    digest = hashlib.sha256("\n".join((arn, *owner)).encode("utf-8", "replace")).hexdigest()
    return f"{arn.rpartition('/')[2]}{_INFIX}{digest[:32]}"


def is_part_id(physical_id: str) -> bool:
    """Return whether a physical ID is one that `part_id` returns, not a marker or one that CloudFormation invented."""
    return fullmatch(f"[^/]+{_INFIX}[0-9a-f]{{32}}", physical_id) is not None


def decide(
    request: "Request",
    desired: Mapping[str, Any],  # noqa: ARG001 - the signature of all types
    old: Mapping[str, Any],  # noqa: ARG001 - the signature of all types
    locations: Locations,  # noqa: ARG001 - the signature of all types
    observed: Observed,  # noqa: ARG001 - the signature of all types
    now: float,  # noqa: ARG001 - the signature of all types
) -> NeedsRead | Plan:
    """Plan a request without the ledger: reject it, unless it is a Delete."""
    if request.request_type == "Delete":
        return Plan(warnings=("the ledger is disabled, so the contribution was not withdrawn from its configuration",))
    raise ProviderError(
        "a contribution requires the ledger; no API calls were made",
        remediation="Set the provider's parameter Ledger to Enabled",
    )


def decide_after_create(
    request: "Request", desired: Mapping[str, Any], locations: Locations, arn: str, live: Configuration | None
) -> ReadAgain | Plan:
    """Plan nothing: a contribution creates no configuration."""
    raise NotImplementedError


def attribute_values(
    live: Configuration,  # noqa: ARG001 - the signature of all types
    desired: Mapping[str, Any],
    last_write: WriteResult | None = None,  # noqa: ARG001 - the signature of all types
) -> dict[str, str]:
    """Return the values of `ATTRIBUTES`."""
    regions = ",".join(str(distribution[REGION]) for distribution in desired[DISTRIBUTIONS])
    return {pascal_case(TARGET): desired[TARGET], REGIONS: regions}


RESOURCE_TYPE: Final = ResourceType(
    service=SERVICE,
    operations=OPERATIONS,
    load_schema=contribution,
    rules=tuple(rule for rule in RULES if rule.id in _RULES),
    attributes=ATTRIBUTES,
    attribute_values=attribute_values,
    decide=decide,
    decide_after_create=decide_after_create,
    connect=ImageBuilder,
    expendable_attributes=(REGIONS,),
    check_request_id=check_request_id,
)
