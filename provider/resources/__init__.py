"""The registry of resource types, and the modules that plan their changes.

All of it is pure, except `image_builder`, which calls the API.

This module imports only the standard library, because parsing an event needs the names in the registry.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .interface import ResourceType

DISTRIBUTION_CONFIGURATION: Final = "Custom::ImageBuilderDistributionConfiguration"
CUSTOM_RESOURCE: Final = "AWS::CloudFormation::CustomResource"
"""CloudFormation's type name for any custom resource; here, an alias of the first type."""

CONTRIBUTION: Final = "Custom::ImageBuilderDistributionContribution"

RESOURCE_TYPES: Final[dict[str, str]] = {
    DISTRIBUTION_CONFIGURATION: f"{__name__}.distribution_configuration",
    CUSTOM_RESOURCE: f"{__name__}.distribution_configuration",
    CONTRIBUTION: f"{__name__}.contribution",
}
"""The registry: type name -> the module that defines the type as `RESOURCE_TYPE`. A new type is a row here."""


RECORDED_TYPES: Final = (DISTRIBUTION_CONFIGURATION, CUSTOM_RESOURCE, CONTRIBUTION)
"""The types whose resources the ledger records."""

LEDGER_TABLE: Final = "LEDGER_TABLE_NAME"
"""The environment variable with the name of the ledger's table; without it, there is no ledger."""


def is_registered(name: object) -> bool:
    """Return whether this is the name of a resource type in the registry."""
    return isinstance(name, str) and name in RESOURCE_TYPES


def resource_type(name: str = DISTRIBUTION_CONFIGURATION) -> "ResourceType":
    """Return the resource type of a name. Raises KeyError if the name is not in the registry."""
    registered: ResourceType = import_module(RESOURCE_TYPES[name]).RESOURCE_TYPE
    return registered
