"""Credentials come from the same sources as a plain botocore client's, and are renewed in time."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from itertools import count
from pathlib import Path

import pytest

from provider.aws.client import call
from provider.emulator.server import LoopbackServer, Reply
from provider.errors import Outcome, ProviderError
from tests.aws.wire import Recorder, client

LIST = "ListDistributionConfigurations"
ROLE = "arn:aws:iam::123456789012:role/images"
OWN_KEY = "aws_access_key_id = AKIDOFPROFILE\naws_secret_access_key = verysecret"
STS = """<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{operation}Result><Credentials>
<AccessKeyId>{AccessKeyId}</AccessKeyId><SecretAccessKey>{SecretAccessKey}</SecretAccessKey>
<SessionToken>{Token}</SessionToken><Expiration>{Expiration}</Expiration>
</Credentials></{operation}Result></{operation}Response>"""

Source = Callable[[pytest.MonkeyPatch, Path, str], None]
"""Sets what has credentials come from the issuer at a URL."""


class Issuer(LoopbackServer):
    """Returns new credentials for each request, like the ECS container endpoint (GET) and STS (POST).

    `life` is how long they last; `asked` is who asked, by the operation or the authorization.
    """

    def __init__(self) -> None:
        self.life = timedelta(hours=1)
        self.asked: list[str] = []
        self._numbers = count(1)
        super().__init__(self._give)

    def __exit__(self, *_: object) -> None:
        self.close()

    def _give(self, method: str, _target: str, body: bytes, headers: Message) -> Reply:
        given = {
            "AccessKeyId": f"AKIDNUMBER{next(self._numbers)}",
            "SecretAccessKey": "verysecret",
            "Token": "verysecrettoken",
            "Expiration": (datetime.now(UTC) + self.life).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if method == "GET":
            self.asked.append(str(headers["Authorization"]))
            return Reply(200, {"Content-Type": "application/json"}, json.dumps(given).encode())
        operation = dict(part.split("=") for part in body.decode().split("&"))["Action"]
        self.asked.append(operation)
        return Reply(200, {"Content-Type": "text/xml"}, STS.format(operation=operation, **given).encode())


@pytest.fixture
def issuer(settings: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """An issuer of credentials; the environment has no credentials."""
    settings.delenv("AWS_ACCESS_KEY_ID")
    settings.delenv("AWS_SECRET_ACCESS_KEY")
    with Issuer() as running:
        yield running


def container(settings: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    settings.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/credentials")
    settings.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "SnapStart")


def web_identity(settings: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    token = folder / "token"
    token.write_text("a token")
    settings.setenv("AWS_ROLE_ARN", ROLE)
    settings.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    settings.setenv("AWS_ENDPOINT_URL_STS", url)


def assumed_role(settings: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    profile(settings, folder, f"role_arn = {ROLE}\nsource_profile = images\n{OWN_KEY}")
    settings.setenv("AWS_ENDPOINT_URL_STS", url)


def profile(settings: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    """Use a profile with these settings."""
    configuration = folder / "config"
    configuration.write_text(f"[profile images]\n{text}\n")
    settings.setenv("AWS_CONFIG_FILE", str(configuration))
    settings.setenv("AWS_PROFILE", "images")


def signers(recorder: Recorder, calls: int) -> list[str]:
    """Return the access keys that sign a number of calls."""
    for _ in range(calls):
        call(client(), LIST, {})
    return [each["authorization"].partition("Credential=")[2].partition("/")[0] for each in recorder.received]


def test_credentials_in_the_environment_are_used(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """Credentials in the environment sign a call, and their token is sent with it."""
    settings.setenv("AWS_SESSION_TOKEN", "verysecrettoken")
    assert signers(recorder, 1) == ["AKIDFROMENVIRONMENT"]
    assert recorder.received[0]["x-amz-security-token"] == "verysecrettoken"


def test_changed_credentials_in_the_environment_are_used(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """After the credentials in the environment change, the next calls are signed with the new ones."""
    call(client(), LIST, {})
    settings.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHER")
    assert signers(recorder, 1) == ["AKIDFROMENVIRONMENT", "AKIDOTHER"]


@pytest.mark.usefixtures("issuer")
def test_credentials_of_a_profile_are_used(recorder: Recorder, settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials of the profile in AWS_PROFILE sign a call."""
    profile(settings, tmp_path, OWN_KEY)
    assert signers(recorder, 1) == ["AKIDOFPROFILE"]


@pytest.mark.parametrize(
    ("source", "asking"),
    [(container, "SnapStart"), (web_identity, "AssumeRoleWithWebIdentity"), (assumed_role, "AssumeRole")],
)
def test_credentials_of_a_role_are_renewed_in_time(
    recorder: Recorder, issuer: Issuer, settings: pytest.MonkeyPatch, tmp_path: Path, source: Source, asking: str
) -> None:
    """A role's credentials are reused until shortly before they expire, and then replaced."""
    source(settings, tmp_path, issuer.url)
    issuer.life = timedelta(minutes=1)
    short_lived = signers(recorder, 2)
    assert len(set(short_lived)) == 2
    issuer.life = timedelta(hours=1)
    *_, renewed, kept, kept_again = signers(recorder, 3)
    assert renewed not in short_lived
    assert renewed == kept == kept_again
    assert set(issuer.asked) == {asking}
    assert recorder.received[-1]["x-amz-security-token"] == "verysecrettoken"
    assert recorder.connections == 1


@pytest.mark.usefixtures("issuer")
def test_missing_credentials_are_reported(recorder: Recorder) -> None:
    """Without credentials, no call is sent, and the error names the settings to check."""
    with pytest.raises(ProviderError, match="credentials") as caught:
        call(client(), LIST, {})
    assert caught.value.outcome is Outcome.REFUSED
    assert recorder.received == []
