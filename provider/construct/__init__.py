"""The resource as a construct of the AWS CDK, with the provider that answers for it."""

from .distribution_configuration import DistributionConfiguration
from .provider import DistributionConfigurationProvider

__all__ = ["DistributionConfiguration", "DistributionConfigurationProvider"]
