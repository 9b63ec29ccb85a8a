"""`convert` of the output of get-distribution-configuration."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from provider.resources.ownership import Owner
from provider.template.reader import read
from tests.cli.commands import command

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/web-images"
LIVE = {
    "arn": ARN,
    "name": "Web Images",
    "description": "Images of the web tier",
    "distributions": [
        {
            "region": "us-east-1",
            "amiDistributionConfiguration": {
                "name": "web {{ imagebuilder:buildDate }}",
                "amiTags": {"Team": "web"},
                "launchPermission": {"userIds": ["098765432109"]},
            },
        }
    ],
    "timeoutMinutes": 720,
    "dateCreated": "2024-01-01T00:00:00Z",
    "dateUpdated": "2024-01-02T00:00:00Z",
    "tags": {"Team": "web", "aws:cloudformation:stack-name": "web"},
}
OUTPUT = {"requestId": "a", "distributionConfiguration": LIVE}


def converted(text: str, tmp_path: Path, *options: str) -> dict[str, Any]:
    """The resource in the result. Fails if the status is not 0."""
    file = tmp_path / "live"
    file.write_text(text)
    ended = command("convert", file, *options)
    assert ended.status == 0, ended.stderr
    (resource,) = read(ended.stdout.encode()).tree["Resources"].values()
    assert isinstance(resource, dict)
    return resource


@pytest.mark.parametrize(
    "text",
    [json.dumps(OUTPUT), json.dumps(OUTPUT, indent=4), yaml.safe_dump(OUTPUT), json.dumps(LIVE), yaml.safe_dump(LIVE)],
    ids=["json", "indented", "yaml", "without its member", "yaml without its member"],
)
@pytest.mark.parametrize("options", [(), ("--adopt",)])
def test_the_result_adopts_the_configuration(text: str, options: tuple[str, ...], tmp_path: Path) -> None:
    """The result has the ARN, the content, and the tags that a template can set, and nothing else."""
    properties = converted(text, tmp_path, *options)["Properties"]
    assert {name: value for name, value in properties.items() if not name.startswith("Service")} == {
        "DistributionConfigurationArn": ARN,
        "Description": "Images of the web tier",
        "Distributions": [
            {
                "Region": "us-east-1",
                "AmiDistributionConfiguration": {
                    "Name": "web {{ imagebuilder:buildDate }}",
                    "AmiTags": {"Team": "web"},
                    "LaunchPermission": {"UserIds": ["098765432109"]},
                },
            }
        ],
        "Tags": {"Team": "web"},
    }


def test_the_result_changes_nothing(tmp_path: Path) -> None:
    """Deploying the result does not change the configuration."""
    live, result = tmp_path / "live.json", tmp_path / "result.yaml"
    live.write_text(json.dumps(OUTPUT))
    assert command("convert", live, "--output", result).status == 0
    ended = command("rehearse", result, "--existing", live)
    assert ended.status == 0, ended.stdout
    assert ended.stdout.count("No configuration changed.") == 2


def test_an_owner_is_reported(tmp_path: Path) -> None:
    """The ownership tags are omitted, and the owner is reported, because it should be replaced."""
    tags = Owner("stack", "A").tags()
    file = tmp_path / "live.json"
    file.write_text(json.dumps({**LIVE, "tags": tags}))
    ended = command("convert", file)
    assert "owned by resource A of stack stack" in ended.stderr
    assert "Tags:" not in ended.stdout.partition("AmiTags:")[2]


def test_members_of_newer_releases(tmp_path: Path) -> None:
    """A member that this release does not know is omitted and reported, because an update would remove it."""
    newer = {**LIVE, "distributions": [{"region": "us-east-1", "newConfiguration": {"a": 1}}]}
    file = tmp_path / "live.json"
    file.write_text(json.dumps(newer))
    ended = command("convert", file)
    assert ended.status == 1
    assert "newConfiguration" not in ended.stdout
    assert "not converted: omitted: distributions[0].newConfiguration: " in ended.stderr


@pytest.mark.parametrize("member", [{}, {"arn": "x"}, None, []])
def test_output_without_an_arn(member: Any, tmp_path: Path) -> None:
    """Output without the ARN of a configuration is not converted."""
    file = tmp_path / "live.json"
    file.write_text(json.dumps({"distributionConfiguration": member}))
    ended = command("convert", file)
    assert (ended.status, ended.stdout) == (2, "")
    assert "there is nothing to convert" in ended.stderr
