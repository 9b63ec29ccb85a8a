"""The service's own rules, which its model lacks."""

from typing import Any

import pytest

from provider.resources import resource_type
from provider.schema.check import validate_properties
from provider.schema.expand import expand
from provider.schema.finding import Severity, Spelling
from provider.schema.model import Schema
from provider.schema.rules import OWNERSHIP_TAGS, RULES, apply_rules

GOOD = {"Region": "us-east-1", "AmiDistributionConfiguration": {"Name": "x {{ imagebuilder:buildDate }}"}}


def findings_of(properties: dict[str, Any]) -> list[tuple[str, Severity, str]]:
    findings = apply_rules(expand(properties, resource_type().schema).parameters, resource_type().rules)
    spelling = Spelling(properties, resource_type().schema)
    return [(finding.rule, finding.severity, spelling.render(finding)) for finding in findings]


def all_of(properties: dict[str, Any]) -> list[tuple[str, str]]:
    spelling = Spelling(properties, resource_type().schema)
    found = validate_properties(expand(properties, resource_type().schema), resource_type().rules)
    return [(finding.rule, spelling.text(finding.path)) for finding in found]


def named(*distributions: object, **more: Any) -> dict[str, Any]:
    return {"Name": "golden", "Distributions": list(distributions), **more}


def ami(**members: Any) -> dict[str, Any]:
    return {**GOOD, "AmiDistributionConfiguration": {**GOOD["AmiDistributionConfiguration"], **members}}  # type: ignore[dict-item]  # a dict


@pytest.mark.parametrize(
    ("rule", "properties", "finding"),
    [
        ("one-target", {"Distributions": [GOOD]}, "Properties: specify either Name (to own a configuration) or"),
        (
            "one-target",
            named(GOOD, DistributionConfigurationArn="x"),
            "DistributionConfigurationArn: specify either Name (to own a configuration) or Distribution",
        ),
        (
            "one-target",
            {"name": "golden", "distributionConfigurationArn": "x", "distributions": [GOOD]},
            "distributionConfigurationArn: specify either name (to own a configuration) or distribution",
        ),
        ("reserved-tags", named(GOOD, Tags={OWNERSHIP_TAGS[0]: "x"}), f'Tags["{OWNERSHIP_TAGS[0]}"]: '),
        ("reserved-tags", named(GOOD, Tags={OWNERSHIP_TAGS[1]: "x"}), f'Tags["{OWNERSHIP_TAGS[1]}"]: '),
        ("build-date", named(ami(Name="imagebuilder:buildDate")), "Distributions[0].AmiDistributionConfiguration.Name"),
        ("region-once", named(GOOD, GOOD), 'Distributions[1].Region: "us-east-1" is also in entry 0'),
        (
            "some-output",
            named({"Region": "us-east-1"}),
            "Distributions[0]: one or more outputs should be provided for each region",
        ),
        (
            "build-date",
            named(ami(Name="plain")),
            "Distributions[0].AmiDistributionConfiguration.Name: must contain {{ imagebuilder:buildDate }}",
        ),
        (
            "all-users",
            named(ami(LaunchPermissionConfiguration={"UserGroups": ["all", "some"]})),
            'Distributions[0].AmiDistributionConfiguration.LaunchPermissionConfiguration.UserGroups[1]: must be "all"',
        ),
    ],
)
def test_what_the_service_rejects_is_an_error(rule: str, properties: dict[str, Any], finding: str) -> None:
    """A violation that the service is known to reject is an error at the property's path."""
    ((found, text),) = [(rule, text) for rule, severity, text in findings_of(properties) if severity is Severity.ERROR]
    assert found == rule
    assert text.startswith(finding)


@pytest.mark.parametrize(
    ("rule", "properties"),
    [
        ("some-region", named()),
        (
            "target-account",
            named({**ami(TargetAccountIds=["1" * 12]), "SsmParameterConfigurations": [{"AmiAccountId": "2" * 12}]}),
        ),
        ("parallel-launches", named({**GOOD, "FastLaunchConfigurations": [{"MaxParallelLaunches": "5"}]})),
    ],
)
def test_what_is_only_advised_is_a_warning(rule: str, properties: dict[str, Any]) -> None:
    """A violation of documentation or advice is a warning."""
    ((found, severity, _),) = findings_of(properties)
    assert (found, severity) == (rule, Severity.WARNING)


