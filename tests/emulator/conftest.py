"""Fixtures of the emulator's tests: an emulator, and real clients."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config

from provider.emulator.emulator import Emulator
from tests.clock import SkippingClock

Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def aws() -> boto3.session.Session:
    return boto3.session.Session("emulator", "emulator", region_name="us-east-1")


@pytest.fixture
def emulator(clock: SkippingClock) -> Iterator[Emulator]:
    with Emulator(clock=clock.time) as running:
        yield running


@pytest.fixture
def connect(aws: boto3.session.Session) -> Iterator[Connect]:
    """Create clients that do not retry, with options for botocore's Config. They are closed at the end.

    `credentials` are those that AssumeRole returns.
    """
    clients = []

    def connected(
        emulator: Emulator,
        service: str = "imagebuilder",
        region: str | None = None,
        credentials: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        config = Config(retries={"total_max_attempts": 1}, **options)
        keys = credentials or {}
        create: Callable[..., Any] = aws.client  # its stubs want a literal service
        clients.append(
            create(
                service,
                region,
                endpoint_url=emulator.url,
                config=config,
                aws_access_key_id=keys.get("AccessKeyId"),
                aws_secret_access_key=keys.get("SecretAccessKey"),
                aws_session_token=keys.get("SessionToken"),
            )
        )
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def client(emulator: Emulator, connect: Connect) -> Any:
    return connect(emulator)
