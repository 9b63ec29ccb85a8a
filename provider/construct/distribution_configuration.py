"""A distribution configuration of EC2 Image Builder as a construct."""

from typing import Final, Unpack

import jsii
from aws_cdk import Annotations, CustomResource, Duration, Fn, Stack
from aws_cdk.aws_iam import Grant, IGrantable
from constructs import Construct, IValidation

from ..authoring.block import OF_CLOUDFORMATION, RESOURCE_TYPE
from ..lint.template import check_properties
from ..resources import resource_type
from ..schema.attributes import DATE_UPDATED, REGIONS, REQUEST_ID
from ..schema.finding import Severity
from ..schema.model import IDEMPOTENCY, NAME, pascal_case
from .arguments import as_properties
from .properties import DistributionConfigurationProperties
from .provider import DeployedProvider, DistributionConfigurationProvider

_SERVICE_TIMEOUT: Final = Duration.seconds(int(str(OF_CLOUDFORMATION["ServiceTimeout"])))


@jsii.implements(IValidation)
class DistributionConfiguration(CustomResource):
    """A distribution configuration that is created by `name`, or taken over by its ARN with `adopt`.

    The other arguments are those of `provider.construct.properties.DistributionConfigurationProperties`, made from the
    API's own model; tokens may stand wherever a value does. What the provider would refuse fails at synth, all of it
    at once and in the provider's words; what it would only warn of is a warning there.

    `provider` is by default the one of this stack, made for its first configuration.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        provider: DistributionConfigurationProvider | DeployedProvider | None = None,
        **properties: Unpack[DistributionConfigurationProperties],
    ) -> None:
        """Declare the resource. What is wrong with the properties is told at synth."""
        if isinstance(provider, str):
            raise TypeError("provider: give a ServiceToken by DistributionConfigurationProvider.from_service_token")
        provider = provider or DistributionConfigurationProvider.get_or_create(scope)
        self._properties = as_properties(properties, resource_type().schema)
        super().__init__(
            scope,
            construct_id,
            resource_type=RESOURCE_TYPE,
            service_token=provider.service_token,
            service_timeout=_SERVICE_TIMEOUT,
            properties=self._properties,
        )
        self.node.add_validation(self)
        # Nobody would answer for the resource's deletion if the provider's last resort went first.
        self.node.add_dependency(*provider.chain)

    def validate(self) -> list[str]:
        """The errors of the properties, by their paths; the CDK asks for them at synth."""
        found = check_properties(Stack.of(self).resolve(self._properties))
        for one in found:
            if one.severity is Severity.WARNING:
                Annotations.of(self).add_warning_v2(one.id, one.message)
        return [one.message for one in found if one.severity is Severity.ERROR]

    @property
    def distribution_configuration_arn(self) -> str:
        """The configuration's ARN, as `ref` gives it."""
        return self.ref

    @property
    def distribution_configuration_name(self) -> str:
        """Its name."""
        return self.get_att_string(pascal_case(NAME))

    @property
    def regions(self) -> list[str]:
        """Its Regions."""
        return Fn.split(",", self.get_att_string(REGIONS))

    @property
    def date_updated(self) -> str:
        """When it last changed."""
        return self.get_att_string(DATE_UPDATED)

    @property
    def request_id(self) -> str:
        """The API's request ID of the last change."""
        return self.get_att_string(REQUEST_ID)

    @property
    def client_token(self) -> str:
        """The token of the last change."""
        return self.get_att_string(pascal_case(IDEMPOTENCY))

    def grant(self, grantee: IGrantable, *actions: str) -> Grant:
        """Allow actions on this configuration, such as `imagebuilder:UpdateDistributionConfiguration`."""
        return Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[self.ref])

    def grant_read(self, grantee: IGrantable) -> Grant:
        """Allow to read this configuration and its tags, as whoever makes a pipeline with it needs to."""
        return self.grant(grantee, "imagebuilder:GetDistributionConfiguration", "imagebuilder:ListTagsForResource")
