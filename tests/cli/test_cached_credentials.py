"""The commands that call the service find their credentials as the AWS CLI, version 2, does."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, Ended, process
from tests.cli.plans import Write, adopt
from tests.cli.signers import ARN, INPUT, ROLE, Signers, configure, key

UPDATE = ("update-distribution-configuration", "--cli-input-json", INPUT)
COMMANDS = ("update", "plan", "export", "invoke")
PROFILES = {"one": key("AKIDONE"), "two": key("AKIDTWO"), "three": key("AKIDTHREE")}
ROLE_SETTINGS = f"role_arn = {ROLE}\nsource_profile = one\nexternal_id = an,External:Id"


@pytest.fixture
def signers() -> Iterator[Signers]:
    """A server that records the access keys."""
    with Signers() as running:
        yield running


def arguments(name: str, write: Write, tmp_path: Path) -> tuple[str | Path, ...]:
    """The arguments of a command that reads or updates the configuration."""
    if name == "update":
        return UPDATE
    if name == "plan":
        return "plan", write(Golden=adopt(DistributionConfigurationArn=ARN)), "--account", "123456789012"
    if name == "export":
        return "export", ARN
    event = json.loads((ROOT / "events" / "create-adopt.json").read_text("utf-8"))
    event["ResourceProperties"]["DistributionConfigurationArn"] = ARN
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event), "utf-8")
    return "invoke", file, "--live"


def failed(name: str) -> int:
    """The exit status of a command that has no usable credentials."""
    return 255 if name == "update" else 2


@pytest.mark.parametrize("name", COMMANDS)
def test_profile_variables(name: str, signers: Signers, write: Write, tmp_path: Path) -> None:
    """AWS_PROFILE takes precedence over AWS_DEFAULT_PROFILE, which is used if it is alone."""
    configure(tmp_path, PROFILES)
    environment = {**signers.environment(tmp_path), "AWS_DEFAULT_PROFILE": "two"}
    given = arguments(name, write, tmp_path)
    process(*given, **environment)
    assert set(signers.signers) == {"AKIDTWO"}
    signers.signers.clear()
    process(*given, **environment, AWS_PROFILE="one")
    assert set(signers.signers) == {"AKIDONE"}


@pytest.mark.parametrize("name", COMMANDS[:3])
@pytest.mark.parametrize(
    "others",
    [
        {"AWS_PROFILE": "two", "AWS_DEFAULT_PROFILE": "three"},
        {"AWS_DEFAULT_PROFILE": "three"},
        {"AWS_ACCESS_KEY_ID": "AKIDFOUR", "AWS_SECRET_ACCESS_KEY": "verysecret"},
        {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/dev/null"},
    ],
    ids=["both variables", "one variable", "keys", "web identity"],
)
def test_profile_option(name: str, others: dict[str, str], signers: Signers, write: Write, tmp_path: Path) -> None:
    """--profile takes precedence over all variables with profiles and credentials."""
    configure(tmp_path, PROFILES)
    ended = process(*arguments(name, write, tmp_path), "--profile", "one", **signers.environment(tmp_path), **others)
    assert set(signers.signers) == {"AKIDONE"}, ended.stderr


@pytest.mark.parametrize("name", COMMANDS[:3])
def test_profile_that_uses_the_environment(name: str, signers: Signers, write: Write, tmp_path: Path) -> None:
    """A profile may assume a role with the credentials in the environment."""
    configure(tmp_path, {"role": f"role_arn = {ROLE}\ncredential_source = Environment"})
    keys = {"AWS_ACCESS_KEY_ID": "AKIDFOUR", "AWS_SECRET_ACCESS_KEY": "verysecret"}
    given = arguments(name, write, tmp_path)
    ended = process(*given, "--profile", "role", **signers.environment(tmp_path), **keys)
    assert set(signers.signers) == {"AKIDOFROLE"}, ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "helper",
    [
        "import sys; sys.exit(1)",
        "import sys; sys.exit('the token has expired')",
        "import sys; sys.exit('the token has expired\\nsign in again')",
        "raise KeyError('the token has expired')",
        "print('no JSON')",
        "print('[]')",
        "print('{}')",
        "print('null')",
        "import sys; sys.stdout.buffer.write(bytes([255]))",
        "import sys; sys.stderr.buffer.write(bytes([255])); sys.exit(1)",
    ],
)
def test_failing_helper(name: str, helper: str, signers: Signers, write: Write, tmp_path: Path) -> None:
    """A credential helper that fails yields one line, no traceback, and the command's status for such errors."""
    configure(tmp_path, {"one": f"credential_process = {shlex.join([sys.executable, '-c', helper])}"})
    ended = process(*arguments(name, write, tmp_path), **signers.environment(tmp_path), AWS_PROFILE="one")
    _assert_one_line(ended, failed(name), signers)
    if "expired" in helper:
        assert "the token has expired" in ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("helper", ["/no/such/helper", "'", "/"])
