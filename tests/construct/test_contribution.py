"""The contribution's construct: the templates that it produces, and the findings that it reports at synth."""

from collections.abc import Callable

import pytest
from aws_cdk import App, Stack, Token

from provider.construct import (
    DistributionConfiguration,
    DistributionConfigurationProvider,
    DistributionContribution,
    Ledger,
)
from provider.construct.properties import Distribution
from provider.construct.provider import DeployedProvider
from provider.lint.template_check import check
from provider.resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION
from tests.construct.synthesis import resources_of, template_of
from tests.stack import ARN, NAME

TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
USER_IDS = "Distributions[].AmiDistributionConfiguration.LaunchPermission.UserIds"
AMI: Distribution = {"region": "us-east-1", "ami_distribution_configuration": {"name": NAME}}
PART: Distribution = {
    "region": "us-east-1",
    "ami_distribution_configuration": {"launch_permission": {"user_ids": ["111122223333"]}},
}


@pytest.fixture
def provider(stack: Stack) -> DeployedProvider:
    return DistributionConfigurationProvider.from_service_token(stack, "Provider", TOKEN)


@pytest.fixture
def golden(stack: Stack, provider: DeployedProvider) -> DistributionConfiguration:
    """A configuration that allows launch permissions of others."""
    return DistributionConfiguration(
        stack, "Golden", provider=provider, name="golden", contributions=[USER_IDS], distributions=[AMI]
    )


def test_a_contribution_in_the_same_stack(stack: Stack, golden: DistributionConfiguration) -> None:
    """The contribution has the configuration's provider and names it by Ref; the template has no findings."""
    golden.add_contribution(stack, "TeamA", distributions=[PART])
    (part,) = resources_of(stack, CONTRIBUTION)
    (owner,) = resources_of(stack, DISTRIBUTION_CONFIGURATION)
    assert part["Properties"] == {
        "ServiceToken": TOKEN,
        "ServiceTimeout": "900",
        "DistributionConfigurationArn": stack.resolve(golden.ref),
        "Distributions": [
            {
                "Region": "us-east-1",
                "AmiDistributionConfiguration": {"LaunchPermission": {"UserIds": ["111122223333"]}},
            }
        ],
    }
    assert owner["Properties"]["Contributions"] == [USER_IDS]
    assert golden.validate() == []
    assert check(template_of(stack)) == []


def test_a_contribution_in_another_stack(app: App, golden: DistributionConfiguration) -> None:
    """In another stack of the app, the contribution imports the configuration's ARN."""
    team = Stack(app, "team")
    part = golden.add_contribution(team, "TeamA", distributions=[PART])
    (resource,) = resources_of(team, CONTRIBUTION)
    assert "Fn::ImportValue" in str(resource["Properties"]["DistributionConfigurationArn"])
    assert part.validate() == []


def test_a_contribution_to_a_configuration_of_another_app(stack: Stack, provider: DeployedProvider) -> None:
    """A contribution can name any configuration's ARN, and has the attribute for its Regions."""
    part = DistributionContribution(
        stack,
        "TeamA",
        provider=provider,
        distribution_configuration_arn=f"{ARN}golden",
        distributions=[PART],
    )
    (resource,) = resources_of(stack, CONTRIBUTION)
    assert resource["Properties"]["DistributionConfigurationArn"] == f"{ARN}golden"
    assert Token.is_unresolved(part.regions)
    assert part.validate() == []


def test_errors_have_the_names_of_arguments(stack: Stack, provider: DeployedProvider) -> None:
    """Errors are reported at synth, by the names of the arguments."""
    part = DistributionContribution(
        stack,
        "TeamA",
        provider=provider,
        distribution_configuration_arn="golden",
        distributions=[
            {"region": "us-east-1", "ami_distribution_configuration": {"launch_permission": {"user_ids": ["1"]}}}
        ],
        name="golden",  # type: ignore[call-arg] # a contribution has no name
    )
    paths = [message.partition(": ")[0] for message in part.validate()]
    assert sorted(paths) == [
        "distribution_configuration_arn",
        "distributions[0].ami_distribution_configuration.launch_permission.user_ids[0]",
        "name",
    ]
    with pytest.raises(Exception, match="distribution_configuration_arn: "):
        stack.node.root.synth()  # type: ignore[attr-defined] # the root is an app


