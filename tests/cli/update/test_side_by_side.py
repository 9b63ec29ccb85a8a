"""Compares the AWS CLI and this command: the same request, output, and status, or a reason for the difference.

The installed AWS CLI is version 1. Where the versions differ, the command follows version 2's documentation: a return
code for each kind of error, YAML, no output for `off`, and three attempts (botocore's standard retry mode) instead of
five.
"""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from provider.emulator.emulator import Emulator
from provider.schema.model import UPDATE
from tests.cli.update.both import ARN, AWS, DISTRIBUTIONS, NAME, OURS, run

JSON = json.dumps(DISTRIBUTIONS)
TARGET = ("--distribution-configuration-arn", ARN)
FULL = (*TARGET, "--distributions", JSON)
INPUT = json.dumps(
    {"distributionConfigurationArn": ARN, "description": "from the input", "distributions": DISTRIBUTIONS}
)
SHORTHAND = (
    f'region=us-east-1,amiDistributionConfiguration={{name="{NAME}",targetAccountIds=123456789012}}',
    "region=eu-west-1,launchTemplateConfigurations=[{launchTemplateId=lt-0123456789abcdef0,setDefaultVersion=false}]",
)
CONFIG = """
[profile tables]
output = table
region = us-east-1
aws_access_key_id = emulator
aws_secret_access_key = emulator
"""

V1_STATUS = {0: {0}, 252: {2, 255}, 253: {255}, 254: {255}, 255: {255}}
"""The possible exit statuses of version 1, by the status of version 2 and this command."""

OWN_USAGE = "This command prints its own usage, not that of aws, on more than one line."
ALL_ERRORS = "This command reports all errors, including those by the service's rules; botocore reports only its own."
OTHER_LOG = "The debug logs show different internals."
HAS_WARNING = "This command warns about a list without a Region."
FOUND_BEFORE = "This command finds errors before the call that the service would reject."


class Case(NamedTuple):
    """Arguments and the expected outcome. A string in `stderr` or `requests` is the reason for a difference."""

    name: str
    arguments: tuple[str, ...]
    status: int = 0
    stderr: str = ""
    requests: str = ""
    order: Callable[[Emulator], object] = lambda _: None
    environment: Mapping[str, str | None] = {}


CASES = (
    Case("inline JSON", FULL),
    Case("every member", (*TARGET, "--distributions", json.dumps(DISTRIBUTIONS[0]),
                          "--description", "file://description.txt", "--client-token", "a-token")),
    Case("shorthand", (*TARGET, "--distributions", *SHORTHAND, "--output", "text")),
    Case("empty list", (*TARGET, "--distributions", "--description", "a"), stderr=HAS_WARNING),
    Case("input in a file", ("--cli-input-json", "file://~/input.json", "--query", "[clientToken, {a: [requestId]}]")),
    Case("input and options", ("--cli-input-json", INPUT, "--description", "from the option")),
    Case("table", (*FULL, "--output", "table", "--color", "on", "--no-sign-request", "--cli-read-timeout", "0")),
    Case("query for a scalar", (*FULL, "--query", "distributionConfigurationArn", "--output", "text")),
    Case("query for a structure", (*FULL, "--query", "{a: requestId, b: {c: clientToken}}", "--output", "table")),
    Case("query for a list", (*TARGET, "--distributions", "file://distributions.json",
                              "--query", "[requestId, clientToken]", "--output", "text", "--no-paginate")),
    Case("profile's output", (*FULL, "--profile", "tables")),
    Case("sample response", (*FULL, "--generate-cli-skeleton", "output")),
    Case("debug", (*FULL, "--debug"), stderr=OTHER_LOG),
    Case("throttled once", (*FULL, "--query", "nothing", "--cli-connect-timeout", "5"),
         order=lambda emulator: emulator.fail_with(UPDATE, "ThrottlingException", 429, "Rate exceeded")),
    Case("not found", (*TARGET[:1], f"{ARN}-not", *FULL[2:]), 254),
    Case("always throttled", FULL, 254, environment={"AWS_MAX_ATTEMPTS": "2"},
         order=lambda emulator: emulator.fail_with(UPDATE, "ThrottlingException", 429, "Rate exceeded", times=9)),
    Case("unreachable", (*FULL, "--endpoint-url", "http://127.0.0.1:1"), 255, environment={"AWS_MAX_ATTEMPTS": "1"}),
    Case("no Region", FULL, 253, environment={"AWS_REGION": None, "AWS_DEFAULT_REGION": None}),
    Case("no credentials", FULL, 253, environment={"AWS_ACCESS_KEY_ID": None}),
    Case("unknown profile", (*FULL, "--profile", "nobody"), 255),
    Case("bad JSON", (*TARGET, "--distributions", "[{"), 252),
    Case("bad shorthand", (*TARGET, "--distributions", "region=us-east-1,region=eu-west-1"), 252),
    Case("no file", (*TARGET, "--distributions", "file://nowhere.json"), 252),
    Case("an option missing", TARGET, 252, OWN_USAGE),
    Case("unknown option", (*FULL, "--dropped", "1"), 252, OWN_USAGE),
    Case("unknown output", (*FULL, "--output", "pdf"), 252, OWN_USAGE),
    Case("bad query", (*FULL, "--query", "["), 252, OWN_USAGE),
    Case("model's constraints", (*TARGET, "--distributions", '[{"Region": 1}]'), 252, ALL_ERRORS),
    Case("a Region twice", (*TARGET, "--distributions", *SHORTHAND[1:], *SHORTHAND[1:]), 252, ALL_ERRORS, FOUND_BEFORE),
    Case("service's rules", (*TARGET, "--distributions", "region=us-east-1,amiDistributionConfiguration={name=golden}"),
         252, ALL_ERRORS, FOUND_BEFORE),
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory with profiles and the files that the cases use."""
    result = tmp_path_factory.mktemp("home")
    (result / ".aws").mkdir()
    (result / ".aws" / "config").write_text(CONFIG, "utf-8")
    (result / "distributions.json").write_text(JSON, "utf-8")
    (result / "input.json").write_text(INPUT, "utf-8")
    (result / "description.txt").write_text("Über alles, in a file\n", "utf-8")
    return result


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_same_as_the_aws_cli(case: Case, home: Path) -> None:
    """The same arguments give the same request, output, and status of version 2, unless the case has a reason."""
    with ThreadPoolExecutor(2) as both:
        theirs, ours = both.map(
            lambda command: run(command, case.arguments, home, case.order, case.environment), (AWS, OURS)
        )
    assert ours.status == case.status, ours.stderr
    assert theirs.status in V1_STATUS[case.status]
    assert ours.stdout == theirs.stdout
    if case.stderr:
        assert ours.stderr != theirs.stderr
        assert "Traceback" not in ours.stderr
    else:
        assert ours.stderr == theirs.stderr
    if case.requests:
        assert len(ours.requests) < len(theirs.requests)
    else:
        assert ours.requests == theirs.requests
