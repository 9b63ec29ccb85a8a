"""`invoke` and `emulate`, run as a user runs them."""

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
def test_every_sample_works_without_preparation(file: Path) -> None:
    """Each sample event ends as its name says: invalid ones with FAILED, all others with SUCCESS."""
    ended = command("invoke", file)
    answer = json.loads(ended.stdout)
    invalid = "invalid" in file.stem
    assert (ended.status, answer["Status"]) == ((1, "FAILED") if invalid else (0, "SUCCESS")), ended.stderr


def test_response_and_progress_are_separate() -> None:
    """Standard output has only the response; preparations and changes are on standard error."""
    ended = process("invoke", EVENTS / "update-tags.json")
    assert json.loads(ended.stdout)["PhysicalResourceId"] == OWN
    assert f"{OWN} was created first" in ended.stderr
    assert '~ Tags["Team"]: "platform" -> "images"' in ended.stderr
    assert "ResponseURL is not used" in ended.stderr


def test_event_from_standard_input() -> None:
    """`-` reads the event from standard input."""
    ended = command("invoke", "-", stdin=json.dumps(event("create-own")))
    assert json.loads(ended.stdout)["Status"] == "SUCCESS"


def test_empty_creates_no_configurations() -> None:
    """With --empty, an adopted configuration is not created, so the function does not find it."""
    ended = command("invoke", EVENTS / "create-adopt.json", "--empty")
    assert ended.status == 1
    assert "team-images" in json.loads(ended.stdout)["Reason"]


def test_formerly_adopted_configuration_has_no_ownership_tags() -> None:
    """If the old properties adopt, the existing configuration has no ownership tags."""
    ended = command("invoke", EVENTS / "update-adopt-to-own.json")
    assert "was created first, with placeholder content" in ended.stderr
    assert "image-builder-distribution-provider" in ended.stderr


def test_event_decides_the_region() -> None:
    """The emulator has the Region and account of the ARNs in the event, else those of its stack."""
    moved = json.dumps(event("create-own")).replace("us-east-1", "eu-west-1").replace("123456789012", "210987654321")
    answer = json.loads(command("invoke", "-", stdin=moved).stdout)
    assert answer["PhysicalResourceId"].startswith("arn:aws:imagebuilder:eu-west-1:210987654321:")


def test_given_endpoint() -> None:
    """--endpoint-url uses that endpoint with the credentials and Region in the environment."""
    with Emulator() as emulator:
        environment = {
            **emulator.environment(),
            "AWS_ENDPOINT_URL_IMAGEBUILDER": "http://127.0.0.1:9",
        }
        ended = process("invoke", EVENTS / "create-own.json", "--endpoint-url", emulator.url, **environment)
        assert ended.status == 0, ended.stdout + ended.stderr
        assert list(emulator.configurations) == [OWN]


def test_live_takes_botocores_environment() -> None:
    """--live uses the endpoint, Region, and credentials that botocore finds in the environment."""
    with Emulator() as emulator:
        ended = process("invoke", EVENTS / "create-own.json", "--live", **emulator.environment())
        assert ended.status == 0, ended.stdout + ended.stderr
        assert list(emulator.configurations) == [OWN]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("{", (), "is not JSON: line 1"),
        ("[]", (), "an event must be a JSON object"),
        ("{}", (), "it lacks RequestType"),
        ("{}", ("--live", "--endpoint-url", "http://127.0.0.1:9"), "cannot be used together"),
        ("{}", ("--live", "--empty"), "--empty works only with the emulator"),
        ("[" * 9000 + "]" * 9000, (), "standard input: is nested too deeply"),
        ("{}", ("--endpoint-url", "127.0.0.1:9"), "must have the form http://HOST:PORT"),
        ("{}", ("--endpoint-url", "ftp://127.0.0.1"), "must have the form http://HOST:PORT"),
        ("{}", ("--endpoint-url", "http://a:b"), "must have the form http://HOST:PORT"),
    ],
)
def test_user_errors(text: str, options: tuple[str, ...], message: str) -> None:
    """An invalid event, or options that cannot be used together, end with status 2 and only a message."""
    ended = command("invoke", "-", *options, stdin=text)
    assert ended.status == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "no Region is set: set AWS_REGION"),
        ({"AWS_REGION": "us-east-1"}, "no credentials found: set AWS_PROFILE"),
        ({"AWS_REGION": "us-east-1", "AWS_PROFILE": "nobody"}, "(nobody) could not be found: check AWS_PROFILE"),
    ],
)
def test_missing_settings(environment: dict[str, str], message: str, tmp_path: Path) -> None:
    """Without a Region, credentials, or the profile, the status is 2, and the message says what to do."""
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(tmp_path), "HOME": str(tmp_path)}
    ended = process("invoke", EVENTS / "create-own.json", "--live", **nothing, **environment)
    assert (ended.status, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr


def test_function_that_sends_no_response() -> None:
    """If the function sends no response, the status is 1, and the message has the exception."""
    ended = command("invoke", "-", stdin=json.dumps({**event("create-own"), "RequestId": ""}))
    assert ended.status == 1
    assert "Traceback" not in ended.stderr
    assert ended.stderr.rstrip().splitlines()[-1].startswith(("The function", "CloudFormation"))


def test_emulate_serves_what_it_prints() -> None:
    """`emulate` prints exports for a shell, and serves at their endpoint until it is stopped."""
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
            message = "".join(running.stderr.readline() for _ in range(5))
            assert all(line.startswith("#") for line in message.splitlines())
            assert "redirect only Image Builder and STS" in message
            assert "close that shell" in message
            assert "All Regions and accounts are served" in message
            exports: dict[str, str] = {}
            while not {"AWS_REGION", "AWS_ENDPOINT_URL_IMAGEBUILDER", "AWS_ENDPOINT_URL_STS"} <= {*exports}:
                name, _, value = running.stdout.readline().removeprefix("export ").strip().partition("=")
                exports[name] = value
            url = exports["AWS_ENDPOINT_URL_IMAGEBUILDER"]
            assert exports["AWS_ENDPOINT_URL_STS"] == url
            request = urllib.request.Request(f"{url}/ListDistributionConfigurations", b"{}", method="POST")
            with urllib.request.urlopen(request, timeout=10) as reply:
                assert reply.status == 200
        finally:
            running.terminate()


def test_version_and_help() -> None:
    """--version shows the versions of the provider and botocore, and --help the commands."""
    assert "botocore" in command("--version").stdout
    shown = command("--help").stdout
    assert all(command in shown for command in ("rehearse", "invoke", "emulate"))


def test_help_is_fast_to_import() -> None:
    """Help does not import botocore: slow imports happen only in the commands that need them."""
    code = (
        "import sys, provider.cli.main; print([name for name in ('botocore', 'boto3', 'yaml') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
