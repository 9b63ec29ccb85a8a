"""The corpus: templates with comments that name the expected findings on each line."""

import json
import os
import re
import subprocess
import sys
import uuid
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from provider.aws.roles import ASSUMABLE_ROLES
from provider.lint.catalog import CHECKS
from provider.lint.resource_matching import provider_resources
from provider.stack_engine.deployment import Deployment
from provider.stack_engine.records import StackLocation
from provider.template.reader import read
from provider.template.sections import load
from provider.template.structure import RULES
from tests.cli.commands import ROOT, command
from tests.stack import STACK_ID, Resource

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.yaml"))
LOCATION = StackLocation("us-east-1", "123456789012", "images", STACK_ID)
NOT_IN_EVENTS = {*RULES, "E9105", "E9106", "E9312", "W9314"}
"""Findings that no event causes, or no single event."""

each_template = pytest.mark.parametrize("template", CORPUS, ids=lambda path: path.stem)


class Finding(NamedTuple):
    line: int
    column: int
    id: str
    message: str


def expected(template: Path) -> list[tuple[int, str]]:
    """The findings in the comments: line and ID."""
    lines = template.read_text("utf-8").splitlines()
    return sorted(
        (number, id_) for number, line in enumerate(lines, 1) for id_ in re.findall(r"\b[EW]\d{4}\b", line)
    )  # fmt: skip


def validated(template: Path) -> set[Finding]:
    report = json.loads(command("validate", "--format", "json", template).stdout)
    return {Finding(one["line"], one["column"], one["id"], one["message"]) for one in report["findings"]}


@cache
def linted() -> dict[str, set[Finding]]:
    """The findings of the provider's rules in cfn-lint for the whole corpus, from one process."""
    found: dict[str, set[Finding]] = {str(template): set() for template in CORPUS}
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command_line = [cfn_lint, "-a", "provider.lint", "--format", "json", "--", *map(str, CORPUS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command_line, env=environment, capture_output=True, text=True, check=False)
    for match in json.loads(ended.stdout):
        assert match["Rule"]["Id"] != "E0002", match  # the rule raised an error
        if match["Rule"]["Id"] in CHECKS:
            start = match["Location"]["Start"]
            finding = Finding(start["LineNumber"], start["ColumnNumber"], match["Rule"]["Id"], match["Message"])
            found[match["Filename"]].add(finding)
    return found


def created(name: str, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "RequestType": "Create",
        "ServiceToken": properties["ServiceToken"],
        "StackId": STACK_ID,
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": name,
        "ResourceType": kind,
        "ResourceProperties": properties,
    }


def reported_by_the_handler(template: Path, resource: Resource, captured: pytest.CaptureFixture[str]) -> set[str]:
    """The errors and warnings for a Create of each resource with each combination of parameter values."""
    loaded = load(template)
    allowed = [parameter.get("AllowedValues", [parameter.get("Default")]) for parameter in loaded.parameters.values()]
    for values in product(*allowed):
        deployment = Deployment(loaded, dict(zip(loaded.parameters, values, strict=True)), LOCATION, {})
        for (*_, name), declared in provider_resources({"Resources": loaded.resources}).items():
            if name in deployment.order:
                resource.deliver(created(str(name), declared["Type"], deployment.properties(str(name))))
    lines: list[dict[str, Any]] = [json.loads(line) for line in captured.readouterr().out.splitlines()]
    errors = [line["details"] for line in lines if "no API calls were made" in line.get("reason", "")]
    return {text for texts in [*errors, *(line.get("warnings", []) for line in lines)] for text in texts}


def as_deployed(message: str) -> str:
    """A message with the values of references, and without the values of parameters."""
    here = {"AWS::Region": LOCATION.region, "AWS::Partition": "aws"}
    for name, value in here.items():
        message = message.replace(f"!Ref {name}", value).replace(f"${{{name}}}", value)
    return re.sub(r" \(if .*\)$", "", message)


def test_every_check_is_in_the_corpus() -> None:
    """For each ID there is a template with such a finding."""
    assert {id_ for template in CORPUS for _, id_ in expected(template)} >= set(CHECKS)


@each_template
def test_validate_reports_the_expected_findings(template: Path) -> None:
    """`validate` reports exactly the findings in the template's comments, on their lines."""
    assert sorted((one.line, one.id) for one in validated(template)) == expected(template)


@each_template
def test_cfn_lint_reports_the_same(template: Path) -> None:
    """cfn-lint reports the same findings as `validate`, with the same messages, IDs, lines, and columns."""
    assert linted()[str(template)] == {one for one in validated(template) if one.id in CHECKS}


def test_json_has_the_same_findings(tmp_path: Path) -> None:
    """The same templates in JSON, indented with tabs, have the same findings."""
    for template in CORPUS:
        json_template = tmp_path / f"{template.stem}.json"
        json_template.write_text(json.dumps(read(template.read_bytes()).tree, indent="\t"), "utf-8")
        # In JSON, all text has quotes.
        assert {one[2:] for one in validated(json_template)} == {
            one[2:] for one in validated(template) if one.id != "W9208"
        }


@each_template
def test_the_handler_reports_the_same(
    template: Path, resource: Resource, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deployments with all allowed values of the parameters together report exactly the same messages."""
    monkeypatch.setenv(ASSUMABLE_ROLES, "*")
    if NOT_IN_EVENTS & {id_ for _, id_ in expected(template)}:
        pytest.skip("CloudFormation rejects it, or only two events together show it")
    # No event shows whether a value had quotes.
    predicted = {as_deployed(one.message) for one in validated(template) if one.id != "W9208"}
    assert reported_by_the_handler(template, resource, capsys) == predicted
