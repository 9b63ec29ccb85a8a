"""`export`: a live configuration as a resource that adopts it without changes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from provider.authoring.samples import all_samples, as_example
from provider.emulator.emulator import Emulator, Trust
from provider.resources import resource_type
from provider.schema.rules import OWNERSHIP_TAGS
from tests.cli.commands import Ended, command, process
from tests.stack import Resource

EVERYTHING = as_example(all_samples(), resource_type().schema)["distributions"]
REGIONS = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": "x {{ imagebuilder:buildDate }}"}}]


def export(emulator: Emulator, arn: str, *options: str) -> Ended:
    return process("export", arn, *options, **emulator.environment())


def resource_in(text: str) -> tuple[str, dict[str, Any]]:
    text = text.replace("!ImportValue", "")
    ((name, resource),) = yaml.safe_load(text)["Resources"].items()
    return name, resource


def changing(emulator: Emulator) -> list[str]:
    return [one.operation for one in emulator.requests if not one.operation.startswith(("Get", "List"))]


@pytest.mark.parametrize(
    "contents",
    [
        {"distributions": REGIONS},
        {"distributions": REGIONS, "description": 'Yes: it\'s "the" one #1', "tags": {"Team": "012", "a b": "true"}},
        {
            "distributions": as_example(all_samples(), resource_type().schema)["distributions"],
            "description": "12",
            "tags": {"x": ""},
        },
    ],
    ids=["plain", "quotes", "everything"],
)
def test_an_export_changes_nothing(
    contents: dict[str, Any], emulator: Emulator, resource: Resource, tmp_path: Path
) -> None:
    """The handler adopts the exported configuration without a write call, and `plan` predicts this."""
    arn = emulator.seed(name="Golden Image", **contents)
    file = tmp_path / "exported.yaml"
    ended = export(emulator, arn, "--output", str(file))
    assert (ended.status, ended.stdout) == (0, "")
    name, exported = resource_in(file.read_text())
    assert name == "GoldenImage"
    assert exported["Properties"]["DistributionConfigurationArn"] == arn
    assert process("validate", "--strict", file).status == 0
    assert process("plan", file, **emulator.environment()).status == 0
    reported = resource.create(**{key: one for key, one in exported["Properties"].items() if key != "ServiceToken"})
    assert (reported.status, reported.physical_id) == ("SUCCESS", arn)
    assert changing(emulator) == []


def test_json_has_the_same_properties(emulator: Emulator) -> None:
    """--format json prints a JSON template with the same properties."""
    arn = emulator.seed(name="base", distributions=REGIONS, tags={"Team": "images"})
    as_json = json.loads(export(emulator, arn, "--format", "json").stdout)["Resources"]["Base"]["Properties"]
    as_yaml = resource_in(export(emulator, arn).stdout)[1]["Properties"]
    assert {**as_json, "ServiceToken": ""} == {**as_yaml, "ServiceToken": ""}
    assert as_json["Tags"] == {"Team": "images"}


def test_ownership_tags_are_reported_and_omitted(emulator: Emulator) -> None:
    """A configuration's owner is reported as a warning, and its ownership tags are not exported."""
    marks = dict(
        zip(OWNERSHIP_TAGS, ("arn:aws:cloudformation:us-east-1:123456789012:stack/images/1", "Golden"), strict=True)
    )
    arn = emulator.seed(name="base", distributions=REGIONS, tags={**marks, "Team": "images"})
    ended = export(emulator, arn)
    assert "is owned by resource Golden of stack arn:aws:cloudformation" in ended.stderr
    assert resource_in(ended.stdout)[1]["Properties"]["Tags"] == {"Team": "images"}


def test_findings_are_warnings(emulator: Emulator) -> None:
    """A configuration with findings is exported, and the findings are reported as warnings."""
    arn = emulator.seed(name="base", distributions=[{"region": "us-east-1", "fastLaunchConfigurations": [
        {"enabled": True, "maxParallelLaunches": 2}]}])  # fmt: skip
    ended = export(emulator, arn)
    assert ended.status == 0
    assert "Warning: Distributions[0].FastLaunchConfigurations[0].MaxParallelLaunches: " in ended.stderr