@pytest.mark.parametrize(
    "distribution",
    [
        {"Region": "us-east-1", "AmiDistributionConfiguration": {}},
        {"Region": "us-east-1", "LicenseConfigurationArns": ["a"]},
        {"Region": "us-east-1", "LaunchTemplateConfigurations": [{}]},
        {"Region": "us-east-1", "S3ExportConfiguration": {}},
        {"Region": "us-east-1", "FastLaunchConfigurations": [{}]},
        {"Region": "us-east-1", "SsmParameterConfigurations": [{}]},
        {"Region": "us-east-1", "AmiDistributionConfiguration": {"Name": "{{imagebuilder:buildDate}}"}},
        {"Region": "us-east-1", "FastLaunchConfigurations": [{"MaxParallelLaunches": "6"}]},
    ],
)
def test_what_the_service_accepts_has_no_findings(distribution: dict[str, Any]) -> None:
    """One output of any type suffices, and the build date needs no spaces."""
    assert findings_of(named(distribution)) == []


def type_at(root: Schema, path: str) -> Schema:
    """Return the schema at a rule's path. Raises KeyError if the model has no such path."""
    for part in path.split(".") if path else ():
        root = root.members[part.removesuffix("[]")]
        if part.endswith("[]") and root.item is not None:
            root = root.item
    return root


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rules_path_exists_in_the_model(rule: Any) -> None:
    """Each rule's path exists in the pinned model, and each rule has a source."""
    assert type_at(resource_type().schema, rule.path).type_name
    assert rule.source


@pytest.mark.parametrize("value", [None, "x", 1, [None], [[]], {"a": None}])
def test_values_of_a_wrong_type_are_skipped(value: Any) -> None:
    """Rules skip values of a wrong type, which validation reports."""
    for name in ("Distributions", "Tags", "Name"):
        findings_of({"Name": "golden", name: value})
    findings_of(named({"Region": value, "AmiDistributionConfiguration": value, "SsmParameterConfigurations": value}))
    findings_of(named(ami(Name=value, LaunchPermission=value, TargetAccountIds=value)))


@pytest.mark.parametrize(
    "name", ["us-east-1", "eu-isoe-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "ap-new-9"]
)
def test_regions_of_all_partitions_are_accepted(name: str) -> None:
    """A name that matches some partition's Region names is accepted, also for a future Region."""
    assert findings_of(named({**GOOD, "Region": name})) == []


@pytest.mark.parametrize(
    "name", ["us-east1", "US-EAST-1", "us-east-1a", "us-east-1 ", "us-east-1\n", "aws-global", "us-eást-1"]
)
def test_an_invalid_region_name_is_a_warning(name: str) -> None:
    """A name that matches no partition's Region names is a warning."""
    ((rule, severity, text),) = findings_of(named({**GOOD, "Region": name}))
    assert (rule, severity) == ("region-name", Severity.WARNING)
    assert text.startswith("Distributions[0].Region: ")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("us-esat-1", "us-east-1"),
        ("us-esat-2", "us-east-2"),
        ("eu-wset-3", "eu-west-3"),
        ("ap-sotheast-2", "ap-southeast-2"),
        ("us-gov-wets-1", "us-gov-west-1"),
        ("cn-nroth-1", "cn-north-1"),
    ],
)
def test_a_misspelled_region_is_a_warning(name: str, nearest: str) -> None:
    """A misspelled Region name is a warning that suggests the known Region."""
    ((rule, severity, text),) = findings_of(named({**GOOD, "Region": name}))
    assert (rule, severity) == ("region-slip", Severity.WARNING)
    assert text == f'Distributions[0].Region: "{name}" is not a known Region; did you mean {nearest}?'


