"""Two configurations of an app that are the same one are reported at synth."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import (
    App,
    Aws,
    CfnCondition,
    CfnParameter,
    CfnResource,
    Environment,
    Fn,
    ICfnConditionExpression,
    NestedStack,
    Stack,
    Stage,
)
from aws_cdk.assertions import Annotations, Match
from aws_cdk.aws_iam import AccountPrincipal, Role
from constructs import Construct

from provider.construct import DistributionConfiguration, DistributionConfigurationProvider
from provider.construct.properties import Distribution
from tests.construct.conftest import NOT_BUILT
from tests.stack import ARN, NAME

AMI: Distribution = {"region": "us-east-1", "ami_distribution_configuration": {"name": NAME}}
HERE = Environment(account="123456789012", region="us-east-1")
ELSEWHERE = (
    Environment(account="210987654321", region="us-east-1"),
    Environment(account="123456789012", region="eu-west-1"),
)


def add(scope: Construct, construct_id: str, name: Any = "golden", **others: Any) -> DistributionConfiguration:
    """Add a configuration to a scope."""
    target = {} if "adopt" in others else {"name": name}
    return DistributionConfiguration(scope, construct_id, distributions=[AMI], **target, **others)


def only_if(configuration: DistributionConfiguration, condition: CfnCondition) -> DistributionConfiguration:
    """Set a configuration's condition."""
    resource = configuration.node.default_child
    assert isinstance(resource, CfnResource)
    resource.cfn_options.condition = condition
    return configuration


def condition(stack: Stack, name: str, expression: ICfnConditionExpression) -> CfnCondition:
    """Declare a condition."""
    return CfnCondition(stack, name, expression=expression)


def unless(other: CfnCondition) -> ICfnConditionExpression:
    """The opposite of a condition."""
    return Fn.condition_not(other)  # type: ignore[arg-type]  # the CDK's types for Python do not say that it is one


def warnings(stack: Stack) -> list[str]:
    """A stack's warnings."""
    found = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    return [str(one.entry.data) for one in found]


def provider_from(token: str) -> Callable[[Stack], dict[str, Any]]:
    """The arguments for a provider with this ServiceToken."""
    return lambda stack: {
        "provider": DistributionConfigurationProvider.from_service_token(stack, f"P{len(stack.node.children)}", token)
    }


def test_two_names_in_one_stack_fail(app: App, stack: Stack) -> None:
    """Synth fails if two configurations of one stack have the same name; the message names the other construct."""
    first, second = add(stack, "First"), add(stack, "Second")
    message = 'name: "golden" has the same ARN as the name of images/First; give each configuration a unique name'
    assert (first.validate(), second.validate()) == ([], [message])
    with pytest.raises(RuntimeError) as failed:
        app.synth()
    assert f"[images/Second] {message}" in str(failed.value)
    assert "[images/First]" not in str(failed.value)


def test_names_with_the_same_arn_fail(stack: Stack) -> None:
    """Names that differ only in what the ARN does not show are the same name."""
    add(stack, "First", "Golden_Image")
    (message,) = add(stack, "Second", "golden image").validate()
    assert message.startswith('name: "golden image" has the same ARN as the name of images/First')


def test_different_names_are_valid(app: App, stack: Stack) -> None:
    """Different names, and a name that another configuration adopts by its ARN, are not reported."""
    for construct_id, name in (("A", "golden"), ("B", "golden2"), ("C", "gold")):
        assert add(stack, construct_id, name).validate() == []
    add(stack, "D", adopt=f"{ARN}x")
    app.synth()
    assert warnings(stack) == []


def test_one_token_is_one_name(stack: Stack) -> None:
    """The same parameter as name of two configurations of one stack fails; two parameters do not."""
    one, other = (CfnParameter(stack, name).value_as_string for name in ("One", "Other"))
    assert add(stack, "A", one).validate() == []
    assert add(stack, "B", other).validate() == []
    (message,) = add(stack, "C", one).validate()
    assert message.startswith("name: has the same ARN as the name of images/A; ")


def test_an_unused_app_is_not_compared(tmp_path: Path) -> None:
    """Configurations of another app are not compared."""
    for name in ("one", "two"):
        app = App(outdir=str(tmp_path / name), context=NOT_BUILT, builtin_cloud_formation_validation=False)
        assert add(Stack(app, "images", env=HERE), "Golden").validate() == []


def test_a_removed_configuration_is_not_compared(stack: Stack) -> None:
    """A configuration that was removed from the app is not compared."""
    add(stack, "First")
    stack.node.try_remove_child("First")
    assert add(stack, "Second").validate() == []


def test_two_stacks_of_one_environment_fail(app: App) -> None:
    """Synth fails if two stacks in the same account and Region have the same name, also in two stages."""
    add(Stack(app, "one", env=HERE), "Golden")
    (message,) = add(Stack(Stage(app, "prod"), "two", env=HERE), "Golden").validate()
    assert message.startswith('name: "golden" has the same ARN as the name of one/Golden; ')


