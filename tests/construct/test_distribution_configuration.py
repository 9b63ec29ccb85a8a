"""The construct: the template that it produces, and the findings that it reports at synth."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import App, CfnCondition, CfnParameter, Fn, IAnyProducer, Lazy, RemovalPolicy, Stack, Token
from aws_cdk.assertions import Annotations, Match
from aws_cdk.aws_iam import AccountRootPrincipal, Role
from aws_cdk.aws_imagebuilder import CfnImagePipeline

from provider.construct import DistributionConfiguration, DistributionConfigurationProvider
from provider.construct.arguments import in_python
from provider.construct.properties import (
    AmiDistributionConfiguration,
    DiskImageFormat,
    Distribution,
    OnDelete,
    OrganizationalUnitSource,
    ParameterSource,
    S3ExportConfiguration,
)
from provider.construct.provider import DeployedProvider
from provider.lint.template_check import check
from provider.resources import DISTRIBUTION_CONFIGURATION
from provider.schema.finding import Severity
from provider.schema.return_values import ATTRIBUTES
from provider.template.reader import read
from tests.construct.synthesis import resources_of
from tests.stack import ARN, NAME, Resource

TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
AMI: Distribution = {"region": "us-east-1", "ami_distribution_configuration": {"name": NAME}}


@pytest.fixture
def provider(stack: Stack) -> DeployedProvider:
    return DistributionConfigurationProvider.from_service_token(stack, "Provider", TOKEN)


@pytest.fixture
def declare(stack: Stack, provider: DeployedProvider) -> Callable[..., DistributionConfiguration]:
    """Declare a configuration with the given properties."""
    return lambda construct_id="Golden", /, **properties: DistributionConfiguration(
        stack, construct_id, provider=provider, **properties
    )


def rendered(stack: Stack) -> dict[str, Any]:
    """The stack's only distribution configuration, as in the template."""
    (resource,) = resources_of(stack, DISTRIBUTION_CONFIGURATION)
    return resource


