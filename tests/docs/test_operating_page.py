"""docs/operating.md matches the alarms in the template and the lines in the log."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from provider import last_resort
from provider.emulator.faults import Fault
from provider.errors import API_ERRORS, Outcome
from provider.template.sections import load
from tests.docs.page import DOCS, ROOT, blocks, rows
from tests.ledger import log_lines
from tests.stack import ARN, Context, Resource, ami

PAGE = DOCS / "operating.md"
QUERIES = [block.text for block in blocks(PAGE) if block.text.startswith("filter ")]
REQUEST_ID = "11111111-0000-4000-8000-000000000000"

_WORDS = {"filter", "fields", "display", "stats", "sort", "limit", "unnest"}
_WORDS |= {"and", "or", "like", "as", "by", "into", "asc", "desc"}
_COMPARED = re.compile(r'(\w+) (?:=|like) (?:"([^"]*)"|/([^/]*)/)')
_NAME = re.compile(r"(?<![@\w.])[a-z_][\w.]*(?!\w*\()")


@pytest.fixture
def lines(
    resource: Resource,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> list[dict[str, Any]]:
    """Log lines of both functions: changes, rejected, throttled, and unanswered requests, skipped Deletes, sweeps."""
    resource.create(REQUEST_ID, Name="golden", Description="old", Distributions=[ami()])
    resource.emulator.fail("UpdateDistributionConfiguration", Fault.GARBAGE, after=True)
    resource.update(Name="golden", Description="new", Distributions=[ami(), ami("eu-west-1")])
    resource.update(Name="golden", Distributions=[{}])
    adopter = resource.sibling("Adopter")
    adopter.create(DistributionConfigurationArn=f"{ARN}golden", Distributions=[ami()])
    resource.send("Delete", {"Name": "golden"}, physical_id=f"{ARN}golden")
    resource.send("Delete", {"Name": "golden", "OnDelete": "nonsense"}, physical_id=f"{ARN}golden")
    limit = "CallRateLimitExceededException"
    resource.emulator.fail_with("GetDistributionConfiguration", limit, 429, "Rate exceeded", times=1000)
    resource.context = Context(milliseconds=1500)
    resource.update(Name="golden", Description="newer", Distributions=[ami()])
    assert resource.slot is not None
    keys = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId")
    event = dict.fromkeys(keys, "x") | {"RequestType": "Update", "ResponseURL": resource.slot.url}
    last_resort.handler({"requestPayload": event}, Context())
    resource.emulator.reset_faults()
    resource.emulator.remove(f"{ARN}golden")
    log_lines.write(resource.emulator, Context(milliseconds=120_000), monkeypatch)
    # Lambda's own JSON format, for a function that sets up no logger.
    plain = [{"message": record.getMessage()} for record in caplog.records if record.name == last_resort.__name__]
    return [*map(json.loads, capsys.readouterr().out.splitlines()), *plain]


def flat(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line's fields, and those of its changes with the prefix `changes.`."""
    changes = line.get("changes", [])
    return {**line} | {f"changes.{name}": value for change in changes for name, value in change.items()}


def used(query: str) -> Iterator[str]:
    """Return the fields of a log line that a query uses. Aliases in the query are resolved."""
    bare = re.sub(r'"[^"]*"|/[^/\n]*/', "", query)
    given = {"line": "", "change": "changes."} | dict.fromkeys(re.findall(r"\) (?:/ \d+ )?as (\w+)", bare), "")
    for name in _NAME.findall(bare):
        first, _, rest = name.partition(".")
        if first in given:
            yield from [given[first] + rest] if rest else []
        elif name not in _WORDS:
            yield name


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_each_query_uses_existing_fields(query: str, lines: list[dict[str, Any]]) -> None:
    """Each field in a query exists in the log, and each value that it searches for occurs."""
    known = {name for line in lines for name in flat(line)}
    fields = set(used(query))
    assert fields
    assert fields <= known
    for field, text, pattern in _COMPARED.findall(query):
        assert any(re.search(pattern or re.escape(text), str(line.get(field, ""))) for line in lines), field


def test_the_query_covers_every_throttling_code() -> None:
    """The query for throttled requests finds each error code that counts as throttling."""
    [pattern] = [found for query in QUERIES for _, _, found in _COMPARED.findall(query) if "Throttling" in found]
    codes = [code for code, error in API_ERRORS.items() if error.outcome is Outcome.THROTTLED]
    assert len(codes) > 2
    assert [code for code in codes if not re.search(pattern, code)] == []


def test_every_alarm_is_explained() -> None:
    """The page's table lists the alarms of the template, and no others."""
    resources = load(ROOT / "template.yaml").resources
    alarms = {name for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    assert {row[0].strip("`") for row in rows(PAGE, "Alarms and logs")} == alarms