@pytest.mark.parametrize("environment", ELSEWHERE, ids=["account", "Region"])
def test_other_environments_are_valid(app: App, environment: Environment) -> None:
    """Stacks in different accounts or Regions can use the same name, without a warning."""
    add(Stack(app, "one", env=HERE), "Golden")
    other = Stack(app, "two", env=environment)
    add(other, "Golden")
    app.synth()
    assert warnings(other) == []


@pytest.mark.parametrize(
    "environment", [None, Environment(region="us-east-1"), Environment(account="123456789012")], ids=str
)
def test_unknown_environments_give_a_warning(app: App, environment: Environment | None) -> None:
    """If an account or a Region is unknown, as in dev and prod stages, the same name is a warning."""
    stacks = [Stack(Stage(app, name), "images", env=environment) for name in ("dev", "prod")]
    for stack in stacks:
        add(stack, "Golden")
    app.synth()
    assert warnings(stacks[0]) == []
    (warning,) = warnings(stacks[1])
    assert "dev/images/Golden if both stacks are in one account and Region; give each" in warning
    assert "W9312" in warning


def test_a_partly_unknown_environment_can_differ(app: App) -> None:
    """Two different Regions give no warning, although the accounts are unknown."""
    add(Stack(app, "one", env=Environment(region="us-east-1")), "Golden")
    other = Stack(app, "two", env=Environment(region="eu-west-1"))
    add(other, "Golden")
    app.synth()
    assert warnings(other) == []


def test_a_service_token_can_be_of_another_account(stack: Stack) -> None:
    """Providers in different accounts manage different configurations, in one stack, too."""
    for account in ("123456789012", "210987654321"):
        token = provider_from(f"arn:aws:lambda:us-east-1:{account}:function:provider")
        assert add(stack, f"A{account}", **token(stack)).validate() == []


def test_two_providers_of_one_stack_have_one_location(stack: Stack) -> None:
    """The same name with two providers of one stack fails; with one that is deployed elsewhere, it is a warning."""
    own = DistributionConfigurationProvider(stack, "Own")
    add(stack, "First", provider=own)
    assert add(stack, "Second").validate() != []
    imported = add(stack, "Third", **provider_from(Fn.import_value("central"))(stack))
    assert imported.validate() == []
    assert "if both providers are in one account and Region" in str(imported.node.metadata[-1].data)


ROLE = "arn:aws:iam::210987654321:role/images"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({}, {"region": "eu-west-1"}, None),
        ({}, {"region": "us-east-1"}, ""),
        ({}, {"role": ROLE}, None),
        ({"role": ROLE}, {"role": f"{ROLE}-too"}, ""),
        ({"role": ROLE}, {"role": ROLE, "region": "eu-west-1"}, None),
        ({"role": ROLE}, {"role": "arn:aws:iam::123456789012:role/images"}, None),
        ({}, {"role": "arn:aws:iam::123456789012:role/images"}, ""),
        ({}, {"region": "?"}, " if both are in one account and Region"),
        ({"region": "?"}, {"region": "?"}, ""),
        ({}, {"role": "?"}, " if both are in one account and Region"),
    ],
)
def test_regions_and_roles_are_compared(
    app: App, first: dict[str, Any], second: dict[str, Any], expected: str | None
) -> None:
    """The same name in another Region, or in another account by a role, is another configuration. "?" is a token."""
    stack = Stack(app, "images", env=HERE)
    other = CfnParameter(stack, "Other").value_as_string
    first, second = ({key: other if one == "?" else one for key, one in given.items()} for given in (first, second))
    provider = DistributionConfigurationProvider(stack, "P", regions=["eu-west-1"])
    add(stack, "First", provider=provider, **first)
    two = add(stack, "Second", provider=provider, **second)
    messages = [*two.validate(), *(str(one.data) for one in two.node.metadata if "warn" in one.type)]
    found = [one for one in messages if "same ARN" in one]
    assert len(found) == (expected is not None)
    assert all(f"name of images/First{expected};" in one for one in found)


def test_a_region_is_compared_if_the_stacks_is_unknown(stack: Stack) -> None:
    """In a stack whose Region is unknown, a configuration in a named Region may be the same one: a warning."""
    add(stack, "First")
    second = add(stack, "Second", region="eu-west-1")
    assert second.validate() == []
    assert "name of images/First if both are in one account and Region;" in str(second.node.metadata[-1].data)
    assert add(stack, "Third", region="eu-west-1").validate() != []


def test_the_account_of_an_imported_role_is_known(app: App) -> None:
    """A role that is imported by its name, or that has a name and is created for another account, has that account."""
    stack = Stack(app, "images", env=HERE)
    there = Stack(app, "there", env=ELSEWHERE[0])
    created = Role(there, "Created", role_name="created", assumed_by=AccountPrincipal("123456789012"))
    add(stack, "First")
    for construct_id, role in (
        ("Second", Role.from_role_arn(stack, "ByArn", ROLE)),
        ("Third", Role.from_role_name(stack, "ByName", "images")),
        ("Fourth", created),
    ):
        found = add(stack, construct_id, role=role).validate()
        assert len(found) == (construct_id != "Second")
        assert not found or f"images/{'First' if construct_id == 'Third' else 'Second'};" in found[0]


