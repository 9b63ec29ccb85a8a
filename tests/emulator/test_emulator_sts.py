"""The emulated STS: roles, their sessions, and identities."""

import contextlib
import http.client
import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import given
from hypothesis import strategies as st

from provider.emulator.emulator import Emulator, Fault, Trust
from tests.clock import SkippingClock

ACCOUNT = "123456789012"
OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/team/images"
STACK = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/images/6e0f1c2a-0000-4000-8000-000000000001"


@pytest.fixture
def sts(emulator: Emulator, connect: Any) -> Any:
    """A client with a key of the emulator's own account."""
    return connect(emulator, "sts")


def assume(sts: Any, **parameters: Any) -> Any:
    return sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "Golden", **parameters})


def failure(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> tuple[str, int, str]:
    """The code, status, and message of the error of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def code(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> str:
    return failure(call, *arguments, **parameters)[0]


def test_assume_role(sts: Any, clock: SkippingClock) -> None:
    """AssumeRole returns new temporary credentials, when they expire, and the user that they belong to."""
    response, again = assume(sts), assume(sts)
    credentials, user = response["Credentials"], response["AssumedRoleUser"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert 3598 <= credentials["Expiration"].timestamp() - clock.time() <= 3600
    assert user["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/images/Golden"
    assert user["AssumedRoleId"] == again["AssumedRoleUser"]["AssumedRoleId"]
    assert user["AssumedRoleId"].startswith("AROA")
    assert user["AssumedRoleId"].endswith(":Golden")
    for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"):
        assert credentials[name] != again["Credentials"][name]
    shorter = assume(sts, DurationSeconds=900)["Credentials"]
    assert 898 <= shorter["Expiration"].timestamp() - clock.time() <= 900


def test_identity(emulator: Emulator, connect: Any, sts: Any) -> None:
    """GetCallerIdentity returns the account and ARN of the caller: the own account's user, or a session of a role."""
    own = sts.get_caller_identity()
    assert (own["Account"], own["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/emulator")
    response = assume(sts)
    there = connect(emulator, "sts", "eu-west-1", response["Credentials"]).get_caller_identity()
    assert (there["Account"], there["Arn"]) == (OTHER, response["AssumedRoleUser"]["Arn"])
    assert there["UserId"] == response["AssumedRoleUser"]["AssumedRoleId"]


def test_roles_of_other_partitions() -> None:
    """A role is assumed in the emulator's partition, and denied if its ARN has another one."""
    role = ROLE.replace("arn:aws:", "arn:aws-cn:")
    with Emulator("cn-north-1") as emulator:
        session = boto3.session.Session("emulator", "emulator", region_name="cn-north-1")
        with contextlib.closing(session.client("sts", endpoint_url=emulator.url)) as client:
            assert assume(client, RoleArn=role)["AssumedRoleUser"]["Arn"].startswith("arn:aws-cn:sts:")
            assert code(assume, client) == "AccessDenied"


def test_trust(emulator: Emulator, sts: Any) -> None:
    """A role that does not exist, or whose trust does not allow the caller, is denied with the same message."""
    denied, conditional, missing = (f"arn:aws:iam::{OTHER}:role/{name}" for name in ("denied", "conditional", "none"))
    emulator.sts.trust = {
        ROLE: Trust(),
        denied: Trust(external_ids=()),
        conditional: Trust(external_ids=(f"arn:aws:cloudformation:*:{ACCOUNT}:stack/images/*", "other")),
    }
    assume(sts)
    assume(sts, RoleArn=conditional, ExternalId=STACK)
    for role, given_id in (
        (denied, {}),
        (denied, {"ExternalId": STACK}),
        (missing, {"ExternalId": STACK}),
        (conditional, {}),
        (conditional, {"ExternalId": STACK.replace("images", "pipelines")}),
        (conditional, {"ExternalId": "OTHER"}),
    ):
        message = (
            f"User: arn:aws:iam::{ACCOUNT}:user/emulator is not authorized to perform: sts:AssumeRole on resource: "
        )
        assert failure(assume, sts, RoleArn=role, **given_id) == ("AccessDenied", 403, message + role)


@given(pattern=st.text("aB:/-*?."), value=st.text("aB:/-."))
def test_external_id_patterns(pattern: str, value: str) -> None:
    """An external ID is compared as StringLike does: case-sensitive, * for any characters, and ? for one."""
    assert Trust([pattern]).allows(value) == fnmatchcase(value, pattern)


@pytest.mark.parametrize(
    ("parameters", "parts"),
    [
        ({"RoleSessionName": "a b"}, ["1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy "
                                      r"constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*"]),
        ({"RoleSessionName": "n" * 65}, ["'roleSessionName'", "Member must have length less than or equal to 64"]),
        ({"RoleSessionName": "Gölden"}, ["'roleSessionName'", "regular expression"]),
        ({"RoleSessionName": "Golden\n"}, ["'roleSessionName'", "regular expression"]),
        ({"RoleSessionName": "Golden\x01"}, ["Value 'Golden?' at 'roleSessionName'"]),
        ({"ExternalId": "a*b"}, ["'externalId'", r"pattern: [\w+=,.@:\/-]*"]),
        ({"ExternalId": "x" * 1225}, ["'externalId'", "less than or equal to 1224"]),
        ({"DurationSeconds": 43201}, ["Value '43201' at 'durationSeconds'", "value less than or equal to 43200"]),
        ({"Tags": [{"Key": "k" * 129, "Value": ""}]}, ["'tags[0].Key'", "less than or equal to 128"]),
        (
            {"ExternalId": "a b", "RoleSessionName": "a b"},
            ["2 validation errors detected: Value 'a b' at 'roleSessionName'", "; Value 'a b' at 'externalId'"],
        ),
        ({"RoleArn": "a-role-without-an-arn"}, ["a-role-without-an-arn is invalid"]),
        ({"RoleArn": ROLE.replace("role/team", "user")}, ["Request ARN is invalid"]),
        ({"RoleArn": ROLE.replace("::", ":us-east-1:")}, ["Request ARN is invalid"]),
        ({"RoleArn": ROLE.replace(OTHER, "21098765432")}, ["Request ARN is invalid"]),
    ],
)  # fmt: skip
def test_validation(emulator: Emulator, sts: Any, parameters: dict[str, Any], parts: list[str]) -> None:
    """A parameter that STS's model does not allow, or an ARN that is not a role's, is a ValidationError."""
    found, status, message = failure(assume, sts, **parameters)
    assert (found, status) == ("ValidationError", 400)
    for part in parts:
        assert part in message
    assert not emulator.configurations


def test_what_the_model_allows(sts: Any) -> None:
    """The longest names and IDs, the shortest and longest duration, and session tags are accepted."""
    assume(sts, RoleSessionName="n" * 64, ExternalId="x" * 1224, DurationSeconds=43200)
    assume(sts, RoleSessionName="a.", ExternalId=STACK, DurationSeconds=900, Tags=[{"Key": "ä b", "Value": ""}])


def post(emulator: Emulator, body: bytes) -> tuple[int, str]:
    """Send a form without botocore, and return the response's status and body."""
    with contextlib.closing(http.client.HTTPConnection(emulator.url.removeprefix("http://"))) as connection:
        connection.request("POST", "/", body)
        response = connection.getresponse()
        return response.status, response.read().decode()


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (b"", ["<Code>MissingAction</Code>"]),
        (b"\xff", ["<Code>MissingAction</Code>"]),
        (b"Action=AssumeRoles", ["<Code>InvalidAction</Code>", "AssumeRoles for version 2011-06-15"]),
        (b"Action=AssumeRole", ["ValidationError", "2 validation errors", "Value null at 'roleArn'", "not be null"]),
        (
            b"Action=AssumeRole&RoleSessionName=s&RoleArn=" + ROLE.encode() + b"&DurationSeconds=abc",
            ["ValidationError", "Value 'abc' at 'durationSeconds'"],
        ),
    ],
)
def test_malformed_forms(emulator: Emulator, body: bytes, parts: list[str]) -> None:
    """A form without an action, with an unknown one, or with missing or malformed parameters is rejected as XML."""
    status, shown = post(emulator, body)
    assert status == 400
    for part in ('<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">', "<Type>Sender</Type>", *parts):
        assert part in shown


