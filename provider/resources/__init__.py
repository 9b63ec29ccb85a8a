"""What a template may contain: the registry of resource types, and how each is decided. Pure.

Standard library only at import: reading an event needs the names, and nothing else of the registry.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .interface import ResourceType

DISTRIBUTION_CONFIGURATION: Final = "Custom::ImageBuilderDistributionConfiguration"
CUSTOM_RESOURCE: Final = "AWS::CloudFormation::CustomResource"
"""CloudFormation's type name for any custom resource; here, another name of the first type."""

RESOURCE_TYPES: Final[dict[str, str]] = {
    DISTRIBUTION_CONFIGURATION: f"{__name__}.distribution_configuration",
    CUSTOM_RESOURCE: f"{__name__}.distribution_configuration",
}
"""The registry: type name -> the module whose `RESOURCE_TYPE` defines it. A new type is a row here."""


def is_registered(name: object) -> bool:
    """Whether this is the name of a resource type of the provider."""
    return isinstance(name, str) and name in RESOURCE_TYPES


def resource_type(name: str = DISTRIBUTION_CONFIGURATION) -> "ResourceType":
    """The resource type of a name in the registry."""
    found: ResourceType = import_module(RESOURCE_TYPES[name]).RESOURCE_TYPE
    return found