def test_names_by_region_are_compared(app: App) -> None:
    """A name that contains the Region token is compared across stacks of one environment; a parameter is not."""
    for name, count in ((f"golden-{Aws.REGION}", 1), (f"golden-{Aws.STACK_NAME}", 0)):
        first, second = (Stack(app, f"{one}{count}", env=HERE) for one in ("one", "two"))
        add(first, "Golden", name)
        assert len(add(second, "Golden", name).validate()) == count
    for stack in (Stack(app, one, env=HERE) for one in ("three", "four")):
        assert add(stack, "Golden", CfnParameter(stack, "Name").value_as_string).validate() == []


def test_exclusive_conditions_are_respected(stack: Stack) -> None:
    """Two configurations that never exist together can have the same name; two that can, fail."""
    stage = CfnParameter(stack, "Stage").value_as_string
    prod = condition(stack, "Prod", Fn.condition_equals(stage, "prod"))
    not_prod = condition(stack, "NotProd", unless(prod))
    other = condition(stack, "Other", Fn.condition_equals(CfnParameter(stack, "X").value_as_string, "x"))
    assert only_if(add(stack, "First"), prod).validate() == []
    assert only_if(add(stack, "Second"), not_prod).validate() == []
    (message,) = only_if(add(stack, "Third"), other).validate()
    assert "name of images/First" in message


def test_a_conditional_name_is_respected(stack: Stack) -> None:
    """A name that a condition chooses is compared only where it is chosen."""
    stage = CfnParameter(stack, "Stage").value_as_string
    prod = condition(stack, "Prod", Fn.condition_equals(stage, "prod"))
    only_if(add(stack, "First"), prod)
    assert add(stack, "Second", Fn.condition_if("Prod", "silver", "golden").to_string()).validate() == []
    assert add(stack, "Third", Fn.condition_if("Prod", "golden", "bronze").to_string()).validate() != []


def test_conditions_of_two_stacks(app: App) -> None:
    """With conditions in two stacks of one environment, names that can exist together are a warning."""
    stacks = [Stack(app, name, env=HERE) for name in ("one", "two", "three")]
    parameters = [CfnParameter(stack, "Stage").value_as_string for stack in stacks]
    for stack, stage, value in zip(stacks, parameters, ("dev", "prod", "dev"), strict=True):
        only_if(add(stack, "Golden"), condition(stack, "Wanted", Fn.condition_equals(stage, value)))
    app.synth()
    assert [len(warnings(stack)) for stack in stacks] == [0, 0, 1]
    assert "one/Golden if both are deployed; " in warnings(stacks[2])[0]


def test_nested_stacks_are_in_one_environment(stack: Stack) -> None:
    """The same name in a stack and in its nested stack fails; exclusive conditions of nested stacks are respected."""
    stage = CfnParameter(stack, "Stage").value_as_string
    prod = condition(stack, "Prod", Fn.condition_equals(stage, "prod"))
    nested = [NestedStack(stack, name) for name in ("One", "Two")]
    for one, wanted in zip(nested, (prod, condition(stack, "Other", unless(prod))), strict=True):
        resource = one.nested_stack_resource
        assert isinstance(resource, CfnResource)
        resource.cfn_options.condition = wanted
        assert add(one, "Golden").validate() == []
    deeper = NestedStack(stack, "Three")
    add(deeper, "Silver", "silver")
    (message,) = add(stack, "Silver", "silver").validate()
    assert "the name of images/Three/Silver; " in message


def test_adopting_twice_is_a_warning(app: App, stack: Stack) -> None:
    """Two configurations that adopt one ARN undo each other's updates, so synth warns."""
    add(stack, "First", adopt=f"{ARN}x")
    add(stack, "Second", adopt=f"{ARN}x")
    add(stack, "Third", adopt=f"{ARN}y")
    app.synth()
    (warning,) = warnings(stack)
    assert "adopt: same ARN as in images/First, " in warning
    assert "W9314" in warning


def test_adopting_twice_from_two_accounts_is_a_warning(app: App) -> None:
    """Two stacks of different accounts that adopt one ARN, one of them with a role, also undo each other's updates."""
    here, there = (Stack(app, name, env=one) for name, one in (("here", HERE), ("there", ELSEWHERE[0])))
    add(here, "First", adopt=f"{ARN}x")
    add(there, "Second", adopt=f"{ARN}x", role="arn:aws:iam::123456789012:role/images")
    app.synth()
    (warning,) = warnings(there)
    assert "adopt: same ARN as in here/First, " in warning


def test_the_same_finding_after_a_second_synth(app: App, stack: Stack) -> None:
    """A second synth reports the same again."""
    add(stack, "First")
    add(stack, "Second")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="images/First"):
            app.synth(force=True)