def test_a_missing_configuration(emulator: Emulator) -> None:
    """If the configuration does not exist, the status is 1, and the message names the account and Region."""
    ended = export(emulator, "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/nowhere")
    assert (ended.status, ended.stdout) == (1, "")
    assert "was not found in account 123456789012, Region us-east-1" in ended.stderr


def test_endpoint(emulator: Emulator) -> None:
    """--endpoint-url sets the endpoint that is read."""
    arn = emulator.seed(name="base", distributions=REGIONS)
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    ended = process("export", arn, "--endpoint-url", emulator.url, **keys)
    assert ended.status == 0, ended.stderr
    assert arn in ended.stdout


@pytest.mark.parametrize("arn", ["base", "arn:aws:s3:::base"])
def test_an_invalid_arn(arn: str) -> None:
    """Anything except a distribution configuration's ARN is rejected before any call."""
    ended = command("export", arn)
    assert ended.status == 2
    assert "is not the ARN of a distribution configuration" in ended.stderr


def test_missing_credentials() -> None:
    """Without credentials, the message says what to set."""
    nothing = {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ended = process("export", "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base", **nothing)
    assert ended.status == 2
    assert "no credentials found" in ended.stderr


OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/images"


def test_another_region(emulator: Emulator) -> None:
    """If the stack is in another Region than the configuration, the resource has the ARN's Region."""
    arn = emulator.at("eu-west-1").seed(name="base", distributions=REGIONS)
    properties = resource_in(export(emulator, arn).stdout)[1]["Properties"]
    assert properties["Region"] == "eu-west-1"
    assert "RoleArn" not in properties
    assert {one.region for one in emulator.requests} == {"eu-west-1"}
    assert "Region" not in resource_in(export(emulator, arn, "--region", "eu-west-1").stdout)[1]["Properties"]


def test_another_account(emulator: Emulator, resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --role-arn, the configuration is read with this role, and the handler adopts it with the role unchanged."""
    monkeypatch.setenv("ASSUMABLE_ROLE_ARNS", ROLE)
    arn = emulator.at("eu-west-1", OTHER).seed(name="base", distributions=REGIONS)
    ended = export(emulator, arn, "--role-arn", ROLE)
    assert ended.status == 0, ended.stderr
    properties = resource_in(ended.stdout)[1]["Properties"]
    assert (properties["RoleArn"], properties["Region"]) == (ROLE, "eu-west-1")
    reported = resource.create(**{name: one for name, one in properties.items() if name != "ServiceToken"})
    assert (reported.status, reported.physical_id) == ("SUCCESS", arn)
    assert not [one for one in changing(emulator) if one != "AssumeRole"]


def test_the_external_id_of_an_export(emulator: Emulator) -> None:
    """A role that trusts the stacks of an account can be assumed; otherwise, the message says what is wrong."""
    arn = emulator.at("us-east-1", OTHER).seed(name="base", distributions=REGIONS)
    emulator.sts.trust = {ROLE: Trust(["arn:aws:cloudformation:*:123456789012:stack/*"])}
    assert export(emulator, arn, "--role-arn", ROLE).status == 0
    emulator.sts.trust = {}
    ended = export(emulator, arn, "--role-arn", ROLE)
    assert (ended.status, ended.stdout) == (2, "")
    assert f"sts:AssumeRole of {ROLE} was denied" in ended.stderr


def test_credentials_of_another_account(emulator: Emulator) -> None:
    """If the configuration's account denies the read, the message names the options for another account."""
    ended = export(emulator, f"arn:aws:imagebuilder:us-east-1:{OTHER}:distribution-configuration/base")
    assert ended.status == 2
    assert f"If your credentials are not of account {OTHER}, use --role-arn with a role there" in ended.stderr


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("images", "is not the ARN of a role"),
        (ROLE.replace(OTHER, "111111111111"), "is not a role of account 123456789012"),
    ],
    ids=["no ARN", "another account"],
)
def test_a_wrong_role(role: str, message: str) -> None:
    """A role that cannot read the configuration is rejected before any call."""
    arn = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base"
    ended = command("export", arn, "--role-arn", role)
    assert ended.status == 2
    assert message in ended.stderr
