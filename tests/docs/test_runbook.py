"""The runbook has an entry for every text with which a request can fail, and none for what nobody says any more."""

import re

from provider.errors import API_ERRORS
from tests.docs.failures import UNKNOWN, failures, log_lines
from tests.docs.page import DOCS, headings, rows

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
