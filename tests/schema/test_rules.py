"""The service's own rules, which its model does not carry."""

from typing import Any

import pytest

from provider.resources import resource_type
from provider.schema.check import validate_properties
from provider.schema.expand import expand
from provider.schema.finding import Severity
from provider.schema.model import Type
from provider.schema.rules import OWNERSHIP_TAGS, RULES, apply_rules

GOOD = {"Region": "us-east-1", "AmiDistributionConfiguration": {"Name": "x {{ imagebuilder:buildDate }}"}}


def findings_of(properties: dict[str, Any]) -> list[tuple[str, Severity, str]]:
    findings = apply_rules(expand(properties, resource_type().schema).parameters, resource_type().rules)
    return [(f.rule, f.severity, f.render(properties, resource_type().schema)) for f in findings]


def named(*distributions: object, **more: Any) -> dict[str, Any]:
    return {"Name": "golden", "Distributions": list(distributions), **more}


def ami(**members: Any) -> dict[str, Any]:
    return {**GOOD, "AmiDistributionConfiguration": {**GOOD["AmiDistributionConfiguration"], **members}}  # type: ignore[dict-item]


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
def test_what_the_service_refuses_is_an_error(rule: str, properties: dict[str, Any], finding: str) -> None:
    """What the service is known to refuse is an error at the property that is to blame."""
    ((found, severity, text),) = findings_of(properties)
    assert (found, severity) == (rule, Severity.ERROR)
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
    """What is documented or advised but not known to be refused is a warning."""
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
def test_what_the_service_takes_passes(distribution: dict[str, Any]) -> None:
    """One output of any kind is enough, and the build date may stand without spaces."""
    assert findings_of(named(distribution)) == []


def type_at(root: Type, path: str) -> Type:
    """The type of the place that a rule's path names. KeyError where the model has no such place."""
    for part in path.split(".") if path else ():
        root = root.members[part.removesuffix("[]")]
        if part.endswith("[]") and root.item is not None:
            root = root.item
    return root


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_looks_at_a_place_of_the_model(rule: Any) -> None:
    """Each rule's path names members that the pinned model has, and its source is told."""
    assert type_at(resource_type().schema, rule.path).kind
    assert rule.source


@pytest.mark.parametrize("value", [None, "x", 1, [None], [[]], {"a": None}])
def test_values_of_a_wrong_type_are_passed_over(value: Any) -> None:
    """A value of a wrong type is validation's to tell; rules neither raise nor tell it again."""
    for name in ("Distributions", "Tags", "Name"):
        findings_of({"Name": "golden", name: value})
    findings_of(named({"Region": value, "AmiDistributionConfiguration": value, "SsmParameterConfigurations": value}))
    findings_of(named(ami(Name=value, LaunchPermission=value, TargetAccountIds=value)))


@pytest.mark.parametrize(
    "name", ["us-east-1", "eu-isoe-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "ap-new-9"]
)
def test_a_region_of_any_partition_is_one(name: str) -> None:
    """A name that has the form of some partition's Regions is taken, also one that is not built yet."""
    assert findings_of(named({**GOOD, "Region": name})) == []


@pytest.mark.parametrize(
    "name", ["us-east1", "US-EAST-1", "us-east-1a", "us-east-1 ", "us-east-1\n", "aws-global", "us-eást-1"]
)
def test_a_name_of_no_region_is_a_warning(name: str) -> None:
    """A name that has the form of no partition's Regions is most likely a slip of the pen."""
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
def test_a_slip_of_a_region_is_a_warning(name: str, nearest: str) -> None:
    """A name that is nearly a known Region's is told with that one's name, and refuses nothing."""
    ((rule, severity, text),) = findings_of(named({**GOOD, "Region": name}))
    assert (rule, severity) == ("region-slip", Severity.WARNING)
    assert text == f'Distributions[0].Region: "{name}" is not a known Region; did you mean {nearest}?'


@pytest.mark.parametrize("name", ["us-east-9", "ap-southeast-99", "us-south-1", "ca-northwest-2", "eusc-de-west-1"])
def test_a_newer_region_is_no_slip(name: str) -> None:
    """A Region that botocore does not know yet is taken where it is named as others are."""
    assert findings_of(named({**GOOD, "Region": name})) == []


def test_a_misspelt_output_is_one_finding() -> None:
    """Where the only output is misspelt, that is told, and not that there is none."""
    entry = {"Region": "us-east-1", "AmiDistributionConfig": {"Name": "x"}}
    assert [
        finding.rule
        for finding in validate_properties(expand(named(entry), resource_type().schema), resource_type().rules)
    ] == ["unknown"]


@pytest.mark.parametrize("name", ["Nmae", "nam", "DistributionConfigurationARN"])
def test_a_misspelt_target_is_one_finding(name: str) -> None:
    """Where the one name that is needed is misspelt, that is told, and not that none is given."""
    (finding,) = validate_properties(
        expand({name: "golden", "Distributions": [GOOD]}, resource_type().schema), resource_type().rules
    )
    assert finding.rule == "unknown"
    assert "did you mean" in finding.message


@pytest.mark.parametrize("name", ["Descripton", "Region", "LaunchTemplateName", "KmsKeyId", "Lambda"])
def test_another_misspelt_name_is_no_target(name: str) -> None:
    """Where another name is misspelt, it is told beside it that no target is given."""
    rules = [
        finding.rule
        for finding in validate_properties(
            expand({name: "golden", "Distributions": [GOOD]}, resource_type().schema), resource_type().rules
        )
    ]
    assert rules == ["unknown", "one-target"]


def test_an_empty_output_is_told_once() -> None:
    """An only output that is wrong because it is empty is one finding, and not also that there is none."""
    entry = {"Region": "us-east-1", "FastLaunchConfigurations": []}
    assert [
        finding.rule
        for finding in validate_properties(expand(named(entry), resource_type().schema), resource_type().rules)
    ] == ["minimum"]
