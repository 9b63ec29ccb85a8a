"""Expanding converts names and scalars to the API's, as the schema requires."""

from typing import Any

import pytest

from provider.resources import resource_type
from provider.schema.expand import expand
from provider.schema.finding import Spelling
from provider.schema.model import pascal_case
from provider.schema.validation import validate


def in_fast_launch(**members: Any) -> dict[str, Any]:
    return {"Distributions": [{"Region": "r", "FastLaunchConfigurations": [members]}]}


def in_ami(**members: Any) -> dict[str, Any]:
    return {"Distributions": [{"Region": "r", "AmiDistributionConfiguration": members}]}


def messages(properties: dict[str, Any]) -> list[str]:
    expanded = expand(properties, resource_type().schema)
    findings = (*expanded.findings, *validate(expanded.parameters, resource_type().schema))
    return [*map(Spelling(properties, resource_type().schema).render, findings)]


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_booleans(text: str, value: bool) -> None:
    """If the schema requires a boolean, `true` and `false` in any letter case are converted."""
    expanded = expand(in_fast_launch(Enabled=text), resource_type().schema).parameters
    assert expanded["distributions"][0]["fastLaunchConfigurations"][0]["enabled"] is value


@pytest.mark.parametrize("text", ["yes", "1", " true", "true\n", "", "null"])
def test_an_invalid_boolean_is_an_error_at_its_path(text: str) -> None:
    """Any word except `true` and `false` is an error at its path."""
    assert messages(in_fast_launch(Enabled=text))[0].startswith(
        "Distributions[0].FastLaunchConfigurations[0].Enabled: must be true or false, not "
    )


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("007", 7), ("-0", 0)])
def test_integers(text: str, value: int) -> None:
    """If the schema requires an integer, ASCII digits with an optional minus are converted."""
    expanded = expand(in_fast_launch(MaxParallelLaunches=text), resource_type().schema).parameters
    assert expanded["distributions"][0]["fastLaunchConfigurations"][0]["maxParallelLaunches"] == value


@pytest.mark.parametrize("text", ["7.0", "+7", " 7", "7\n", "٧", "1e3", "0x7", "7" * 5000, "", "1_000"])  # noqa: RUF001 - an Arabic digit
def test_an_invalid_integer_is_an_error_at_its_path(text: str) -> None:
    """Any character except ASCII digits and a leading minus is an error at the path."""
    assert messages(in_fast_launch(Enabled="true", MaxParallelLaunches=text))[0].startswith(
        "Distributions[0].FastLaunchConfigurations[0].MaxParallelLaunches: must be an integer, not "
    )


def test_an_integer_that_the_service_cannot_hold_is_an_error() -> None:
    """An integer beyond 32 bits is an error, because the service's integers have 32 bits."""
    (finding,) = messages(in_fast_launch(Enabled="true", MaxParallelLaunches="99999999999"))
    assert finding.endswith("MaxParallelLaunches: must be at most 2147483647, but is 99999999999")


def test_strings_stay_strings() -> None:
    """If the schema requires a string, a number or a boolean in it stays a string."""
    tags = {"version": "1.10", "flag": "true"}
    properties = {
        "Tags": tags,
        "Distributions": [{"Region": "r", "AmiDistributionConfiguration": {"TargetAccountIds": ["012345678901"]}}],
    }
    expanded = expand(properties, resource_type().schema).parameters
    assert expanded["tags"] == tags
    assert expanded["distributions"][0]["amiDistributionConfiguration"]["targetAccountIds"] == ["012345678901"]


def test_empty_and_false_are_values() -> None:
    """`false`, `0`, `{}`, and `""` count as present values."""
    expanded = expand(
        {"Description": "", **in_fast_launch(Enabled="false", MaxParallelLaunches="0", LaunchTemplate={})},
        resource_type().schema,
    )
    entry = expanded.parameters["distributions"][0]["fastLaunchConfigurations"][0]
    assert expanded.parameters["description"] == ""
    assert entry == {"enabled": False, "maxParallelLaunches": 0, "launchTemplate": {}}


@pytest.mark.parametrize(
    "name", ["LaunchPermission", "launchPermission", "LaunchPermissionConfiguration", "launchPermissionConfiguration"]
)
def test_the_native_name_of_launch_permission(name: str) -> None:
    """The native resource's name for launchPermission is accepted in both letter cases."""
    properties = {"Distributions": [{"Region": "r", "AmiDistributionConfiguration": {name: {"UserGroups": ["all"]}}}]}
    expanded = expand(properties, resource_type().schema)
    assert expanded.findings == ()
    ami = expanded.parameters["distributions"][0]["amiDistributionConfiguration"]
    assert ami == {"launchPermission": {"userGroups": ["all"]}}


