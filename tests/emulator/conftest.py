"""Fixtures of the emulator's tests: an emulator, and a real client."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from provider.emulator.emulator import Emulator

Connect = Callable[..., Any]


@pytest.fixture(scope="session")
def aws() -> boto3.session.Session:
    return boto3.session.Session("emulator", "emulator", region_name="us-east-1")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def connect(aws: boto3.session.Session) -> Iterator[Connect]:
    """Create clients that do not retry, with options for botocore's Config. They are closed at the end."""
    clients = []

    def connected(emulator: Emulator, **options: Any) -> Any:
        config = Config(retries={"total_max_attempts": 1}, **options)
        clients.append(aws.client("imagebuilder", endpoint_url=emulator.url, config=config))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def client(emulator: Emulator, connect: Connect) -> Any:
    return connect(emulator)
