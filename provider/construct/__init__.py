"""AWS CDK constructs: the distribution configuration, and the provider that manages it."""

from ..extras import explain

try:
    from .configuration import DistributionConfiguration
    from .provider import DistributionConfigurationProvider
except ModuleNotFoundError as error:
    if not (_sentence := explain(error)):
        raise
    raise ModuleNotFoundError(_sentence, name=error.name) from None

__all__ = ["DistributionConfiguration", "DistributionConfigurationProvider"]