def test_two_spellings_are_one_error() -> None:
    """A property that is specified in two spellings is an error that names both."""
    assert messages({"Name": "abc", "name": "abd", "Distributions": []}) == [
        "Name: specified twice, as Name and name; remove one"
    ]


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("KMSKeyID", "KmsKeyId"), ("amiTag", "amiTags"), ("TargetAccounts", "TargetAccountIds"), ("Tags", "AmiTags")],
)
def test_an_unknown_name_gets_a_suggestion(written: str, nearest: str) -> None:
    """An unknown property is an error that suggests the most similar known one in the user's letter case."""
    properties = {"distributions": [{"Region": "r", "AmiDistributionConfiguration": {written: "x"}}]}
    assert messages(properties) == [
        f"distributions[0].AmiDistributionConfiguration.{written}: unknown property; did you mean {nearest}?"
    ]


def test_cloudformations_own_names_are_suggested() -> None:
    """A misspelled property of CloudFormation's own gets a suggestion, too."""
    assert "did you mean ServiceTimeout?" in messages({"ServiceTimeut": "60"})[0]


def test_the_message_names_the_structure_one_level_deeper() -> None:
    """The message about a property that belongs one level deeper names that structure."""
    (finding,) = messages({"Distributions": [{"Region": "r", "TargetAccountIds": ["111122223333"]}]})
    assert finding == "Distributions[0].TargetAccountIds: unknown property; it belongs in AmiDistributionConfiguration"


@pytest.mark.parametrize(
    ("properties", "remediation"),
    [
        ({"UserIds": ["1"]}, "it belongs in Distributions[].AmiDistributionConfiguration.LaunchPermission"),
        (in_ami(S3ExportConfiguration={}), "it belongs in Distributions[]"),
        (in_ami(Region="us-east-1"), "it belongs in Distributions[]"),
        (in_ami(Enabled="true"), "it belongs in Distributions[].FastLaunchConfigurations[]"),
        (in_ami(OnDelete="Retain"), "it belongs at the top level"),
        ({"distributions": [{"onDelete": "Retain"}]}, "it belongs at the top level"),
        ({"distributions": [{"amiDistributionConfiguration": {"region": "r"}}]}, "it belongs in distributions[]"),
    ],
)
def test_the_message_names_the_other_structure(properties: dict[str, Any], remediation: str) -> None:
    """The message about a property of another structure names that structure, unless a known name is similar."""
    assert messages(properties)[0].endswith(f": unknown property; {remediation}")


def test_without_a_similar_name_all_names_are_listed() -> None:
    """If no known name is similar, the message lists all names of the structure."""
    finding = messages({"Distributions": [{"SsmParameterConfigurations": [{"Foo": "x"}]}]})[0]
    members = resource_type().schema.members["distributions"].item.members["ssmParameterConfigurations"].item.members  # type: ignore[union-attr]  # lists
    assert finding.endswith(f": unknown property; valid properties are {', '.join(map(pascal_case, members))}")


def test_a_mapping_in_place_of_a_list_is_one_finding() -> None:
    """A mapping in place of a list is one finding, without findings about its names."""
    ami = {"Name": "x {{ imagebuilder:buildDate }}"}
    assert messages({"Distributions": {"Region": "us-east-1", "AmiDistributionConfiguration": ami}}) == [
        "Distributions: must be a list, not a mapping"
    ]


@pytest.mark.parametrize("name", ["ClientToken", "clientToken"])
def test_a_client_token_is_rejected_with_the_reason(name: str) -> None:
    """A ClientToken property is rejected, because the client token is the request's ID."""
    assert messages({name: "x", "Distributions": []}) == [
        f"{name}: the client token is always the request's ID; omit this property"
    ]


def test_cloudformations_own_properties_are_ignored() -> None:
    """ServiceToken and ServiceTimeout cause no findings."""
    assert messages({"ServiceToken": "arn", "ServiceTimeout": "60", "Distributions": []}) == []


def test_dry_run_is_unknown() -> None:
    """DryRun, which the Create call has, is an unknown property."""
    assert "DryRun: unknown property" in messages({"DryRun": "true", "Distributions": []})[0]


def test_null_is_an_error_at_its_path() -> None:
    """A null is an error at its path, at any depth."""
    assert messages({"Description": None, "Distributions": [{"Region": None}, None]}) == [
        "Description: must be a string, not null",
        "Distributions[0].Region: must be a string, not null",
        "Distributions[1]: must be a mapping, not null",
    ]
