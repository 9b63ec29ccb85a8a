"""Shared by the tests of the API client: a clean environment, a TLS recorder, and a fixed clock."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provider.aws.client import before_send
from tests.aws.wire import SETTINGS, Recorder

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Removes this machine's AWS settings, and sets what every Lambda function has."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDFROMENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecret")
    before_send.set(lambda: None)  # what an earlier test's request has left in this context
    return monkeypatch


@pytest.fixture
def recorder(settings: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """An API over TLS that accepts every request; the environment points to it."""
    with Recorder() as running:
        settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", running.url)
        settings.setenv("AWS_CA_BUNDLE", str(running.certificate))
        settings.setenv("NO_PROXY", "127.0.0.1")
        yield running


@pytest.fixture
def clock(settings: pytest.MonkeyPatch) -> None:
    """Makes all signatures at the same time."""
    settings.setattr("botocore.auth.get_current_datetime", lambda: NOW)
