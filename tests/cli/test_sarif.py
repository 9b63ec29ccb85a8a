"""`validate --format sarif` conforms to the SARIF schema and to GitHub's requirements."""

import json
from pathlib import Path
from typing import Any

import pytest
from sarif_kit import validation_errors

from provider.lint.catalog import CHECKS
from provider.template.structure import RULES
from tests.cli.commands import EXAMPLES, command

BAD = """Resources:
  Golden:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      Name: golden
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration:
            Name: größe
          FastLaunchConfigurations:
            - {Enabled: true, MaxParallelLaunches: 2}
"""


def log(*files: str | Path, stdin: str = "") -> Any:
    return json.loads(command("validate", "--format", "sarif", *files, stdin=stdin).stdout)


@pytest.fixture
def bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An invalid file in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    file = Path("my stacks", "größe, 100%.yaml")
    file.parent.mkdir()
    file.write_text(BAD, "utf-8")
    return file


@pytest.mark.parametrize("files", [(), ("-",), ("missing.yaml", EXAMPLES / "golden-image.yaml")])
def test_the_schema(bad: Path, files: tuple[str | Path, ...]) -> None:
    """The log is valid by the standard's schema, for any findings in any file."""
    assert validation_errors(log(*files or (bad,), stdin=BAD)) == []


def test_required_members(bad: Path) -> None:
    """The log has all members that GitHub requires, except fingerprints, which its action adds."""
    (run,) = log(bad, "missing.yaml")["runs"]
    assert run["tool"]["driver"]["name"]
    for rule in run["tool"]["driver"]["rules"]:
        texts = [rule[name]["text"] for name in ("shortDescription", "fullDescription", "help")]
        assert rule["id"]
        assert all(0 < len(text) <= 1024 for text in texts)
    assert run["results"]
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert result["message"]["text"]
        assert place["artifactLocation"]["uri"]
        assert all(place["region"][name] > 0 for name in ("startLine", "startColumn", "endLine", "endColumn"))


def test_rules_and_results(bad: Path) -> None:
    """The log has the tool's rules, and each result has its rule, level, message, and region, as in `--format json`."""
    (run,) = log(bad)["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert {rule["id"] for rule in rules} == {*CHECKS, *RULES}
    findings = json.loads(command("validate", "--format", "json", bad).stdout)["findings"]
    assert [one["id"] for one in findings] == ["E3003", "E9206", "E9307", "W9310"]
    for result, finding in zip(run["results"], findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding["id"]
        assert (result["level"], result["message"]["text"]) == (finding["severity"], finding["message"])
        assert result["locations"][0]["physicalLocation"]["region"] == {
            "startLine": finding["line"],
            "startColumn": finding["column"],
            "endLine": finding["line"],
            "endColumn": finding["endColumn"],
        }


def test_files_are_uris(bad: Path) -> None:
    """The URI of a file in the checkout is relative, so that code scanning finds it; other URIs are absolute."""
    places = [result["locations"][0]["physicalLocation"] for result in log(bad, bad.absolute())["runs"][0]["results"]]
    relative, absolute = "my%20stacks/gr%C3%B6%C3%9Fe%2C%20100%25.yaml", bad.absolute().as_uri()
    assert [place["artifactLocation"]["uri"] for place in places] == [relative] * 4 + [absolute] * 4