def test_properties_are_those_of_a_template(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """Names become CloudFormation's, and enumerations their values; empty structures, false, and IDs are unchanged."""
    export: S3ExportConfiguration = {
        "role_name": "vmimport",
        "disk_image_format": DiskImageFormat.VMDK,
        "s3_bucket": "archive",
    }
    launch = {"launch_template_id": "lt-0123456789abcdef0", "account_id": "012345678901", "set_default_version": False}
    declare(
        name="golden",
        description=None,
        distributions=[
            {**AMI, "s3_export_configuration": export, "launch_template_configurations": [launch]},
            {"region": "eu-west-1", "ami_distribution_configuration": {}},
        ],
        tags={"cost_center": "1.10"},
        on_delete=OnDelete.RETAIN,
    )
    properties = rendered(stack)["Properties"]
    assert properties == {
        "ServiceToken": TOKEN,
        "ServiceTimeout": "900",
        "Name": "golden",
        "Distributions": [
            {
                "Region": "us-east-1",
                "AmiDistributionConfiguration": {"Name": NAME},
                "S3ExportConfiguration": {"RoleName": "vmimport", "DiskImageFormat": "VMDK", "S3Bucket": "archive"},
                "LaunchTemplateConfigurations": [
                    {
                        "LaunchTemplateId": "lt-0123456789abcdef0",
                        "AccountId": "012345678901",
                        "SetDefaultVersion": False,
                    }
                ],
            },
            {"Region": "eu-west-1", "AmiDistributionConfiguration": {}},
        ],
        "Tags": {"cost_center": "1.10"},
        "OnDelete": "Retain",
    }


def test_names_beneath_a_misspelled_name_are_those_of_arguments(
    declare: Callable[..., DistributionConfiguration],
) -> None:
    """What is beneath a misspelled argument is checked by the names of Python, and correct names have no error."""
    ami = {"name": NAME, "launch_permission": {"user_ids": ["210987654321"]}, "ami_tgs": {"A": "b"}}
    found = declare(name="golden", distributions=[{"region": "us-east-1", "ami_distribution_configration": ami}])
    path = "distributions[0].ami_distribution_configration"
    assert found.validate() == [
        f"{path}: unknown property; did you mean ami_distribution_configuration?",
        f"{path}.ami_tgs: unknown property; did you mean ami_tags?",
    ]


def test_adopting_is_by_arn(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """`adopt` becomes DistributionConfigurationArn, which adopts an existing configuration."""
    arn = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/web"
    assert declare(adopt=arn, distributions=[AMI]).validate() == []
    assert rendered(stack)["Properties"]["DistributionConfigurationArn"] == arn


def test_tokens_pass_through(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """Tokens for texts, lists, numbers, structures, and whole properties are unchanged."""
    accounts = CfnParameter(stack, "Accounts", type="List<String>")
    launches = CfnParameter(stack, "Launches", type="Number")
    condition = CfnCondition(stack, "Shared", expression=Fn.condition_equals(stack.region, "us-east-1"))
    golden = declare(
        name=Fn.join("-", ["golden", stack.stack_name]),
        description="{{resolve:ssm:/images/description}}",
        distributions=[
            {
                "region": stack.region,
                "ami_distribution_configuration": {
                    "name": f"{stack.stack_name}-{{{{ imagebuilder:buildDate }}}}",
                    "launch_permission": {"user_ids": accounts.value_as_list},
                },
                "fast_launch_configurations": [{"enabled": True, "max_parallel_launches": launches.value_as_number}],
            },
            Fn.condition_if(condition.logical_id, {"Region": "eu-west-1", "AmiDistributionConfiguration": {}},
                            Fn.ref("AWS::NoValue")),
        ],
        tags=Token.as_any({"Ref": "Tags"}),
    )  # fmt: skip
    assert golden.validate() == []
    properties = rendered(stack)["Properties"]
    first = properties["Distributions"][0]
    assert first["AmiDistributionConfiguration"]["LaunchPermission"] == {"UserIds": {"Ref": "Accounts"}}
    assert first["FastLaunchConfigurations"][0]["MaxParallelLaunches"] == {"Ref": "Launches"}
    assert "Fn::If" in properties["Distributions"][1]
    assert properties["Tags"] == {"Ref": "Tags"}


@jsii.implements(IAnyProducer)
class Late:
    """Produces entries at synth."""

    def produce(self, context: Any) -> Any:
        return [{"Region": "us-east-1"}]


def test_lazy_values_are_checked_at_synth(declare: Callable[..., DistributionConfiguration]) -> None:
    """A lazy value is checked at synth."""
    (finding,) = declare(name="golden", distributions=Lazy.uncached_any(Late())).validate()
    assert finding.startswith("distributions[0]: ")


MISTAKES: dict[str, dict[str, Any]] = {
    "unknown": {"name": "a", "distributions": [{"region": "us-east-1", "ami_distribution_configration": {}}]},
    "beneath": {
        "name": "a",
        "distributions": [{"region": "us-east-1", "ami_distribution_configration": {"user_ids": [], "ami_tgs": {}}}],
    },
    "constraints": {"name": "a b", "distributions": [AMI], "on_delete": "Keep", "description": ""},
    "rules": {"name": "golden", "distributions": [AMI, {**AMI, "ami_distribution_configuration": {"name": "abc"}}]},
    "types": {
        "name": "golden",
        "distributions": [{"region": "us-east-1", "fast_launch_configurations": [{"enabled": "on"}, "all"]}],
    },
    "target": {"adopt": "nothing", "name": "golden", "distributions": [AMI]},
    "required": {"name": "golden"},
    "twice": {"adopt": f"{ARN}x", "DistributionConfigurationArn": f"{ARN}y", "distributions": [{**AMI, "Region": "a"}]},
    "output": {"name": "golden", "distributions": [{"region": "us-east-1"}]},
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_findings_are_those_of_the_handler(
    mistake: dict[str, Any], stack: Stack, declare: Callable[..., DistributionConfiguration], resource: Resource
) -> None:
    """Synth reports the errors with which the real handler would fail the deployment, by the names of arguments."""
    found = declare(**mistake).validate()
    template = {"Resources": {"Golden": rendered(stack)}}
    reason = resource.create(**rendered(stack)["Properties"]).reason
    messages = [one.message for one in check(template) if one.severity is Severity.ERROR]
    assert found == [in_python(message) for message in messages]
    assert [message for message in messages if message not in reason] == []
    count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    assert reason.startswith(f"{count} with the properties")


@pytest.mark.parametrize(
    ("properties", "start"),
    [
        ({"nme": "a", "distributions": [AMI]}, "nme: unknown property"),
        ({"name": "a b c", "distributions": [{**AMI, "ami_distribution_configration": {}}]},
         "distributions[0].ami_distribution_configration: unknown property"),
        ({"adopt": f"{ARN}x", "name": "golden", "distributions": [AMI]}, "adopt: "),
        ({"name": "golden", "distributions": [{"ami_distribution_configuration": {"ami_tags": {"A: b": 300 * "x"}}}]},
         'distributions[0].ami_distribution_configuration.ami_tags["A: b"]: must have'),
        ({"name": "golden", "distributions": AMI}, "distributions: must be a list, not a dict"),
        ({"name": "golden", "distributions": ["us-east-1"], "tags": ["a"]}, "tags: must be a dict, not a list"),
        ({"distributions": [AMI]}, "arguments: specify either name (to own"),
        ({"name": "golden", "Name": "a b c", "distributions": [AMI]}, "name: specified twice"),
        ({"name": "golden", "distributions": [{**AMI, "fast_launch_configurations": [{"enabled": "on"}]}]},
         'distributions[0].fast_launch_configurations[0].enabled: must be True or False, not "on"'),
        ({"name": "golden", "distributions": [AMI, AMI]},
         'distributions[1].region: "us-east-1" is also in entry 0, but each Region must appear only once'),
    ],
    ids=["root", "nested", "alternatives", "map key", "type", "map", "target", "twice", "boolean", "Region"],
)  # fmt: skip
def test_findings_have_the_names_of_arguments(
    properties: dict[str, Any], start: str, declare: Callable[..., DistributionConfiguration]
) -> None:
    """A message spells names as the author does, in snake_case, and gives no advice about YAML."""
    found = declare(**properties).validate()
    assert [text for text in found if text.startswith(start)]
    assert not any("Distributions" in text or "YAML" in text or "`" in text for text in found)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('Distributions[1].Region: "Name" is in entry 0; a Region may appear once; did you mean Region?',
         'distributions[1].region: "Name" is in entry 0; a Region may appear once; did you mean region?'),
        ("Distributions[0]: the entry's Region, this Region's TargetAccountIds, or each Region",
         "distributions[0]: the entry's Region, this Region's target_account_ids, or each Region"),
        ('Distributions[0].Region: "!Ref AWS::Region" is in AWS::Region',
         "distributions[0].region: the token Ref AWS::Region is in AWS::Region"),
        ("Distributions[0].Name.Fn::Foo: there is no function Fn::Foo",
         "distributions[0].name.Fn::Foo: there is no function Fn::Foo"),
        ("LaunchPermission: given twice, as LaunchPermission and as LaunchPermissionConfiguration; omit one",
         "launch_permission: given twice, as launch_permission and as launch_permission_configuration; omit one"),
    ],
    ids=["quoted", "Region", "token", "function", "two names"],
)  # fmt: skip
def test_only_names_become_arguments(message: str, expected: str) -> None:
    """Only property names become arguments: not the author's values, functions, nor the Region that is meant."""
    assert in_python(message) == expected


def test_messages_have_the_words_of_python() -> None:
    """No message about a template in the corpus has CloudFormation's names or the words of YAML in Python."""
    corpus = Path(__file__).parents[1] / "lint" / "corpus"
    trees = [read(path.read_bytes()).tree for path in corpus.glob("*.yaml")]
    found = [in_python(one.message) for tree in trees for one in check(tree) if one.id not in ("E9104", "E9106")]
    unquoted = [re.sub(r'"(?:\\.|[^"\\])*"|if parameter.*', "", message) for message in found]
    foreign = re.compile(r"\b(?:[A-Z][a-z0-9]+){2,}\b|mapping|YAML|true or false|null|resource property")
    assert len(found) > 20
    assert [message for message in unquoted if foreign.search(message) and " of Of" not in message] == []


def test_a_synth_reports_all_errors(app: App, declare: Callable[..., DistributionConfiguration]) -> None:
    """A synth fails with the errors of all configurations, each with its construct's path."""
    for name in ("First", "Second"):
        declare(name, **MISTAKES["output"])
    with pytest.raises(RuntimeError) as failed:
        app.synth()
    assert "[images/First] distributions[0]: " in str(failed.value)
    assert "[images/Second] distributions[0]: " in str(failed.value)


def test_warnings_are_annotations(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """A warning of the provider is a warning at synth, with its cfn-lint ID."""
    declare(name="golden", distributions=[{**AMI, "region": "mars"}])
    (warning,) = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    assert "distributions[0].region" in str(warning.entry.data)
    assert "W9311" in str(warning.entry.data)


def test_attributes_are_those_that_the_handler_returns(
    stack: Stack, declare: Callable[..., DistributionConfiguration]
) -> None:
    """Each attribute is a property of the construct, and each property of the construct is an attribute."""
    golden = declare(name="golden", distributions=[AMI])
    own = [name for name, value in vars(DistributionConfiguration).items() if isinstance(value, property)]
    written = json.dumps([stack.resolve(getattr(golden, name)) for name in own])
    asked = {name for name in ATTRIBUTES if f'"Golden", "{name}"' in written.replace("\\", "")}
    assert asked | {"Arn", "DistributionConfigurationArn"} == set(ATTRIBUTES)
    assert written.count("Fn::GetAtt") == len(asked)
    assert stack.resolve(golden.distribution_configuration_arn) == stack.resolve(golden.ref) == {"Ref": "Golden"}


def test_a_pipeline_refers_to_it(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """A native pipeline takes its `ref` as distribution configuration."""
    golden = declare(name="golden", distributions=[AMI])
    CfnImagePipeline(
        stack,
        "Pipeline",
        name="golden",
        infrastructure_configuration_arn="arn:aws:imagebuilder:us-east-1:123456789012:infrastructure-configuration/a",
        distribution_configuration_arn=golden.ref,
    )
    (pipeline,) = resources_of(stack, "AWS::ImageBuilder::ImagePipeline")
    assert pipeline["Properties"]["DistributionConfigurationArn"] == {"Ref": "Golden"}


@pytest.mark.parametrize(
    ("policy", "deletion", "replacement"),
    [
        (RemovalPolicy.RETAIN, "Retain", "Retain"),
        (RemovalPolicy.DESTROY, "Delete", "Delete"),
        (RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, "RetainExceptOnCreate", "Retain"),
    ],
)
def test_removal_policies_are_honored(
    policy: RemovalPolicy,
    deletion: str,
    replacement: str,
    stack: Stack,
    declare: Callable[..., DistributionConfiguration],
) -> None:
    """A removal policy becomes the resource's DeletionPolicy and UpdateReplacePolicy."""
    declare(name="golden", distributions=[AMI]).apply_removal_policy(policy)
    resource = rendered(stack)
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (deletion, replacement)


def test_reading_is_granted_and_nothing_else(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """`grant_read` and `grant` allow their actions on this configuration only."""
    golden = declare(name="golden", distributions=[AMI])
    role = Role(stack, "Reader", assumed_by=AccountRootPrincipal())
    golden.grant_read(role)
    golden.grant(role, "imagebuilder:UpdateDistributionConfiguration")
    (policy,) = resources_of(stack, "AWS::IAM::Policy")
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert {statement["Resource"]["Ref"] for statement in statements} == {"Golden"}
    allowed = [statement["Action"] for statement in statements]
    assert allowed == [
        ["imagebuilder:GetDistributionConfiguration", "imagebuilder:ListTagsForResource"],
        "imagebuilder:UpdateDistributionConfiguration",
    ]


def test_a_service_token_is_rejected_as_provider(stack: Stack) -> None:
    """A ServiceToken passed as the provider is rejected, with the method to call instead."""
    with pytest.raises(TypeError, match="from_service_token"):
        DistributionConfiguration(stack, "Golden", provider="arn:aws:lambda:x", name="a", distributions=[AMI])  # type: ignore[arg-type]  # the wrong type is what is tested


def test_any_collection_is_a_list(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """Sets, views, and generators become lists; sets are sorted."""
    accounts = {"210987654321", "012345678901"}
    ami = {
        "name": NAME,
        "launch_permission": {"user_ids": accounts},
        "target_account_ids": dict.fromkeys(accounts).keys(),
    }
    assert (
        declare(
            name="golden", distributions=(one for one in [{**AMI, "ami_distribution_configuration": ami}])
        ).validate()
        == []
    )
    (distribution,) = rendered(stack)["Properties"]["Distributions"]
    permission = distribution["AmiDistributionConfiguration"]["LaunchPermission"]
    assert permission["UserIds"] == sorted(accounts)


def test_account_sources_are_typed(stack: Stack, declare: Callable[..., DistributionConfiguration]) -> None:
    """Sources are entries of account lists with arguments of their own types; `except_` is Python's name of Except."""
    unit: OrganizationalUnitSource = {"organizational_unit": "ou-ab12-11111111", "except_": ["222233334444"]}
    parameter: ParameterSource = {"parameter": "/images/accounts"}
    ami: AmiDistributionConfiguration = {
        "name": NAME,
        "target_account_ids": ["111122223333", unit, parameter],
        "launch_permission": {"user_ids": [parameter]},
    }
    declared = declare(name="golden", distributions=[{"region": "us-east-1", "ami_distribution_configuration": ami}])
    found = rendered(stack)["Properties"]["Distributions"][0]["AmiDistributionConfiguration"]
    assert found["TargetAccountIds"] == [
        "111122223333",
        {"OrganizationalUnit": "ou-ab12-11111111", "Except": ["222233334444"]},
        {"Parameter": "/images/accounts"},
    ]
    assert found["LaunchPermission"]["UserIds"] == [{"Parameter": "/images/accounts"}]
    assert declared.validate() == []
    assert len(Annotations.from_stack(stack).find_warning("*", Match.any_value())) == 2  # W9335


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"organisational_unit": "ou-ab12-11111111"}, ".organisational_unit: unknown property; did you mean"),
        ({"parameter": "a", "except_": ["222233334444"]}, ".except_: is valid only with organizational_unit"),
        ({}, ": specify either organizational_unit or parameter"),
    ],
    ids=["unknown", "except", "empty"],
)
def test_mistakes_in_sources_have_the_names_of_arguments(
    source: dict[str, Any], expected: str, declare: Callable[..., DistributionConfiguration]
) -> None:
    """A mistake in a source is an error at synth, in the names of Python."""
    ami = {"name": NAME, "target_account_ids": [source]}
    found = declare(name="golden", distributions=[{"region": "us-east-1", "ami_distribution_configuration": ami}])
    (error,) = found.validate()
    assert error.startswith(f"distributions[0].ami_distribution_configuration.target_account_ids[0]{expected}")
