"""An EC2 Image Builder distribution configuration as a construct."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, Unpack

import jsii
from aws_cdk import CustomResource, Fn, IResolvable, Stack
from aws_cdk.aws_iam import Grant, IGrantable
from constructs import Construct, IConstruct, IValidation

from ..lint.catalog import id_of
from ..lint.template_check import check_properties
from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.finding import Severity
from ..schema.model import CLIENT_TOKEN, CONTRIBUTIONS, NAME, ROLE, pascal_case
from ..schema.return_values import DATE_UPDATED, REGIONS, REQUEST_ID
from ..schema.rules import RESOLVED_ONCE
from .arguments import as_properties, in_python
from .contribution import SERVICE_TIMEOUT, DistributionContribution, errors, has_ledger, without_ledger
from .permissions import not_allowed
from .properties import Distribution, DistributionConfigurationProperties
from .provider import DeployedProvider, DistributionConfigurationProvider
from .same_name import Declaration, find_duplicate, relevant_properties

_DECLARED: Final[dict[IConstruct, list[Declaration]]] = defaultdict(list)
"""The configurations by the root of their tree, in the order of their declaration."""


@jsii.implements(IValidation)
class DistributionConfiguration(CustomResource):
    """A distribution configuration: a new one with `name`, or an existing one, whose ARN is `adopt`.

    The other arguments are those of `.properties.DistributionConfigurationProperties`, which is
    generated from the API's model. Each value can be a token. Synth reports all errors and warnings that the provider
    would report, by the names of the arguments.

    `provider` defaults to the stack's own provider, which the stack's first configuration creates. In another Region,
    the provider's `regions` must contain `region`. `role` is a role, or its ARN, that the provider assumes for this
    configuration; the provider is allowed to assume it if it is one of this app. A deployed provider must already have
    it in its parameter AssumableRoleArns. The role's trust policy is not changed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        provider: DistributionConfigurationProvider | DeployedProvider | None = None,
        **properties: Unpack[DistributionConfigurationProperties],
    ) -> None:
        """Declare the resource. Synth reports errors in the properties."""
        if isinstance(provider, str):
            raise TypeError(
                "provider: to use a ServiceToken, call DistributionConfigurationProvider.from_service_token"
            )
        provider = provider or DistributionConfigurationProvider.get_or_create(scope)
        self._provider = provider
        if (role := properties.get("role")) is not None:
            properties["role"] = getattr(role, "role_arn", role)
        self._properties = as_properties(properties, resource_type().schema)
        self._contributions = properties.get(CONTRIBUTIONS)
        self._has_parts = False
        super().__init__(
            scope,
            construct_id,
            resource_type=DISTRIBUTION_CONFIGURATION,
            service_token=provider.service_token,
            service_timeout=SERVICE_TIMEOUT,
            properties=self._properties,
        )
        role_arn = self._properties.get(pascal_case(ROLE))
        if isinstance(role_arn, str) and isinstance(provider, DistributionConfigurationProvider):
            provider.allow_role(role_arn)
        self.node.add_validation(self)
        self._declaration = Declaration(self, provider, relevant_properties(self._properties))
        _DECLARED[self.node.root].append(self._declaration)
        # If the last resort were deleted first, a failing Delete of this resource might get no response.
        self.node.add_dependency(*provider.required_resources)

    def validate(self) -> list[str]:
        """The errors in the properties, each with its path. The CDK calls this at synth."""
        return errors(self, self._findings())

    def _findings(self) -> Iterator[tuple[str, Severity, str]]:
        """All findings: about the properties, about what the provider allows, and about the app's other resources."""
        properties = Stack.of(self).resolve(self._properties)
        for one in check_properties(properties):
            # The sweeps of a ledger resolve sources again. Whether a deployed provider has one is not known here.
            if one.id != id_of(RESOLVED_ONCE) or not has_ledger(self._provider):
                yield one.id, one.severity, in_python(one.message)
        if isinstance(self._provider, DistributionConfigurationProvider):
            yield from (("", Severity.ERROR, message) for message in not_allowed(properties, self._provider))
        if self._contributions is not None:
            yield from without_ledger("contributions", self._provider)
        elif self._has_parts:
            yield "", Severity.ERROR, "contributions: is required, because a contribution was added"
        declared = _DECLARED[self.node.root]
        if duplicate := find_duplicate(self._declaration, declared[: declared.index(self._declaration)]):
            yield duplicate

    def add_contribution(
        self, scope: Construct, construct_id: str, *, distributions: Sequence[Distribution | IResolvable] | IResolvable
    ) -> DistributionContribution:
        """Add a part to this configuration, usually in another stack. `contributions` must allow its paths."""
        self._has_parts = True
        return DistributionContribution(
            scope,
            construct_id,
            provider=self._provider,
            distribution_configuration_arn=self.distribution_configuration_arn,
            distributions=distributions,
        )

    @property
    def distribution_configuration_arn(self) -> str:
        """The configuration's ARN, the same as `ref`."""
        return self.ref

    @property
    def distribution_configuration_name(self) -> str:
        """The configuration's name."""
        return self.get_att_string(pascal_case(NAME))

    @property
    def regions(self) -> list[str]:
        """The Regions to which it distributes."""
        return Fn.split(",", self.get_att_string(REGIONS))

    @property
    def date_updated(self) -> str:
        """The date of the last change."""
        return self.get_att_string(DATE_UPDATED)

    @property
    def request_id(self) -> str:
        """The API request ID of the last change."""
        return self.get_att_string(REQUEST_ID)

    @property
    def client_token(self) -> str:
        """The client token of the last change."""
        return self.get_att_string(pascal_case(CLIENT_TOKEN))

    def grant(self, grantee: IGrantable, *actions: str) -> Grant:
        """Grant actions on this configuration, such as `imagebuilder:UpdateDistributionConfiguration`."""
        return Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[self.ref])

    def grant_read(self, grantee: IGrantable) -> Grant:
        """Grant read access to this configuration and its tags, which the creator of a pipeline needs."""
        return self.grant(grantee, "imagebuilder:GetDistributionConfiguration", "imagebuilder:ListTagsForResource")
