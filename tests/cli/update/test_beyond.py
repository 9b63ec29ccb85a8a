"""The features of the command that the AWS CLI lacks: findings, differences, the dry run, and version 2's options."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import pytest
from botocore import xform_name

from provider.cli.awscli.options import IGNORED
from provider.cli.main import main
from provider.emulator.emulator import Emulator, Fault
from provider.schema.model import UPDATE, operation
from tests.cli.commands import ROOT, Ended, command, process

NAME = "golden {{ imagebuilder:buildDate }}"
DISTRIBUTIONS = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}]
CERTIFICATE = ROOT / "tests" / "emulator" / "test_emulator.pem"
GET = "GetDistributionConfiguration"

THE_AWS_CLIS = (
    "--cli-input-json", "--cli-input-yaml", "--generate-cli-skeleton", "--debug", "--endpoint-url", "--no-verify-ssl",
    "--no-paginate", "--output", "--query", "--profile", "--region", "--version", "--color", "--no-sign-request",
    "--ca-bundle", "--cli-read-timeout", "--cli-connect-timeout", "--cli-binary-format", "--no-cli-pager",
    "--cli-auto-prompt", "--no-cli-auto-prompt",
)  # fmt: skip
"""The options of any command of the AWS CLI, version 2, by its reference."""


@pytest.fixture
def arn(emulator: Emulator) -> str:
    """The ARN of an existing configuration."""
    return emulator.seed(name="golden", description="was there", distributions=DISTRIBUTIONS)


def update(*arguments: str, **members: Any) -> Ended:
    """Run the command in this process with these members as its input."""
    given = ("--cli-input-json", json.dumps(members)) if members else ()
    return command("update-distribution-configuration", *given, *arguments)


def on_a_terminal(arn: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run the command in a process whose standard error is a terminal: status, standard output, and standard error."""
    ours, its = pty.openpty()
    input_ = json.dumps({"distributionConfigurationArn": arn, "distributions": DISTRIBUTIONS})
    running = subprocess.Popen(
        [sys.executable, "-m", "provider", "update-distribution-configuration", "--cli-input-json", input_, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=its,
        text=True,
    )
    os.close(its)
    shown = bytearray()

    def read() -> None:
        try:
            while part := os.read(ours, 4096):
                shown.extend(part)
        except OSError:
            # Linux's way to say that the other end is closed.
            pass

    reader = threading.Thread(target=read)
    reader.start()
    stdout, _ = running.communicate(timeout=60)
    reader.join()
    os.close(ours)
    return running.returncode, stdout, shown.decode().replace("\r\n", "\n")


def test_every_option_of_the_aws_cli_is_there() -> None:
    """The command has the operation's name, its members, and the AWS CLI's global options."""
    ours = main.commands[xform_name(UPDATE, "-")]
    context = click.Context(ours, help_option_names=["-h", "--help"])  # as main has them: click remembers the first
    options = {option for param in ours.get_params(context) for option in param.opts}
    members = {f"--{xform_name(member, '-')}" for member in operation(UPDATE).members}
    assert options - {"-h"} == {*THE_AWS_CLIS, *members, "--cli-error-format", "--dry-run", "--help"}


def test_a_query_that_does_not_fit(arn: str, emulator: Emulator) -> None:
    """A query that cannot be applied to the response is reported after the call, with status 255."""
    ended = update("--query", "abs(requestId)", distributionConfigurationArn=arn, distributions=DISTRIBUTIONS)
    assert (ended.status, ended.stdout) == (255, "")
    assert "invalid type" in ended.stderr
    assert [request.operation for request in emulator.requests] == [UPDATE]


@pytest.mark.parametrize("asked", ["--help", "help"])
def test_help(asked: str) -> None:
    """Help describes each option; members have the service's documentation."""
    ended = command("update-distribution-configuration", asked)
    assert ended.status == 0
    assert "The description of the distribution" in ended.stdout
    assert all(option in ended.stdout for option in THE_AWS_CLIS)


def test_version() -> None:
    """--version is the same for all commands."""
    assert command("update-distribution-configuration", "--version") == command("--version")


def test_all_findings_before_the_call(arn: str, emulator: Emulator) -> None:
    """All errors are reported at once by the API's names, with status 252, and no call is made."""
    wrong = [
        {},
        {"Region": "us-east-1", "licenseConfigurationArns": [1]},
        {"region": "us-east-1", "amiDistributionConfiguration": {"name": "golden", "amiTags": {"a b": 1}}},
    ]
    ended = update(distributions=wrong, description="", nmae="golden")
    assert (ended.status, ended.stdout, emulator.requests) == (252, "", [])
    first, *errors = ended.stderr.splitlines()[1:]
    assert first == "Parameter validation failed:"
    for start in (
        "distributionConfigurationArn: is required",
        "distributions[0].region: is required",
        "distributions[1].region: is required",
        "distributions[1].Region: unknown property",
        "distributions[1].licenseConfigurationArns[0]: must be a string, not 1",
        'distributions[2].amiDistributionConfiguration.amiTags["a b"]: must be a string, not 1',
        "nmae: unknown property",
        "description: ",
        "distributions[0]: ",
        "distributions[2].amiDistributionConfiguration.name: ",
    ):
        assert [line for line in errors if line.startswith(start)], start


def test_names_of_the_resource_that_the_api_lacks(emulator: Emulator) -> None:
    """A name that only CloudFormation has, or that belongs elsewhere, is reported with the API's name."""
    image: dict[str, Any] = {"launchPermissionConfiguration": {}}
    ended = update(distributions=[{"launchPermission": {}, "amiDistributionConfiguration": image}])
    assert (ended.status, emulator.requests) == (252, [])
    place = "distributions[0].amiDistributionConfiguration"
    remediation = "did you mean launchPermission?"
    assert f"{place}.launchPermissionConfiguration: unknown property; {remediation}\n" in ended.stderr
    remediation = "it belongs in amiDistributionConfiguration"
    assert f"distributions[0].launchPermission: unknown property; {remediation}\n" in ended.stderr


def test_a_date_in_yaml(emulator: Emulator) -> None:
    """The message about a value that YAML reads as a date says to put it in quotes."""
    ended = command("update-distribution-configuration", "--cli-input-yaml", "description: 2026-01-31")
    assert (ended.status, emulator.requests) == (252, [])
    assert 'description: must be a string, not "2026-01-31"; YAML reads it as a date' in ended.stderr


def test_warnings_do_not_stop_it(arn: str, emulator: Emulator) -> None:
    """A warning is printed to standard error, and the update is made."""
    fast = [{"enabled": True, "maxParallelLaunches": 3}]
    ended = update(
        distributionConfigurationArn=arn, distributions=[{"region": "us-east-1", "fastLaunchConfigurations": fast}]
    )
    assert ended.status == 0
    assert ended.stderr.startswith("Warning: distributions[0].fastLaunchConfigurations[0].maxParallelLaunches: ")
    assert emulator.configurations[arn]["distributions"][0]["fastLaunchConfigurations"] == fast


def test_dry_run_shows_the_difference(arn: str, emulator: Emulator) -> None:
    """A dry run reads the live configuration, prints what the update would change, and changes nothing."""
    before = emulator.configurations
    ended = update(
        "--dry-run",
        distributionConfigurationArn=arn,
        distributions=[*DISTRIBUTIONS, {"region": "eu-west-1", "amiDistributionConfiguration": {}}],
    )
    assert (ended.status, ended.stderr) == (0, "")
    assert '- description: "was there"' in ended.stdout
    assert '+ distributions["eu-west-1"]:' in ended.stdout
    assert [request.operation for request in emulator.requests] == [GET]
    assert emulator.configurations == before


def test_dry_run_without_a_difference(arn: str) -> None:
    """If the update would change nothing, a dry run says so."""
    ended = update("--dry-run", distributionConfigurationArn=arn, description="was there", distributions=DISTRIBUTIONS)
    assert ended.status == 0
    assert "No configuration changed." in ended.stdout


def test_dry_run_of_a_missing_configuration(emulator: Emulator, arn: str) -> None:
    """A dry run that cannot read the live configuration ends like a call that the service rejects."""
    ended = update("--dry-run", distributionConfigurationArn=f"{arn}-not", distributions=DISTRIBUTIONS)
    assert (ended.status, ended.stdout) == (254, "")
    assert "(ResourceNotFoundException) when calling the GetDistributionConfiguration operation" in ended.stderr


def test_a_terminal_shows_the_difference(arn: str, emulator: Emulator) -> None:
    """On a terminal, standard error shows the changes after the update; standard output has only the response."""
    status, stdout, shown = on_a_terminal(arn, NO_COLOR="1")
    assert status == 0, shown
    assert json.loads(stdout)["distributionConfigurationArn"] == arn
    assert shown.startswith(f"Updating {arn} ...\n")
    assert '- description: "was there"' in shown
    assert [request.operation for request in emulator.requests] == [GET, UPDATE]


def test_a_live_configuration_that_cannot_be_read(arn: str, emulator: Emulator) -> None:
    """If the live configuration cannot be read, standard error says why, and the update is made."""
    emulator.fail(GET, Fault.DENIED)
    status, _, shown = on_a_terminal(arn, NO_COLOR="1")
    assert status == 0
    assert "Cannot show the changes: An error occurred (AccessDeniedException)" in shown
    assert "description" not in emulator.configurations[arn]


def test_yaml_input(arn: str, emulator: Emulator, tmp_path: Path) -> None:
    """YAML in a file gives the same request as JSON, and options on the command line override both."""
    file = tmp_path / "input.yaml"
    file.write_text(
        f"# golden\ndistributionConfigurationArn: {arn}\ndescription: from the file\n"
        f'distributions:\n- region: us-east-1\n  amiDistributionConfiguration: {{name: "{NAME}"}}\n',
        "utf-8",
    )
    token = "the-same"
    yaml_ended = update(
        "--cli-input-yaml", f"file://{file}", "--description", "from the option", "--client-token", token
    )
    json_ended = update(
        distributionConfigurationArn=arn, description="from the option", distributions=DISTRIBUTIONS, clientToken=token
    )
    assert (yaml_ended.status, json_ended.status) == (0, 0), yaml_ended.stderr
    first, second = (request.parameters for request in emulator.requests)
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "reported"),
    [
        (("--cli-input-yaml", "a: [b"), "Error parsing parameter '--cli-input-yaml': Invalid YAML: "),
        (("--cli-input-yaml", "golden"), 'Invalid type: expecting map, received "golden"'),
        (("--cli-input-json", "[]"), "Invalid type: expecting map, received a list"),
        (("--cli-input-json", "[" * 100_000), "Invalid JSON: "),
        (("--cli-input-json", "{}", "--cli-input-yaml", "{}"), "--cli-input-json and --cli-input-yaml cannot"),
        (("--distributions=[]", "region=us-east-1"), "Got unexpected extra argument (region=us-east-1)"),
        (("--dropped",), "Usage: python -m provider update-distribution-configuration [OPTIONS]\n"),
        (("--endpoint-url", "localhost"), "scheme is missing"),
        (("--cli-read-timeout", "-1"), "Invalid value for '--cli-read-timeout'"),
    ],
    ids=[
        "bad YAML",
        "YAML text",
        "JSON list",
        "deep JSON",
        "both inputs",
        "a value too many",
        "usage",
        "no URL",
        "bad timeout",
    ],
)
def test_mistakes_in_the_command(arguments: tuple[str, ...], reported: str, emulator: Emulator) -> None:
    """An error in the command is reported without a traceback, with status 252, and no call is made."""
    ended = update(*arguments)
    assert (ended.status, ended.stdout, emulator.requests) == (252, "", [])
    assert reported in ended.stderr


