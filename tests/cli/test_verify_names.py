"""The parts of `verify` that need no account: the default name, and what the role's access is compared with."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from provider.arn import slug
from provider.cli.verification.installation import CONDITIONAL, DENIED, NONE, Access, Installation, read_access
from provider.cli.verify_command import matching_name, template
from provider.preflight.interface import Read
from provider.resources import resource_type
from provider.schema.return_values import ATTRIBUTES
from provider.schema.validation import validate

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:provider"
ROLE = "arn:aws:iam::123456789012:role/provider"


def installation(**parameters: str) -> Installation:
    return Installation("provider", FUNCTION, "1.0.0", ROLE, parameters)


def simulated(reads: list[Mapping[str, Any]], **missing: list[str]) -> Any:
    """Return a reader that allows all actions but S3's, and records the parameters of each simulation."""

    def read(one: Read) -> Mapping[str, Any]:
        reads.append(one.parameters)
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": name,
                    "EvalDecision": "implicitDeny" if name.startswith("s3:") else "allowed",
                    **missing,
                }
                for name in one.parameters["ActionNames"]
            ]
        }

    return read


@pytest.mark.parametrize("pattern", ["*", "golden-*", "*-images", "team-?-*", "a*b*c", "exactly-this"])
def test_the_default_name_matches_the_pattern(pattern: str) -> None:
    """The default name is valid, and the role may create it."""
    name = matching_name(installation(NamePattern=pattern))
    assert fnmatchcase(slug(name), pattern)
    assert validate(name, resource_type().schema.members["name"]) == []


def test_default_names_differ() -> None:
    """Two runs use different names, so that they do not meet."""
    assert matching_name(installation()) != matching_name(installation())


def test_nothing_is_simulated_that_the_parameters_do_not_allow() -> None:
    """Without a pattern, the role may access nothing of that kind, and nothing is simulated for it."""
    reads: list[Mapping[str, Any]] = []
    found = {one.what: one.decision for one in read_access(simulated(reads), installation(), ARN)}
    assert {what for what, decision in found.items() if decision == NONE} == {
        "export buckets",
        "SSM parameters",
        "source parameters",
        "launch templates",
        "roles",
    }
    assert [one["ResourceArns"] for one in reads] == [[ARN], ["*"]]


def test_each_pattern_is_simulated() -> None:
    """Each pattern, Region, and role of the parameters is simulated, in its Region."""
    reads: list[Mapping[str, Any]] = []
    given = {"ExportBucketPattern": "golden-*", "SsmParameterPattern": "images/*", "LaunchTemplates": "Allowed"}
    given |= {"Regions": "eu-west-1,eu-west-2", "AssumableRoleArns": f"{ROLE}-a,{ROLE}-b"}
    read_access(simulated(reads), installation(**given), ARN)
    resources = {one["ResourceArns"][0]: one["ContextEntries"][0]["ContextKeyValues"] for one in reads}
    assert resources == {
        ARN: ["us-east-1"],
        ARN.replace("us-east-1", "eu-west-1"): ["eu-west-1"],
        ARN.replace("us-east-1", "eu-west-2"): ["eu-west-2"],
        "*": ["us-east-1"],
        "arn:aws:s3:::golden-*": ["us-east-1"],
        "arn:aws:ssm:us-east-1:123456789012:parameter/images/*": ["us-east-1"],
        "arn:aws:ec2:us-east-1:123456789012:launch-template/*": ["us-east-1"],
        f"{ROLE}-a": ["us-east-1"],
        f"{ROLE}-b": ["us-east-1"],
    }


@pytest.mark.parametrize(
    ("missing", "decision"),
    [({}, DENIED), ({"MissingContextValues": ["aws:PrincipalOrgID"]}, CONDITIONAL)],
    ids=["denied", "a condition key without a value"],
)
def test_denied_actions_are_named(missing: dict[str, list[str]], decision: str) -> None:
    """What is denied names its actions; if condition keys had no value, it depends on conditions."""
    found = read_access(simulated([], **missing), installation(ExportBucketPattern="b"), ARN)
    assert Access("export buckets", ("s3:ListBucket",), "arn:aws:s3:::b", decision) in found


@pytest.mark.parametrize("name", ["golden", 'a "quoted" name', "Golden us-east-1"])
def test_the_template_has_the_name_and_passes_validation(name: str) -> None:
    """The throw-away template creates the configuration of this name in the provider's Region."""
    document = json.loads(template(installation()._replace(function=FUNCTION.replace("us-east-1", "eu-west-1")), name))
    (resource,) = document["Resources"].values()
    assert resource["Properties"]["Name"] == name
    assert [one["Region"] for one in resource["Properties"]["Distributions"]] == ["eu-west-1"]
    assert resource["Properties"]["ServiceToken"].startswith("arn:aws:lambda:eu-west-1:")
    assert document["Outputs"].keys() == ATTRIBUTES.keys()