def test_operations_that_are_not_emulated(emulator: Emulator, sts: Any) -> None:
    """An operation that is not emulated returns an error with its name."""
    assert failure(sts.get_session_token)[::2] == (
        "InvalidAction",
        "The emulator does not support the operation GetSessionToken.",
    )
    assert emulator.requests[0].operation == "GetSessionToken"


@pytest.fixture
def session(emulator: Emulator, connect: Any, sts: Any) -> Callable[..., tuple[Any, Any]]:
    """Assume a role, change its credentials, and return clients of Image Builder and STS that use them."""

    def clients(**changes: str | None) -> tuple[Any, Any]:
        credentials = {**assume(sts)["Credentials"], **changes}
        return connect(emulator, credentials=credentials), connect(emulator, "sts", credentials=credentials)

    return clients


@pytest.mark.parametrize(
    "changes",
    [{"SessionToken": "another"}, {"SessionToken": None}, {"AccessKeyId": "ASIAEMULATED00000000"}],
    ids=["wrong token", "no token", "key of another emulator"],
)
def test_invalid_tokens(session: Any, changes: dict[str, str | None]) -> None:
    """A key that STS issued is invalid without its token, and so is one that another emulator's STS issued."""
    api, identity = session(**changes)
    message = "The security token included in the request is invalid."
    assert failure(api.list_distribution_configurations) == ("UnrecognizedClientException", 403, message)
    assert failure(identity.get_caller_identity) == ("InvalidClientTokenId", 403, message)


def test_expiration(session: Any, clock: SkippingClock) -> None:
    """After their expiration, credentials are rejected."""
    api, identity = session()
    clock.sleep(3590)
    api.list_distribution_configurations()
    clock.sleep(11)
    message = "The security token included in the request is expired"
    assert failure(api.list_distribution_configurations) == ("ExpiredTokenException", 403, message)
    assert failure(identity.get_caller_identity) == ("ExpiredToken", 403, message)
    session()[0].list_distribution_configurations()


