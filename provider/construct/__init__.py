"""The resource as a construct of the AWS CDK, with the provider that answers for it."""

from provider.construct.distribution_configuration import DistributionConfiguration
from provider.construct.provider import DistributionConfigurationProvider

__all__ = ["DistributionConfiguration", "DistributionConfigurationProvider"]