@pytest.mark.parametrize("name", ["us-east-9", "ap-southeast-99", "us-south-1", "ca-northwest-2", "eusc-de-west-1"])
def test_a_newer_region_is_accepted(name: str) -> None:
    """A Region that botocore does not know yet is accepted if its name is built like others."""
    assert findings_of(named({**GOOD, "Region": name})) == []


def test_a_misspelled_output_is_one_finding() -> None:
    """A misspelled only output is one finding, without one about a missing output."""
    entry = {"Region": "us-east-1", "AmiDistributionConfig": {"Name": "web {{ imagebuilder:buildDate }}"}}
    assert [
        finding.rule
        for finding in validate_properties(expand(named(entry), resource_type().schema), resource_type().rules)
    ] == ["unknown"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Nmae", "golden"),
        ("nam", "golden"),
        ("Nmae", {"Ref": "A"}),
        (
            "DistributionConfigurationARN",
            "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden",
        ),
    ],
)
def test_a_misspelled_target_is_one_finding(name: str, value: object) -> None:
    """A misspelled Name or ARN is one finding, without one about a missing target."""
    (finding,) = validate_properties(
        expand({name: value, "Distributions": [GOOD]}, resource_type().schema), resource_type().rules
    )
    assert finding.rule == "unknown"
    assert "did you mean" in finding.message


def test_everything_beneath_a_misspelled_name_is_checked() -> None:
    """What is beneath a misspelled name is checked at once, at its path as written, and is not missing."""
    ami = {"Name": "web", "LaunchPermisson": {"userIDs": ["1"], "UserGroup": ["all"]}}
    entry = {"Region": "us-east-1", "AMIDistributionConfiguration": ami, "S3ExportConfigurations": {"RoleNme": ""}}
    at = "Distributions[0].AMIDistributionConfiguration"
    assert sorted(all_of(named(entry))) == [
        ("build-date", f"{at}.Name"),
        ("minimum", "Distributions[0].S3ExportConfigurations.RoleNme"),
        ("pattern", f"{at}.LaunchPermisson.userIDs[0]"),
        ("public-image", f"{at}.LaunchPermisson.UserGroup[0]"),
        ("required", "Distributions[0].S3ExportConfigurations.DiskImageFormat"),
        ("required", "Distributions[0].S3ExportConfigurations.S3Bucket"),
        ("unknown", at),
        ("unknown", f"{at}.LaunchPermisson"),
        ("unknown", f"{at}.LaunchPermisson.UserGroup"),
        ("unknown", f"{at}.LaunchPermisson.userIDs"),
        ("unknown", "Distributions[0].S3ExportConfigurations"),
        ("unknown", "Distributions[0].S3ExportConfigurations.RoleNme"),
    ]


@pytest.mark.parametrize("value", ["text", ["text"], 1])
def test_a_value_that_does_not_fit_the_meant_name_is_not_checked(value: object) -> None:
    """If the value of a misspelled name cannot be the suggested property's, only the name is reported."""
    assert [rule for rule, _ in all_of(named({**GOOD, "S3ExportConfigurations": value}))] == ["unknown"]


def test_a_misspelled_name_beside_the_right_one_is_not_checked() -> None:
    """If the suggested property is given, too, a misspelled name is only reported itself."""
    properties = named({"AMIDistributionConfig": {"Name": ""}, **GOOD})
    assert [rule for rule, _ in all_of(properties)] == ["unknown"]


@pytest.mark.parametrize("name", ["Descripton", "Enabled", "LaunchTemplateName", "KmsKeyId", "Lambda"])
def test_a_missing_target_is_reported_beside_a_misspelled_name(name: str) -> None:
    """If another name is misspelled, the missing target is reported, too."""
    rules = [
        finding.rule
        for finding in validate_properties(
            expand({name: "golden", "Distributions": [GOOD]}, resource_type().schema), resource_type().rules
        )
    ]
    assert rules == ["unknown", "one-target"]


def test_an_empty_output_is_one_finding() -> None:
    """An empty only output is one finding, without one about a missing output."""
    entry = {"Region": "us-east-1", "FastLaunchConfigurations": []}
    assert [
        finding.rule
        for finding in validate_properties(expand(named(entry), resource_type().schema), resource_type().rules)
    ] == ["minimum"]
