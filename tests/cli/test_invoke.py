"""`python -m provider invoke`, run as a user runs it, and the smaller commands."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from tests.cli.commands import EVENTS, ROOT, command, process

OWN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden-image"


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("file", sorted(EVENTS.glob("*.json")), ids=lambda file: file.stem)
def test_every_sample_works_at_once(file: Path) -> None:
    """Each sample ends as its name says, with nothing else to prepare: FAILED where invalid, else SUCCESS."""
    ended = command("invoke", file)
    answer = json.loads(ended.stdout)
    invalid = "invalid" in file.stem
    assert (ended.status, answer["Status"]) == ((1, "FAILED") if invalid else (0, "SUCCESS")), ended.stderr


def test_answer_and_story_are_kept_apart() -> None:
    """Standard output has the answer alone; what was done first and what changed are on standard error."""
    ended = process("invoke", EVENTS / "update-tags.json")
    assert json.loads(ended.stdout)["PhysicalResourceId"] == OWN
    assert f"{OWN} was created first" in ended.stderr
    assert '~ Tags["Team"]: "platform" -> "images"' in ended.stderr
    assert "ResponseURL is not used" in ended.stderr


def test_event_from_standard_input() -> None:
    """`-` reads the event from standard input."""
    ended = command("invoke", "-", stdin=json.dumps(event("create-own")))
    assert json.loads(ended.stdout)["Status"] == "SUCCESS"


def test_empty_puts_nothing_there() -> None:
    """With --empty an adopted configuration is not made up, so that the function does not find it."""
    ended = command("invoke", EVENTS / "create-adopt.json", "--empty")
    assert ended.status == 1
    assert "team-images" in json.loads(ended.stdout)["Reason"]


def test_formerly_adopted_configuration_has_no_marks() -> None:
    """Where the old properties adopt, what was there before is somebody's, not the stack's."""
    ended = command("invoke", EVENTS / "update-adopt-to-own.json")
    assert "was created first, with placeholder content" in ended.stderr
    assert "image-builder-distribution-provider" in ended.stderr


def test_event_decides_the_region() -> None:
    """The emulator stands in the Region and account of the event's own ARNs, else of its stack."""
    moved = json.dumps(event("create-own")).replace("us-east-1", "eu-west-1").replace("123456789012", "210987654321")
    answer = json.loads(command("invoke", "-", stdin=moved).stdout)
    assert answer["PhysicalResourceId"].startswith("arn:aws:imagebuilder:eu-west-1:210987654321:")


def test_given_endpoint() -> None:
    """--endpoint-url works against that endpoint with the environment's credentials and Region."""
    with Emulator() as emulator:
        environment = {
            **emulator.environment(),
            "AWS_ENDPOINT_URL_IMAGEBUILDER": "http://127.0.0.1:9",
        }
        ended = process("invoke", EVENTS / "create-own.json", "--endpoint-url", emulator.url, **environment)
        assert ended.status == 0, ended.stdout + ended.stderr
        assert list(emulator.configurations) == [OWN]


def test_live_takes_botocores_environment() -> None:
    """--live leaves endpoint, Region and credentials to what botocore finds in the environment."""
    with Emulator() as emulator:
        ended = process("invoke", EVENTS / "create-own.json", "--live", **emulator.environment())
        assert ended.status == 0, ended.stdout + ended.stderr
        assert list(emulator.configurations) == [OWN]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("{", (), "is not JSON: line 1"),
        ("[]", (), "an event must be a JSON object"),
        ("{}", (), "it lacks RequestType"),
        ("{}", ("--live", "--endpoint-url", "http://127.0.0.1:9"), "exclude each other"),
        ("{}", ("--live", "--empty"), "--empty is for the emulator"),
        ("[" * 9000 + "]" * 9000, (), "standard input: is nested too deeply"),
        ("{}", ("--endpoint-url", "127.0.0.1:9"), "must have the form http://HOST:PORT"),
        ("{}", ("--endpoint-url", "ftp://127.0.0.1"), "must have the form http://HOST:PORT"),
        ("{}", ("--endpoint-url", "http://a:b"), "must have the form http://HOST:PORT"),
    ],
)
def test_mistakes_of_the_user(text: str, options: tuple[str, ...], said: str) -> None:
    """What is no event, and options that do not go together, end in status 2 with a message alone."""
    ended = command("invoke", "-", *options, stdin=text)
    assert ended.status == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "no Region is set: set AWS_REGION"),
        ({"AWS_REGION": "us-east-1"}, "no credentials found: set AWS_PROFILE"),
        ({"AWS_REGION": "us-east-1", "AWS_PROFILE": "nobody"}, "(nobody) could not be found: check AWS_PROFILE"),
    ],
)
def test_settings_that_botocore_lacks(environment: dict[str, str], said: str, tmp_path: Path) -> None:
    """Without a Region, credentials or the profile nothing is tried: status 2, and what to do."""
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(tmp_path), "HOME": str(tmp_path)}
    ended = process("invoke", EVENTS / "create-own.json", "--live", **nothing, **environment)
    assert (ended.status, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_function_that_cannot_answer() -> None:
    """An event to which the function gives no answer ends in status 1 and says what it raised."""
    ended = command("invoke", "-", stdin=json.dumps({**event("create-own"), "RequestId": ""}))
    assert ended.status == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.rstrip().splitlines()[-1].startswith(("The function", "CloudFormation"))


def test_emulate_serves_what_it_prints() -> None:
    """`emulate` prints exports and comments for a shell, and serves at the endpoint in them until it is ended."""
    running = subprocess.Popen(
        [sys.executable, "-u", "-m", "provider", "emulate", "--region", "eu-west-1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdout
        assert running.stderr
        try:
            said = "".join(running.stderr.readline() for _ in range(3))
            assert all(line.startswith("#") for line in said.splitlines())
            assert "redirect only Image Builder" in said
            assert "close that shell" in said
            exports = {}
            while "AWS_REGION" not in exports or "AWS_ENDPOINT_URL_IMAGEBUILDER" not in exports:
                name, _, value = running.stdout.readline().removeprefix("export ").strip().partition("=")
                exports[name] = value
            url = exports["AWS_ENDPOINT_URL_IMAGEBUILDER"]
            request = urllib.request.Request(f"{url}/ListDistributionConfigurations", b"{}", method="POST")
            with urllib.request.urlopen(request, timeout=10) as reply:
                assert reply.status == 200
        finally:
            running.terminate()


def test_version_and_help() -> None:
    """--version names the provider and botocore, and --help the commands."""
    assert "botocore" in command("--version").stdout
    shown = command("--help").stdout
    assert all(command in shown for command in ("rehearse", "invoke", "emulate"))


def test_help_is_fast_to_import() -> None:
    """Help needs no botocore: what is slow to import is imported where a command needs it."""
    code = (
        "import sys, provider.cli.main; print([name for name in ('botocore', 'boto3', 'yaml') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