def test_the_last_value_of_an_option_is_used(arn: str, emulator: Emulator) -> None:
    """An option that is given twice has its last value, even if it is a list."""
    lists = ("--distributions", "region=eu-west-1", "--distributions", json.dumps(DISTRIBUTIONS))
    ended = update("--description", "a", *lists, "--description", "b", distributionConfigurationArn=arn)
    assert ended.status == 0, ended.stderr
    assert emulator.configurations[arn]["description"] == "b"
    assert emulator.configurations[arn]["distributions"] == DISTRIBUTIONS


def test_options_without_effect(arn: str) -> None:
    """Options without effect are accepted and change nothing."""
    given = [part for option in IGNORED for part in (option.opts[0], *(() if option.is_flag else ("x",)))]
    plain = update(
        "--query", "distributionConfigurationArn", distributionConfigurationArn=arn, distributions=DISTRIBUTIONS
    )
    ended = update(
        "--query", "distributionConfigurationArn", *given, distributionConfigurationArn=arn, distributions=DISTRIBUTIONS
    )
    assert plain.status == 0
    assert ended == plain


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_region_from_the_environment(name: str, arn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either of the Region's variables is enough, as in version 2."""
    monkeypatch.delenv({"AWS_REGION", "AWS_DEFAULT_REGION"}.difference({name}).pop())
    assert update(distributionConfigurationArn=arn, distributions=DISTRIBUTIONS).status == 0


def test_output_from_the_environment(arn: str, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """An unknown output format in the settings is reported before the call, with status 253."""
    monkeypatch.setenv("AWS_DEFAULT_OUTPUT", "pdf")
    ended = update(distributionConfigurationArn=arn, distributions=DISTRIBUTIONS)
    assert (ended.status, emulator.requests) == (253, [])
    assert ended.stderr.startswith("\nUnknown output type: pdf; choose from json, ")


def test_a_response_from_another_server(arn: str, emulator: Emulator) -> None:
    """A page with status 200 that does not come from the service is an error."""
    emulator.fail(UPDATE, Fault.GARBAGE)
    ended = update(distributionConfigurationArn=arn, distributions=DISTRIBUTIONS)
    assert (ended.status, ended.stdout) == (255, "")
    assert "is not from Image Builder" in ended.stderr


def test_the_log_has_no_secrets(arn: str, emulator: Emulator) -> None:
    """--debug logs the calls, but no signature, session token, or secret key."""
    secrets = {"AWS_SECRET_ACCESS_KEY": "a-very-secret-key", "AWS_SESSION_TOKEN": "a-very-secret-token"}
    arguments = ("--distribution-configuration-arn", arn, "--distributions", json.dumps(DISTRIBUTIONS), "--debug")
    ended = process("update-distribution-configuration", *arguments, **{**emulator.environment(), **secrets})
    assert ended.status == 0
    assert f"POST /{UPDATE}" in ended.stderr or f"PUT /{UPDATE}" in ended.stderr
    assert "(removed)" in ended.stderr
    assert "a-very-secret" not in ended.stderr
    assert "Signature=(removed)" in ended.stderr or "Signature=" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("--ca-bundle", str(CERTIFICATE)), 0), (("--no-verify-ssl",), 0), ((), 255)],
    ids=["ca-bundle", "no-verify-ssl", "neither"],
)
def test_https(arguments: tuple[str, ...], status: int) -> None:
    """A certificate is verified, with --ca-bundle if given, unless --no-verify-ssl is set."""
    with Emulator(certificate=CERTIFICATE) as emulator:
        arn = emulator.seed(name="golden", distributions=DISTRIBUTIONS)
        environment = {**emulator.environment(), "AWS_MAX_ATTEMPTS": "1"}
        del environment["AWS_CA_BUNDLE"]
        target = ("--distribution-configuration-arn", arn, "--distributions", json.dumps(DISTRIBUTIONS))
        ended = process("update-distribution-configuration", *target, *arguments, **environment)
    assert ended.status == status, ended.stderr
    assert "Traceback" not in ended.stderr


def test_attempts(arn: str, emulator: Emulator) -> None:
    """A call that is always throttled is tried three times, as in version 2."""
    emulator.fail_with(UPDATE, "ThrottlingException", 429, "Rate exceeded", times=9)
    ended = update(distributionConfigurationArn=arn, distributions=DISTRIBUTIONS)
    assert ended.status == 254
    assert len(emulator.requests) == 3


def test_ctrl_c(arn: str, emulator: Emulator) -> None:
    """Ctrl-C during a call ends the command with status 130 and no traceback."""
    emulator.fail(UPDATE, Fault.HANG)
    members = {"distributionConfigurationArn": arn, "distributions": DISTRIBUTIONS}
    # A suite that runs in the background ignores Ctrl-C, and so would what it starts.
    script = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('provider', run_name='__main__', alter_sys=True)"
    )
    arguments = ["update-distribution-configuration", "--cli-input-json", json.dumps(members)]
    running = subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        called = threading.Event()
        while not emulator.requests and running.poll() is None:
            called.wait(0.02)
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130
    assert stderr == ""