def test_early_expiration(emulator: Emulator, session: Any) -> None:
    """A test can let the sessions of a role expire; new sessions are valid."""
    with pytest.raises(KeyError, match=ROLE):
        emulator.sts.expire_sessions(ROLE)
    api, _ = session()
    emulator.sts.expire_sessions(ROLE)
    assert code(api.list_distribution_configurations) == "ExpiredTokenException"
    session()[0].list_distribution_configurations()
    assert code(api.list_distribution_configurations) == "ExpiredTokenException"


def test_revoked_sessions(emulator: Emulator, session: Any) -> None:
    """A test can revoke the sessions of a role, which denies all actions; new sessions are valid."""
    with pytest.raises(KeyError, match=ROLE):
        emulator.sts.revoke_sessions(ROLE)
    api, identity = session()
    emulator.sts.revoke_sessions(ROLE)
    found, status, message = failure(api.list_distribution_configurations)
    assert (found, status) == ("AccessDeniedException", 403)
    user = f"User: arn:aws:sts::{OTHER}:assumed-role/images/Golden"
    assert message.startswith(f"{user} is not authorized to perform: imagebuilder:ListDistributionConfigurations with")
    assert code(assume, identity) == "AccessDenied"
    assert identity.get_caller_identity()["Account"] == OTHER
    session()[0].list_distribution_configurations()


def test_a_session_can_assume_another_role(emulator: Emulator, session: Any) -> None:
    """A session of a role can assume another role, and errors name it as the caller."""
    _, identity = session()
    third = "arn:aws:iam::333333333333:role/third"
    assert ":333333333333:" in assume(identity, RoleArn=third)["AssumedRoleUser"]["Arn"]
    emulator.sts.trust = {}
    assert failure(assume, identity)[2].startswith(f"User: arn:aws:sts::{OTHER}:assumed-role/images/Golden is not")


def test_calls_are_recorded(emulator: Emulator, connect: Any) -> None:
    """A call of AssumeRole is recorded with its parameters and the Region of its signature, also if it is denied."""
    emulator.sts.trust = {}
    assert code(assume, connect(emulator, "sts", "eu-west-1"), ExternalId=STACK, DurationSeconds=900) == "AccessDenied"
    (request,) = emulator.requests
    assert (request.operation, request.region, request.account) == ("AssumeRole", "eu-west-1", ACCOUNT)
    assert request.parameters == {
        "RoleArn": ROLE,
        "RoleSessionName": "Golden",
        "ExternalId": STACK,
        "DurationSeconds": 900,
    }


@pytest.mark.parametrize(
    ("fault", "expected", "status"),
    [
        (Fault.THROTTLE, "Throttling", 400),
        (Fault.UNAVAILABLE, "ServiceUnavailable", 503),
        (Fault.SERVER_ERROR, "InternalFailure", 500),
        (Fault.DENIED, "AccessDenied", 403),
    ],
)
def test_injected_errors(emulator: Emulator, sts: Any, fault: Fault, expected: str, status: int) -> None:
    """An injected error has STS's code, affects one call, and is recorded with it."""
    emulator.fail("AssumeRole", fault)
    sts.get_caller_identity()
    assert failure(assume, sts)[:2] == (expected, status)
    assume(sts)
    assert [each.fault for each in emulator.requests] == [None, fault, None]


def test_other_injected_failures(emulator: Emulator, sts: Any) -> None:
    """Any error, a reset, and an HTML page can be injected, before or after the call takes effect."""
    emulator.fail_with("AssumeRole", "RegionDisabledException", 403, "STS is not activated in this region.")
    assert failure(assume, sts) == ("RegionDisabledException", 403, "STS is not activated in this region.")
    emulator.fail("*", Fault.RESET, after=True)
    with pytest.raises(ConnectionClosedError):
        assume(sts)
    emulator.sts.expire_sessions(ROLE)  # the role has a session, although its response was lost
    emulator.fail("AssumeRole", Fault.GARBAGE)
    with pytest.raises(KeyError):  # botocore's parser of this protocol expects XML with the result
        assume(sts)


def test_profile_with_a_role(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: SkippingClock
) -> None:
    """With the emulator's environment, botocore assumes the role of a profile and calls Image Builder with it."""
    config = tmp_path / "config"
    source = f"role_arn = {ROLE}\ncredential_source = Environment\nexternal_id = {STACK}\nregion = eu-west-1\n"
    config.write_text(f"[profile there]\n{source}")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**emulator.environment(), "AWS_CONFIG_FILE": str(config)}.items():
        monkeypatch.setenv(name, value)
    emulator.sts.trust = {ROLE: Trust([STACK])}
    profile = boto3.session.Session(profile_name="there")
    with contextlib.closing(profile.client("imagebuilder", "eu-west-1")) as client:
        client.list_distribution_configurations()
    assumption, listing = emulator.requests
    assert assumption.parameters["ExternalId"] == STACK
    assert (listing.region, listing.account, listing.role) == ("eu-west-1", OTHER, ROLE)
