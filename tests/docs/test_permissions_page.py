"""docs/permissions.md: its policies are those of the examples, and allow what CloudFormation's schemas require."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from provider.cli.verification.installation import READS
from provider.extras import DISTRIBUTION
from provider.template.sections import load
from tests.docs.page import DOCS, ROOT, blocks

POLICIES = ROOT / "examples" / "permissions"
NAMES = sorted(path.stem for path in POLICIES.glob("*.json"))
LARGEST = 6_144
"""Characters without whitespace of a customer managed policy. Source: IAM's quotas."""

SERVERLESS = ("AWS::Lambda::Function", "AWS::Lambda::EventInvokeConfig")
"""What SAM makes of each AWS::Serverless::Function in template.yaml."""

UNUSED = {
    "AWS::DynamoDB::Table": (
        *("dynamodb:*Replica", "dynamodb:*Import*", "dynamodb:*Item", "dynamodb:Scan", "dynamodb:Query"),
        *(
            "dynamodb:*ableKinesis*",
            "dynamodb:UpdateKinesis*",
            "dynamodb:*tResourcePolicy",
            "dynamodb:DeleteResourcePolicy",
        ),
        *("dynamodb:UpdateContributorInsights", "kinesis:*", "logs:*", "s3:*", "iam:*", "kms:ListAliases"),
    ),
    "AWS::Events::Rule": ("iam:PassRole",),
    "AWS::Lambda::Alias": ("codedeploy:*", "lambda:PutProvisioned*", "lambda:DeleteProvisioned*"),
    "AWS::Lambda::Function": (
        *("elasticfilesystem:*", "s3files:*", "lambda:*FunctionConcurrency", "lambda:*CodeSigningConfig"),
        *("lambda:GetLayerVersion", "lambda:Put*Config", "lambda:PassCapacityProvider", "lambda:AssociateRuntimeAlias"),
        "lambda:PublishVersion",
    ),
    "AWS::Logs::LogGroup": (
        *("s3:*", "firehose:*", "logs:CreateLogDelivery", "logs:*ResourcePolicy", "logs:PutLogGroupDeletionProtection"),
        *("logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy", "logs:PutIndexPolicy"),
        *("logs:DeleteIndexPolicy", "logs:PutBearerTokenAuthentication"),
    ),
}
"""By type: actions for properties that template.yaml does not have."""
NEEDED = {"AWS::Lambda::Function": ("lambda:GetFunctionCodeSigningConfig", "lambda:PutFunctionEventInvokeConfig")}
"""Exceptions from UNUSED: what each read of a resource calls."""


@cache
def policy(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((POLICIES / f"{name}.json").read_text("utf-8"))
    return found


def statements(*names: str) -> Iterator[Mapping[str, Any]]:
    for name in names:
        yield from policy(name)["Statement"]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions(*names: str) -> set[str]:
    return {action for statement in statements(*names) for action in listed(statement["Action"])}


def required(type_: str) -> set[str]:
    """The actions that CloudFormation needs to create, read, update, and delete a resource as the template has it."""
    handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema["handlers"]
    found = {action for name, one in handlers.items() if name != "list" for action in one["permissions"]}
    return {
        action
        for action in found
        if action in NEEDED.get(type_, ()) or not any(fnmatchcase(action, one) for one in UNUSED.get(type_, ()))
    }


def types(*, optional: bool) -> set[str]:
    """The types of the template's resources that have a condition, or of those that have none."""
    found = {one["Type"] for one in load(ROOT / "template.yaml").resources.values() if ("Condition" in one) == optional}
    if "AWS::Serverless::Function" in found:
        found = {*found - {"AWS::Serverless::Function"}, *SERVERLESS}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_each_policy(name: str) -> None:
    """The page shows the policy as the example file has it."""
    shown = [block.text for block in blocks(DOCS / "permissions.md") if block.language == "json"]
    assert (POLICIES / f"{name}.json").read_text("utf-8") in shown


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_is_small_and_has_no_wildcard_in_actions(name: str) -> None:
    """A policy fits into a managed policy, names each action, and has unique statement IDs."""
    assert len(re.sub(r"\s", "", json.dumps(policy(name)))) < LARGEST
    assert not [action for action in actions(name) if "*" in action]
    ids = [one["Sid"] for one in statements(name)]
    assert len(ids) == len({*ids})


def test_the_default_installation_is_allowed() -> None:
    """The policy allows what CloudFormation needs for the resources that every installation has.

    ec2 and kms actions are only for SubnetIds and KmsKeyArn, which the second policy is for.
    """
    needed = {action for type_ in types(optional=False) for action in required(type_)}
    options = {action for action in needed if action.startswith(("ec2:", "kms:")) or action.endswith("ociateKmsKey")}
    assert needed - options - actions("deploy-the-provider") == set()
    assert options - actions("deploy-the-provider-with-options") == set()


def test_all_options_are_allowed() -> None:
    """With the second policy, what CloudFormation needs for the resources of all options is allowed."""
    needed = {action for type_ in types(optional=True) for action in required(type_)}
    assert needed - actions("deploy-the-provider", "deploy-the-provider-with-options") == set()


def test_every_unused_action_exists() -> None:
    """The table of unused actions names only types and actions that CloudFormation's schemas have."""
    for type_, patterns in UNUSED.items():
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema["handlers"]
        found = {action for one in handlers.values() for action in one["permissions"]}
        for pattern in patterns:
            assert any(fnmatchcase(action, pattern) for action in found), f"{type_}: {pattern}"


def test_names_are_those_of_the_default_stack() -> None:
    """The resources of all policies that contain a name are those of the stack in samconfig.toml."""
    assert f'stack_name = "{DISTRIBUTION}"' in (ROOT / "samconfig.toml").read_text("utf-8")
    assert DISTRIBUTION in json.dumps(policy("deploy-the-provider"))


def test_verify_is_allowed() -> None:
    """The policy of verify allows all its reads; e2e records its calls."""
    assert {*READS} - actions("verify") == set()


def test_a_stack_s_policy_needs_no_image_builder() -> None:
    """Who deploys a stack needs no permission of Image Builder and passes no role: the provider's role has them."""
    assert not [action for action in actions("deploy-a-stack") if action.startswith(("imagebuilder:", "iam:"))]


def test_policy_files_are_json_objects() -> None:
    """There is no other file next to the policies."""
    assert {path.suffix for path in Path(POLICIES).iterdir()} == {".json"}
