"""`verify` in an account to which `sam deploy` has deployed the provider."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import boto3
import pytest

from e2e.account import PROVIDER_STACK, Account
from e2e.tools import CERTIFICATE, CREDENTIALS, REGION, ROOT, environment
from e2e.waiting import wait_until
from provider.emulator.emulator import Emulator
from provider.emulator.faults import Fault
from provider.emulator.server import LoopbackServer, Reply

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
CREATE, DELETE = "CreateDistributionConfiguration", "DeleteDistributionConfiguration"
DENIED = """<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"""

Command = list[str]
Verify = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def variables(account: Account, service: Emulator, tmp_path: Path) -> dict[str, str]:
    """The environment of a user's shell, whose endpoints are the account and Image Builder."""
    url = account.stacks.meta.endpoint_url
    endpoints = {"AWS_ENDPOINT_URL": url, "AWS_CA_BUNDLE": str(CERTIFICATE)}
    return environment(tmp_path, **{**service.environment(), **endpoints})


@pytest.fixture
def verify(variables: dict[str, str]) -> Verify:
    """Runs the command, with more variables."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), cwd=ROOT, env={**variables, **more}, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(autouse=True)
def nothing_remains(account: Account, service: Emulator) -> Iterator[None]:
    """After each test, there is no throw-away stack, and the configurations are those of before."""
    before = {*service.configurations}
    yield
    service.reset_faults()
    assert stacks(account) == []
    assert {*service.configurations} == before


def command(*arguments: str) -> Command:
    return [sys.executable, "-m", "provider", "verify", *arguments]


def client(account: Account, service: str) -> Any:
    """Return a client of another service of the account."""
    make: Callable[..., Any] = boto3.client
    keys = {name.lower(): value for name, value in CREDENTIALS.items()}
    return make(service, REGION, endpoint_url=account.stacks.meta.endpoint_url, verify=str(CERTIFICATE), **keys)


def stacks(account: Account) -> list[str]:
    """Return the names and statuses of the throw-away stacks that exist."""
    listed = account.stacks.describe_stacks()["Stacks"]
    return [
        f"{one['StackName']} {one['StackStatus']}"
        for one in listed
        if "-verify-" in one["StackName"] and one["StackStatus"] != "DELETE_COMPLETE"
    ]


def found(ended: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the JSON output of a command."""
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


def test_it_reports_what_works(account: Account, verify: Verify, service: Emulator) -> None:
    """The report has the function, the response's attributes, all alarms, and what the role may access."""
    calls = len(service.requests)
    ended = verify("--name", "Try_Out", "--format", "json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = found(ended)
    outputs = account.outputs(PROVIDER_STACK)
    assert (report["function"], report["role"]) == (outputs["ServiceToken"], outputs["RoleArn"])
    assert report["version"] == outputs.get("Version")
    assert report["response"]["status"] == "SUCCESS"
    assert report["response"]["physicalId"] == report["response"]["attributes"]["Arn"] == f"{ARN}try-out"
    assert {one["name"] for one in report["alarms"]} >= {"UnansweredAlarm", "LastResortAlarm", "ErrorsAlarm"}
    access = {one["what"]: one for one in report["access"]}
    assert access["the configuration"]["resource"] == f"{ARN}try-out"
    assert f"imagebuilder:{CREATE}" in access["the configuration"]["actions"]
    decisions = {what: one["decision"] for what, one in access.items()}
    assert decisions.pop("launch templates") == "allowed"
    assert decisions.pop("export buckets") == "allowed"
    assert {decisions[what] for what in ("SSM parameters", "source parameters", "roles")} == {"none"}
    assert (report["remains"], report["problems"], report["notPermitted"]) == ([], [], [])
    operations = [one.operation for one in service.requests[calls:]]
    assert {CREATE, DELETE} <= {*operations}


def test_people_read_progress_and_a_summary(verify: Verify) -> None:
    """For people, the events are on standard error, and the result is on standard output, with a default name."""
    ended = verify()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Verification" in ended.stderr
    assert "CREATE_COMPLETE" in ended.stderr
    assert "DELETE_COMPLETE" in ended.stderr
    assert f"{ARN}verify-" in ended.stdout
    assert ended.stdout.rstrip().endswith("The provider works: the stack was created and deleted.")


def test_a_failed_response_is_reported(verify: Verify, service: Emulator) -> None:
    """If the response is FAILED, its reason is reported, the stack is deleted, and the exit status is 1."""
    service.fail(CREATE, Fault.DENIED, times=100)
    ended = verify("--name", "denied", "--format", "json")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    report = found(ended)
    assert report["response"]["status"] == "FAILED"
    assert "AccessDenied" in report["response"]["reason"]
    assert report["problems"][0].startswith("the deployment failed: ")
    assert report["remains"] == []


def test_an_existing_configuration_is_left_alone(verify: Verify, service: Emulator) -> None:
    """A configuration that exists under the name is neither changed nor deleted."""
    before = {**service.configurations}
    arn = service.seed(name="precious", distributions=[{"region": "us-east-1"}])
    ended = verify("--name", "precious")
    assert ended.returncode == 1
    assert "already exists" in ended.stdout
    assert service.configurations.keys() - before.keys() == {arn}
    service.remove(arn)


def test_what_is_not_permitted_is_said(verify: Verify) -> None:
    """Without the permissions to read alarms and to simulate policies, the report says so; the rest works."""

    def deny(_method: str, _target: str, _body: bytes, _headers: Message) -> Reply:
        return Reply(403, {"Content-Type": "text/xml"}, DENIED.encode())

    server = LoopbackServer(deny)
    try:
        endpoints = {"AWS_ENDPOINT_URL_CLOUDWATCH": server.url, "AWS_ENDPOINT_URL_IAM": server.url}
        ended = verify(**endpoints)
        report = found(verify("--format", "json", **endpoints))
    finally:
        server.close()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "not permitted (cloudwatch:DescribeAlarms)" in ended.stdout
    assert "not permitted (iam:SimulatePrincipalPolicy)" in ended.stdout
    assert (report["alarms"], report["access"]) == (None, None)
    assert report["notPermitted"] == ["cloudwatch:DescribeAlarms", "iam:SimulatePrincipalPolicy"]


def test_an_alarm_is_a_problem(account: Account, verify: Verify) -> None:
    """If an alarm is in state ALARM, the report says so with CloudWatch's reason, and the exit status is 1."""
    alarms = client(account, "cloudwatch")
    resource = account.resource(PROVIDER_STACK, "ErrorsAlarm")
    alarms.set_alarm_state(AlarmName=resource, StateValue="ALARM", StateReason="1 error")
    try:
        ended = verify()
    finally:
        alarms.set_alarm_state(AlarmName=resource, StateValue="OK", StateReason="over")
        alarms.close()
    assert ended.returncode == 1
    assert "Problem: ErrorsAlarm is in state ALARM: 1 error" in ended.stdout


def test_a_missing_permission_of_the_role_is_a_problem(account: Account, verify: Verify) -> None:
    """If the role lacks what its parameters allow, the report names the actions, and the exit status is 1."""
    roles = client(account, "iam")
    role = account.outputs(PROVIDER_STACK)["RoleArn"].rpartition("/")[2]
    policy = {"RoleName": role, "PolicyName": "export-buckets"}
    document = roles.get_role_policy(**policy)["PolicyDocument"]
    roles.delete_role_policy(**policy)
    try:
        ended = verify("--format", "json")
    finally:
        roles.put_role_policy(**policy, PolicyDocument=json.dumps(document))
        roles.close()
    assert ended.returncode == 1
    assert found(ended)["problems"] == ["the role may not call s3:ListBucket on arn:aws:s3:::*"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "a canceled pipeline"])
