"""AWS CDK constructs: the distribution configuration, and the provider that manages it."""

from .configuration import DistributionConfiguration
from .provider import DistributionConfigurationProvider

__all__ = ["DistributionConfiguration", "DistributionConfigurationProvider"]
