"""Violations of the model's constraints are findings at paths in the user's spelling."""

from typing import Any

import pytest

from provider.resources import resource_type
from provider.schema.expand import expand
from provider.schema.finding import Spelling
from provider.schema.model import PATTERNS, Schema
from provider.schema.validation import validate


def messages(properties: dict[str, Any]) -> list[str]:
    findings = validate(expand(properties, resource_type().schema).parameters, resource_type().schema)
    return [*map(Spelling(properties, resource_type().schema).render, findings)]


def ami(**members: Any) -> dict[str, Any]:
    return {"Distributions": [{"Region": "us-east-1", "AmiDistributionConfiguration": members}]}


AMI = "Distributions[0].AmiDistributionConfiguration"


@pytest.mark.parametrize(
    ("properties", "finding"),
    [
        ({}, "Distributions: is required"),
        (
            {"Distributions": {}},
            "Distributions: must be a list, not a mapping",
        ),
        (
            ami(TargetAccountIds="123456789012"),
            f'{AMI}.TargetAccountIds: must be a list, not "123456789012"',
        ),
        (
            {"Distributions": [], "Tags": [{"Key": "Team", "Value": "x"}]},
            "Tags: must be a mapping of keys to values, not a list",
        ),
        ({"Distributions": ["x"]}, 'Distributions[0]: must be a mapping, not "x"'),
        ({"Distributions": [{}]}, "Distributions[0].Region: is required"),
        (
            {"distributions": [{"kmsKeyId": 1, "amiDistributionConfiguration": {}}]},
            "distributions[0].region: is required",
        ),
        ({"Distributions": [], "Description": ""}, "Description: must have at least 1 character, but has 0"),
        (
            {"Distributions": [], "Description": "x" * 1025},
            "Description: must have at most 1024 characters, but has 1025",
        ),
        (ami(TargetAccountIds=[]), f"{AMI}.TargetAccountIds: must have at least 1 entry, but has 0"),
        (ami(AmiTags={}), f"{AMI}.AmiTags: must have at least 1 entry, but has 0"),
        (
            ami(TargetAccountIds=["12345678901"]),
            f'{AMI}.TargetAccountIds[0]: must be 12 digits, including leading zeros, not "12345678901"',
        ),
        (
            ami(TargetAccountIds=["123456789012\n"]),
            f'{AMI}.TargetAccountIds[0]: must be 12 digits, including leading zeros, not "123456789012\\n"; '
            "remove the trailing line break",
        ),
        ({"Distributions": [], "Tags": {"k": 1}}, 'Tags["k"]: must be a string, not 1'),
        (
            {"Distributions": [], "Tags": {'a"b': "c" * 257, "aws:x": "1"}},
            'Tags["a\\"b"]: the key must be letters, digits, spaces, or any of _ . : / = + - @, '
            'not beginning with aws:, not "a\\"b"',
        ),
        ({"Distributions": [], "OnDelete": "delete"}, 'OnDelete: must be one of Delete, Retain, not "delete"'),
    ],
)
def test_a_violated_constraint_is_reported_at_its_path(properties: dict[str, Any], finding: str) -> None:
    """The finding of each constraint has its path, the requirement, and the value."""
    assert finding in messages(properties)


def test_all_violations_are_reported() -> None:
    """All violations are reported, in the order of the properties."""
    properties = {
        "Name": "x",
        "Distributions": [
            {"Region": "", "S3ExportConfiguration": {"DiskImageFormat": "VDMK"}},
            {"FastLaunchConfigurations": [{"Enabled": "maybe", "SnapshotConfiguration": {"TargetResourceCount": "0"}}]},
        ],
    }
    findings = messages(properties)
    assert [finding.partition(": ")[0] for finding in findings] == [
        "Name",
        "Distributions[0].Region",
        "Distributions[0].S3ExportConfiguration.RoleName",
        "Distributions[0].S3ExportConfiguration.S3Bucket",
        "Distributions[0].S3ExportConfiguration.DiskImageFormat",
        "Distributions[1].Region",
        "Distributions[1].FastLaunchConfigurations[0].Enabled",
        "Distributions[1].FastLaunchConfigurations[0].SnapshotConfiguration.TargetResourceCount",
    ]


def test_a_pattern_without_an_end_matches_the_beginning() -> None:
    """A pattern without `$` accepts any text after its match."""
    unit = "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-abcd-abcdefgh"
    assert messages(ami(LaunchPermission={"OrganizationalUnitArns": [f"{unit}suffix!"]})) == []


def test_long_values_are_cut_in_messages() -> None:
    """A message quotes only a part of a long value."""
    (finding,) = messages(ami(TargetAccountIds=["x" * 5000]))
    assert len(finding) < 400


@pytest.mark.parametrize("at", [0, 1, 500, 998, 999])
def test_the_wrong_part_of_a_long_value_is_shown(at: int) -> None:
    """The part of a long value that a message quotes contains the character that the pattern does not allow."""
    name = "a" * at + "!" + "a" * (999 - at)
    (finding,) = messages({"Distributions": [{"Region": "r", "SsmParameterConfigurations": [{"ParameterName": name}]}]})
    assert "!" in finding
    assert len(finding) < 400


@pytest.mark.parametrize(
    "member",
    [
        {"LicenseConfigurationArns": [f"arn:aws:license-manager:us-east-1:111122223333:license/lic-{'0' * 32}"]},
        {"AmiDistributionConfiguration": {"Name": "Golden images of all teams, built on {{imagebuilder:Date}}."}},
    ],
    ids=str,
)
def test_arns_and_names_are_shown_whole(member: dict[str, Any]) -> None:
    """A message quotes an ARN and an image's name to their ends."""
    (finding,) = messages({"Distributions": [{"Region": "us-east-1", **member}]})
    assert finding.endswith((f'{"0" * 32}"', '{{imagebuilder:Date}}."'))


def test_tags_can_be_empty() -> None:
    """An empty mapping of Tags means no tags, as in the native resource."""
    assert messages({"Distributions": [], "Tags": {}}) == []


def patterns(schema: Schema) -> set[str]:
    """Return all patterns in a schema."""
    inner = [*schema.members.values(), *(one for one in (schema.item, schema.key, schema.source) if one)]
    return {schema.pattern} - {None} | {one for each in inner for one in patterns(each)}  # type: ignore[return-value] # no None


def test_every_pattern_has_words() -> None:
    """Each pattern of the properties has words, and all words belong to a pattern of the model."""
    assert patterns(resource_type().schema) == PATTERNS.keys()


def test_a_pattern_without_words_is_shown() -> None:
    """A new pattern, which has no words yet, is shown as a regular expression."""
    (finding,) = validate("b", Schema(type_name="string", shape="New", pattern="^a$"))
    assert finding.message == 'must match the pattern ^a$, not "b"'