def test_helper_that_cannot_run(name: str, helper: str, signers: Signers, write: Write, tmp_path: Path) -> None:
    """A credential helper that cannot be started yields one line as well."""
    configure(tmp_path, {"one": f"credential_process = {helper}"})
    ended = process(*arguments(name, write, tmp_path), **signers.environment(tmp_path), AWS_PROFILE="one")
    _assert_one_line(ended, failed(name), signers)


def _assert_one_line(ended: Ended, status: int, signers: Signers) -> None:
    lines = [line for line in ended.stderr.splitlines() if line and not line.startswith("Reading ")]
    assert (ended.status, len(lines), ended.stdout, signers.signers) == (status, 1, "", []), ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", COMMANDS[:3])
def test_cache(name: str, signers: Signers, write: Write, tmp_path: Path) -> None:
    """Credentials of a role are stored in the AWS CLI's cache, and the next command assumes no role."""
    configure(tmp_path, {**PROFILES, "role": ROLE_SETTINGS})
    given = arguments(name, write, tmp_path)
    for _ in range(2):
        process(*given, "--profile", "role", **signers.environment(tmp_path))
    assert set(signers.signers) == {"AKIDOFROLE"}
    assert len(signers.assumed) == 1
    (file,) = (tmp_path / ".aws" / "cli" / "cache").iterdir()
    assert json.loads(file.read_text("utf-8"))["Credentials"]["AccessKeyId"] == "AKIDOFROLE"
    assert file.stat().st_mode & 0o077 == 0


def test_cache_of_the_aws_cli(signers: Signers, tmp_path: Path) -> None:
    """The command uses the credentials that the AWS CLI has cached."""
    configure(tmp_path, {**PROFILES, "role": ROLE_SETTINGS})
    aws = [sys.executable, str(Path(sys.executable).with_name("aws")), "imagebuilder", *UPDATE]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**signers.environment(tmp_path), "AWS_PROFILE": "role"}
    subprocess.run(aws, env={**clean, **environment}, check=True, capture_output=True, timeout=120)
    assert process(*UPDATE, **environment).status == 0
    assert signers.signers == ["AKIDOFROLE", "AKIDOFROLE"]
    assert len(signers.assumed) == 1


@pytest.mark.parametrize("content", ["", "[]", "{", '{"Credentials": {"AccessKeyId": "AKIDOLD"}}'])
def test_damaged_cache(content: str, signers: Signers, tmp_path: Path) -> None:
    """A damaged file in the cache counts as missing and is replaced."""
    configure(tmp_path, {**PROFILES, "role": ROLE_SETTINGS})
    environment = {**signers.environment(tmp_path), "AWS_PROFILE": "role"}
    process(*UPDATE, **environment)
    (file,) = (tmp_path / ".aws" / "cli" / "cache").iterdir()
    file.write_text(content, "utf-8")
    ended = process(*UPDATE, **environment)
    assert ended.status == 0, ended.stderr
    assert len(signers.assumed) == 2
    assert "AKIDOFROLE" in file.read_text("utf-8")


def test_cache_that_cannot_be_written(signers: Signers, tmp_path: Path) -> None:
    """A cache that cannot be written is no error."""
    configure(tmp_path, {**PROFILES, "role": ROLE_SETTINGS})
    (tmp_path / ".aws" / "cli").write_text("not a directory", "utf-8")
    ended = process(*UPDATE, **signers.environment(tmp_path), AWS_PROFILE="role")
    assert (ended.status, ended.stderr) == (0, "")
    assert signers.signers == ["AKIDOFROLE"]


