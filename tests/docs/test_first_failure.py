"""docs/first-failure.md: its reasons are the provider's, its commands are valid, and its report is that of verify."""

import re
import shlex
from pathlib import Path

import jmespath  # type: ignore[import-untyped]  # it has no type information
import pytest

from provider.cli.verify_command import verify
from provider.emulator.faults import Fault
from provider.template.reader import read
from provider.template.sections import load
from tests.cli.commands import command
from tests.docs.page import DOCS, ROOT, blocks, commands, rows
from tests.stack import Resource, ami

PAGE = DOCS / "first-failure.md"
TEXTS = [block.text.strip() for block in blocks(PAGE) if block.language == "text"]
_REQUEST_ID = r"API request ID [-0-9a-f]{36}"
(TEMPLATE,) = [block.text for block in blocks(PAGE) if block.language == "yaml"]


def test_the_typo_is_reported_as_shown(resource: Resource, tmp_path: Path) -> None:
    """The template's Create fails with the reason that the page shows, and validate prints the finding as shown."""
    tree = read(TEMPLATE.encode()).tree
    assert isinstance(tree, dict)
    properties = tree["Resources"]["GoldenImage"]["Properties"]
    response = resource.create(**{name: value for name, value in properties.items() if name != "ServiceToken"})
    assert response.status == "FAILED"
    assert response.reason == TEXTS[0]
    assert resource.emulator.requests == []
    file = tmp_path / "stack.yaml"
    file.write_text(TEMPLATE, "utf-8")
    finding = command("validate", file).stdout.splitlines()[0].replace(str(file), "stack.yaml")
    assert finding in PAGE.read_text("utf-8")


def test_the_corrected_template_is_accepted(tmp_path: Path) -> None:
    """With the name that the message suggests, the template has no problems."""
    file = tmp_path / "stack.yaml"
    file.write_text(TEMPLATE.replace("LaunchPermissions", "LaunchPermission"), "utf-8")
    assert command("validate", file).status == 0


def test_a_denied_call_is_reported_as_shown(resource: Resource) -> None:
    """If the role may not create the configuration, the reason is the one on the page."""
    resource.emulator.fail("CreateDistributionConfiguration", Fault.DENIED, times=1000)
    response = resource.create(Name="golden", Distributions=[ami()])
    assert response.status == "FAILED"
    assert re.sub(_REQUEST_ID, "", response.reason) == re.sub(_REQUEST_ID, "", TEXTS[1])


def test_each_beginning_leads_to_a_section() -> None:
    """The table of reasons names the beginnings of the reasons above, and the parameters are the provider's."""
    beginnings = [re.sub(r"`|…", "", row[0]).strip() for row in rows(PAGE, "Where to look first")]
    assert all(any(start in text for start in beginnings) for text in TEXTS)
    parameters = load(ROOT / "template.yaml").parameters
    named = {name for row in rows(PAGE, "A missing permission") for name in re.findall(r"`([A-Z]\w+)`", row[1])}
    assert named <= parameters.keys()
    assert len(named) > 5


@pytest.mark.parametrize("line", [line for line in commands(PAGE) if line.startswith("aws ")])
def test_each_query_is_valid(line: str) -> None:
    """The query in a command of the AWS CLI selects the failed resources, the first one first."""
    words = shlex.split(line)
    if "--query" not in words:
        return
    events = [
        {"LogicalResourceId": "B", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "canceled"},
        {"LogicalResourceId": "A", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "cause"},
        {"LogicalResourceId": "A", "ResourceStatus": "CREATE_IN_PROGRESS"},
    ]
    query = words[words.index("--query") + 1]
    assert jmespath.search(query, {"StackEvents": events}) == [["A", "cause"], ["B", "canceled"]]


def test_verify_s_options_and_statuses_are_those_of_the_command() -> None:
    """The options that the page names exist, and the exit statuses are those of --help."""
    options = {option for parameter in verify.params for option in parameter.opts}
    assert {"--name", "--stack-name", "--format"} <= options
    statuses = {row[0] for row in rows(PAGE, "Does the provider work?")}
    assert statuses == set(re.findall(r"^  (\d+) ", verify.epilog or "", re.MULTILINE))