def test_an_interruption_deletes_the_stack(
    number: signal.Signals, account: Account, variables: dict[str, str], service: Emulator
) -> None:
    """While the stack is deployed, Ctrl-C deletes it first and exits with 130."""
    calls = len(service.requests)
    with subprocess.Popen(
        command("--name", "interrupted"),
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(
            lambda: any(one.operation == CREATE for one in service.requests[calls:]) or process.poll() is not None
        )
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Interrupted. Waiting for the response, then deleting the stack" in errors
    assert "Nothing remains." in errors
    del account


def test_a_second_interruption_names_what_remains(
    account: Account, variables: dict[str, str], service: Emulator
) -> None:
    """A second Ctrl-C ends the wait: CloudFormation goes on deleting the stack, whose name is printed."""
    service.fail(DELETE, Fault.THROTTLE, times=10_000)  # the provider retries the call
    calls = len(service.requests)

    def called(operation: str) -> bool:
        return any(one.operation == operation for one in service.requests[calls:]) or process.poll() is not None

    with subprocess.Popen(
        command("--name", "twice"), cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for operation in (CREATE, DELETE):
            wait_until(lambda operation=operation: called(operation))  # type: ignore[misc]  # bound in this iteration
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    (remaining,) = [line for line in errors.splitlines() if line.startswith("Remains: ")]
    assert f":stack/{PROVIDER_STACK}-verify-" in remaining
    assert remaining.endswith("CloudFormation is still deleting it")
    service.reset_faults()
    wait_until(lambda: stacks(account) == [])


def test_what_remains_is_named(account: Account, verify: Verify, service: Emulator) -> None:
    """If the stack cannot be deleted, the report names the stack and the configuration, and the exit status is 1."""
    service.fail_with(DELETE, "ResourceDependencyException", 400, "in use", times=100)
    ended = verify("--name", "remaining", "--format", "json")
    service.reset_faults()
    assert ended.returncode == 1
    report = found(ended)
    (stack, configuration) = report["remains"]
    assert report["throwAwayStack"] in stack
    assert "DELETE_FAILED" in stack
    assert configuration == f"configuration {ARN}remaining"
    assert account.delete(report["throwAwayStack"]) == "DELETE_COMPLETE"


def test_a_provider_that_is_not_deployed(verify: Verify) -> None:
    """Without the provider's stack, the command says so, deploys nothing, and exits with 2."""
    ended = verify("--stack-name", "elsewhere")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "there is no stack elsewhere in us-east-1: deploy the provider first" in ended.stderr