def test_a_configuration_that_allows_nothing(stack: Stack, provider: DeployedProvider) -> None:
    """Adding a contribution to a configuration without `contributions` is an error of the configuration."""
    golden = DistributionConfiguration(stack, "Golden", provider=provider, name="golden", distributions=[AMI])
    assert golden.validate() == []
    golden.add_contribution(stack, "TeamA", distributions=[PART])
    assert golden.validate() == ["contributions: is required, because a contribution was added"]


def test_a_path_that_names_no_property(stack: Stack, provider: DeployedProvider) -> None:
    """A path in `contributions` that names no property is an error, with a suggestion in the spelling of paths."""
    golden = DistributionConfiguration(
        stack,
        "Golden",
        provider=provider,
        name="golden",
        contributions=["Distributions[].LaunchTemplates"],
        distributions=[AMI],
    )
    (message,) = golden.validate()
    assert message.startswith("contributions[0]: ")
    assert message.endswith('did you mean "Distributions[].LaunchTemplateConfigurations"?')


def own_provider_errors(stack: Stack) -> list[str]:
    golden = DistributionConfiguration(stack, "Golden", name="golden", contributions=[USER_IDS], distributions=[AMI])
    return golden.validate()


def contribution_errors(stack: Stack) -> list[str]:
    provider = DistributionConfigurationProvider.get_or_create(stack)
    return DistributionContribution(
        stack,
        "TeamA",
        provider=provider,
        distribution_configuration_arn=f"{ARN}golden",
        distributions=[PART],
    ).validate()


@pytest.mark.parametrize("errors", [own_provider_errors, contribution_errors])
def test_a_provider_without_a_ledger(stack: Stack, errors: Callable[[Stack], list[str]]) -> None:
    """By default, the app's own provider has no ledger, so an owner that allows contributions and a part are errors."""
    (message,) = errors(stack)
    expected = (
        "contributions require a provider with a ledger, which images/ImageBuilderDistributionProvider does not have; "
        "create it with ledger=Ledger()"
    )
    assert message.endswith(expected)


@pytest.mark.parametrize(("ledger", "warned"), [(None, True), (Ledger(), False)], ids=["without", "with"])
def test_sources_of_a_provider_with_a_ledger(stack: Stack, ledger: Ledger | None, warned: bool) -> None:
    """Only without a ledger, a warning says that sources are resolved only at deployment: sweeps resolve them again."""
    provider = DistributionConfigurationProvider(stack, "Provider", ledger=ledger, source_parameter_pattern="images/*")
    ami: Distribution = {
        "region": "us-east-1",
        "ami_distribution_configuration": {"name": NAME, "target_account_ids": [{"parameter": "/images/accounts"}]},
    }
    golden = DistributionConfiguration(stack, "Golden", provider=provider, name="golden", distributions=[ami])
    assert golden.validate() == []
    assert any("W9335" in str(entry.data) for entry in golden.node.metadata) == warned


def test_a_provider_of_the_app_with_a_ledger(app: App, stack: Stack) -> None:
    """With a ledger, the app's own provider serves an owner and the contributions of other stacks."""
    provider = DistributionConfigurationProvider(stack, "Provider", ledger=Ledger())
    golden = DistributionConfiguration(
        stack, "Golden", provider=provider, name="golden", contributions=[USER_IDS], distributions=[AMI]
    )
    team = Stack(app, "team")
    part = golden.add_contribution(team, "TeamA", distributions=[PART])
    assert golden.validate() == part.validate() == []
    (resource,) = resources_of(team, CONTRIBUTION)
    assert "Fn::ImportValue" in str(resource["Properties"]["ServiceToken"])
    assert team.dependencies == [stack]
