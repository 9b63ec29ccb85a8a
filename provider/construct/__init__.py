"""AWS CDK constructs: the distribution configuration, parts of it in other stacks, and the provider that manages it."""

from ..extras import explain

try:
    from ..ledger.settings import DriftMode
    from .configuration import DistributionConfiguration
    from .contribution import DistributionContribution
    from .ledger import Ledger
    from .provider import DistributionConfigurationProvider
except ModuleNotFoundError as error:
    if not (_sentence := explain(error)):
        raise
    raise ModuleNotFoundError(_sentence, name=error.name) from None

__all__ = [
    "DistributionConfiguration",
    "DistributionConfigurationProvider",
    "DistributionContribution",
    "DriftMode",
    "Ledger",
]
