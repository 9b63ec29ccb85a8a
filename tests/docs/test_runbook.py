"""The runbook has an entry for each text with which a request can fail, and no other entries."""

import re
import shlex
from itertools import pairwise
from typing import Any

import jmespath  # type: ignore[import-untyped]  # it has no type information
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
    """Return the patterns that match a text. `…` matches any text; at the end of a pattern, also the empty text."""
    found = []
    for pattern in patterns:
        whole = re.escape(pattern).replace(UNKNOWN, ".+")
        if re.fullmatch(f"{whole}(: .+)?", text):
            found.append(pattern)
    return found


def test_every_failure_has_one_entry() -> None:
    """Each text of an error or response matches the heading of exactly one entry."""
    texts = failures()
    assert len(texts) > 30
    assert {text: matching(text, ENTRIES) for text in texts if len(matching(text, ENTRIES)) != 1} == {}


def test_every_entry_matches_a_text() -> None:
    """Each entry's heading is unique and matches a text of an error or response."""
    matched = {entry for text in failures() for entry in matching(text, ENTRIES)}
    assert sorted(matched) == sorted(ENTRIES)


def test_every_warning_is_explained() -> None:
    """The table lists each warning and error of the log that has no entry, and no others."""
    assert {text for text in log_lines() if not matching(text, ENTRIES)} == set(LINES)


def test_every_error_code_is_explained() -> None:
    """The table of error codes lists those that the provider handles specifically, and no others."""
    assert {row[0].strip("`") for row in rows(RUNBOOK, "Error codes of the API")} == set(API_ERRORS)


def test_every_text_of_an_undo_is_explained() -> None:
    """The table of what can follow a reason lists each text about undoing a failed request, and no others."""
    assert {row[0].strip("`") for row in rows(RUNBOOK, "Text that can follow a reason")} == undo_texts()


def test_every_marker_is_explained() -> None:
    """The table of markers lists the statuses that a marker can have, and no others."""
    statuses = {status.value for status in CreationStatus}
    assert {row[0].strip("`") for row in rows(RUNBOOK, "Physical IDs that are not ARNs")} == statuses


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_every_status_that_needs_a_person_is_explained(status: str) -> None:
    """Each stack status that requires manual action has an entry."""
    assert f"Status `{status}`" in headings(RUNBOOK)


COMMANDS = commands(RUNBOOK)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_valid_for_the_aws_cli(command: str) -> None:
    """Each command names an existing operation or waiter, valid options, and a valid query."""
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


def test_the_query_finds_ownership_tags() -> None:
    """The query prints the configurations that carry ownership tags, and no others."""
    [query] = [shlex.split(one)[-1] for one in COMMANDS if "list-distribution-configurations" in one]
    tags = Owner("arn:stack", "Golden").tags(State.UNFINISHED)
    listed = [{"arn": "arn:one", "tags": tags}, {"arn": "arn:two", "tags": {"team": "a"}}, {"arn": "arn:three"}]
    assert jmespath.search(query, {"distributionConfigurationSummaryList": listed}) == [["arn:one", tags]]
