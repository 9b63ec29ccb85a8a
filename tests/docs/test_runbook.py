"""The runbook has an entry for every text with which a request can fail, and none for what nobody says any more."""

import re
import shlex
from itertools import pairwise
from typing import Any

import jmespath  # type: ignore[import-untyped]
import pytest
from botocore import xform_name
from botocore.session import get_session

from provider.errors import API_ERRORS
from provider.marker import CreationStatus
from provider.resources.ownership import Owner, State
from tests.docs.failures import UNKNOWN, failures, log_lines, undo_texts
from tests.docs.page import DOCS, commands, headings, rows

RUNBOOK = DOCS / "runbook.md"
ENTRIES = [heading.strip("`") for heading in headings(RUNBOOK) if heading.startswith("`")]
LINES = [row[0].strip("`") for row in rows(RUNBOOK, "Warnings")]


def matching(text: str, patterns: list[str]) -> list[str]:
    """The patterns that a text fits: `…` stands for anything, and at the end of a pattern for nothing, too."""
    found = []
    for pattern in patterns:
        whole = re.escape(pattern).replace(UNKNOWN, ".+")
        if re.fullmatch(f"{whole}(: .+)?", text):
            found.append(pattern)
    return found


def test_every_failure_has_one_entry() -> None:
    """Each text that is raised or answered fits the heading of exactly one entry."""
    texts = failures()
    assert len(texts) > 30
    assert {text: matching(text, ENTRIES) for text in texts if len(matching(text, ENTRIES)) != 1} == {}


def test_every_entry_is_said_by_the_code() -> None:
    """Each entry's heading fits a text that is raised or answered, and stands once."""
    said = {entry for text in failures() for entry in matching(text, ENTRIES)}
    assert sorted(said) == sorted(ENTRIES)


def test_every_warning_is_explained() -> None:
    """The table has each line that is logged as a warning or an error and has no entry, and no other one."""
    assert {text for text in log_lines() if not matching(text, ENTRIES)} == set(LINES)


def test_every_error_code_is_explained() -> None:
    """The table of error codes has those that mean something particular to the provider, and no other ones."""
    assert {row[0].strip("`") for row in rows(RUNBOOK, "Error codes of the API")} == set(API_ERRORS)


def test_every_text_of_an_undo_is_explained() -> None:
    """The table of how a reason may go on has each text about what a failed request undid, and no other one."""
    assert {row[0].strip("`") for row in rows(RUNBOOK, "How a reason may go on")} == undo_texts()


def test_every_marker_is_explained() -> None:
    """The table of markers has the statuses that a marker can have, and no other ones."""
    statuses = {status.value for status in CreationStatus}
    assert {row[0].strip("`") for row in rows(RUNBOOK, "Physical IDs that are not ARNs")} == statuses


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_every_status_that_needs_a_person_is_explained(status: str) -> None:
    """Each stack status that only a person can end has an entry."""
    assert f"Status `{status}`" in headings(RUNBOOK)


COMMANDS = commands(RUNBOOK)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_of_the_aws_cli(command: str) -> None:
    """Each command calls an operation or a waiter that exists, with that operation's own options and a valid query."""
    aws, service, name, *rest = shlex.split(command)
    assert aws == "aws"
    client: Any = get_session().create_client(service, region_name="us-east-1")
    if name == "wait":
        waiter = client.get_waiter(rest.pop(0).replace("-", "_"))
        name = xform_name(waiter.config.operation, "-")
    operation = next(one for one in client.meta.service_model.operation_names if xform_name(one, "-") == name)
    members = client.meta.service_model.operation_model(operation).input_shape.members
    options = {f"--{xform_name(member, '-')}" for member in members} | {"--query", "--output"}
    assert {word for word in rest if word.startswith("--")} <= options
    for option, value in pairwise(rest):
        if option == "--query":
            jmespath.compile(value)


def test_the_query_finds_what_has_ownership_tags() -> None:
    """The query of the list prints the configurations that carry ownership tags, and no other ones."""
    [query] = [shlex.split(one)[-1] for one in COMMANDS if "list-distribution-configurations" in one]
    tags = Owner("arn:stack", "Golden").tags(State.UNFINISHED)
    listed = [{"arn": "arn:one", "tags": tags}, {"arn": "arn:two", "tags": {"team": "a"}}, {"arn": "arn:three"}]
    assert jmespath.search(query, {"distributionConfigurationSummaryList": listed}) == [["arn:one", tags]]