@pytest.mark.parametrize("name", COMMANDS[:3])
def test_mfa_without_input(name: str, signers: Signers, write: Write, tmp_path: Path) -> None:
    """If the MFA prompt gets no input, the command says so, without a traceback."""
    configure(tmp_path, {**PROFILES, "role": f"{ROLE_SETTINGS}\nmfa_serial = arn:aws:iam::123456789012:mfa/me"})
    ended = _without_terminal(
        arguments(name, write, tmp_path), "", {**signers.environment(tmp_path), "AWS_PROFILE": "role"}
    )
    assert ended.status == failed(name), ended.stderr
    assert "Cannot read the MFA code" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert signers.signers == signers.assumed == []


def test_mfa_with_closed_input(signers: Signers, tmp_path: Path) -> None:
    """Closed standard input is reported like standard input without a code."""
    configure(tmp_path, {**PROFILES, "role": f"{ROLE_SETTINGS}\nmfa_serial = arn:aws:iam::123456789012:mfa/me"})
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        ["/bin/bash", "-c", '"$@" <&-', "bash", sys.executable, "-m", "provider", *UPDATE],
        cwd=ROOT,
        env={**clean, **signers.environment(tmp_path), "AWS_PROFILE": "role"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
    )
    assert ended.returncode == 255
    assert "Cannot read the MFA code" in ended.stderr
    assert "getpass" not in ended.stderr


def test_mfa_code_is_requested_once(signers: Signers, tmp_path: Path) -> None:
    """The MFA code is requested for the first command only, because the role's credentials are cached."""
    configure(tmp_path, {**PROFILES, "role": f"{ROLE_SETTINGS}\nmfa_serial = arn:aws:iam::123456789012:mfa/me"})
    environment = {**signers.environment(tmp_path), "AWS_PROFILE": "role"}
    first = _without_terminal(UPDATE, "123456\n", environment)
    second = _without_terminal(UPDATE, "", environment)
    assert (first.status, second.status) == (0, 0), first.stderr + second.stderr
    assert "MFA" in first.stderr
    assert second.stderr == ""
    assert "TokenCode=123456" in signers.assumed[0]


def test_log_of_an_assumed_role(signers: Signers, tmp_path: Path) -> None:
    """--debug prints no MFA code and no external ID."""
    configure(tmp_path, {**PROFILES, "role": f"{ROLE_SETTINGS}\nmfa_serial = arn:aws:iam::123456789012:mfa/me"})
    environment = {**signers.environment(tmp_path), "AWS_PROFILE": "role"}
    ended = _without_terminal((*UPDATE, "--debug"), "123456\n", environment)
    assert ended.status == 0, ended.stderr
    assert "ExternalId=an%2CExternal%3AId" in signers.assumed[0]
    assert "AssumeRole" in ended.stderr
    for secret in ("123456'", '123456"', "TokenCode=1", "an,External", "an%2CExternal", "External:Id", "verysecret"):
        assert secret not in ended.stderr, secret


def test_log_of_a_web_identity(signers: Signers, tmp_path: Path) -> None:
    """--debug prints no web identity token."""
    token = tmp_path / "token"
    token.write_text("eyJhbGciOi.an-identity-token.c2ln", "utf-8")
    identity = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    ended = process(*UPDATE, "--debug", **signers.environment(tmp_path), **identity)
    assert "an-identity-token" in signers.assumed[0]
    assert "AssumeRoleWithWebIdentity" in ended.stderr
    assert "an-identity-token" not in ended.stderr
    assert "eyJ" not in ended.stderr


def _without_terminal(arguments: tuple[str | Path, ...], stdin: str, environment: dict[str, str]) -> Ended:
    """Run a command without a controlling terminal, so that it reads the MFA code from standard input."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [sys.executable, "-m", "provider", *map(str, arguments)],
        cwd=ROOT,
        env={**clean, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        start_new_session=True,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_in_a_helper(name: str, signers: Signers, write: Write, tmp_path: Path) -> None:
    """Ctrl-C while credentials are loaded ends a command with status 130 and no traceback."""
    started = tmp_path / "started"
    helper = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(60)"
    configure(tmp_path, {"one": f"credential_process = {shlex.join([sys.executable, '-c', helper])}"})
    script = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('provider', run_name='__main__', alter_sys=True)"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    running = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments(name, write, tmp_path))],
        cwd=ROOT,
        env={**clean, **signers.environment(tmp_path), "AWS_PROFILE": "one"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        waiting = threading.Event()
        while not started.exists() and running.poll() is None:
            waiting.wait(0.02)
        os.killpg(running.pid, signal.SIGINT)
        _, stderr = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130, stderr
