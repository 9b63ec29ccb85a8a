"""A part of another stack's distribution configuration as a construct."""

from collections.abc import Iterable, Iterator
from typing import Final, Unpack

import jsii
from aws_cdk import Annotations, CustomResource, Duration, Fn, Stack
from constructs import Construct, IConstruct, IValidation

from ..authoring.block import SERVICE_TIMEOUT as SECONDS
from ..lint.template_check import check_properties
from ..resources import CONTRIBUTION, resource_type
from ..schema.finding import Severity
from ..schema.return_values import REGIONS
from .arguments import as_properties, in_python
from .properties import DistributionContributionProperties
from .provider import DeployedProvider, DistributionConfigurationProvider

SERVICE_TIMEOUT: Final = Duration.seconds(SECONDS)
"""How long CloudFormation waits for a response."""

Found = tuple[str, Severity, str]
"""A finding: its ID, its severity, and its message."""


@jsii.implements(IValidation)
class DistributionContribution(CustomResource):
    """A part of a distribution configuration that another resource owns and whose `contributions` allow it.

    `provider` is the one that manages the configuration; it must have a ledger. The other arguments are those of
    `.properties.DistributionContributionProperties`, which is generated from the API's model. Each
    value can be a token. Synth reports the errors and warnings that the provider would report about the arguments; only
    a deployment shows conflicts with other parts.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        provider: DistributionConfigurationProvider | DeployedProvider,
        **properties: Unpack[DistributionContributionProperties],
    ) -> None:
        """Declare the resource. Synth reports errors in the properties."""
        self._provider = provider
        self._properties = as_properties(properties, resource_type(CONTRIBUTION).schema)
        super().__init__(
            scope,
            construct_id,
            resource_type=CONTRIBUTION,
            service_token=provider.service_token,
            service_timeout=SERVICE_TIMEOUT,
            properties=self._properties,
        )
        self.node.add_validation(self)
        # If the last resort were deleted first, a failing Delete of this resource might get no response.
        self.node.add_dependency(*provider.required_resources)

    def validate(self) -> list[str]:
        """The errors in the properties, each with its path. The CDK calls this at synth."""
        return errors(self, self._findings())

    def _findings(self) -> Iterator[Found]:
        for one in check_properties(Stack.of(self).resolve(self._properties), CONTRIBUTION):
            yield one.id, one.severity, in_python(one.message, CONTRIBUTION)
        yield from without_ledger("provider", self._provider)

    @property
    def regions(self) -> list[str]:
        """The Regions to which it contributes."""
        return Fn.split(",", self.get_att_string(REGIONS))


def without_ledger(argument: str, provider: DistributionConfigurationProvider | DeployedProvider) -> Iterator[Found]:
    """A finding if contributions cannot work: a provider of this app has no ledger."""
    if isinstance(provider, DistributionConfigurationProvider) and not has_ledger(provider):
        message = (
            f"{argument}: contributions require a provider with a ledger, which {provider.node.path} does not have; "
            "create it with ledger=Ledger()"
        )
        yield "", Severity.ERROR, message


def has_ledger(provider: DistributionConfigurationProvider | DeployedProvider) -> bool:
    """Whether the provider is known to have a ledger: it is one of this app."""
    return isinstance(provider, DistributionConfigurationProvider) and provider.ledger_table is not None


def errors(construct: IConstruct, findings: Iterable[Found]) -> list[str]:
    """The messages of the errors among the findings; the warnings become annotations of the construct."""
    found = list(findings)
    for rule, severity, message in found:
        if severity is Severity.WARNING:
            Annotations.of(construct).add_warning_v2(rule, message)
    return [message for _, severity, message in found if severity is Severity.ERROR]
