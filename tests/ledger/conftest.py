"""Shared by tests of the ledger: a DynamoDB emulator, and a proxy that injects failures into its calls."""

import random
from collections.abc import Callable, Iterator

import pytest

from provider.cli import ledger_emulator
from provider.cloudformation.deadline import Deadline
from provider.handler import LEDGER_TABLE
from provider.ledger.store import Store
from provider.ledger.table import DynamoTable
from tests.clock import SkippingClock
from tests.ledger.dynamodb import PYTHON, Proxy, create_table, require_ledger
from tests.stack import Context, Resource


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[str]:
    """The URL of a DynamoDB emulator."""
    require_ledger()
    with ledger_emulator.dynamodb(PYTHON) as url:
        yield url


@pytest.fixture
def proxy(dynamodb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy in front of the emulator; botocore's environment variables point to it."""
    running = Proxy(dynamodb)
    for name, value in {
        "AWS_ENDPOINT_URL_DYNAMODB": running.url,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    yield running
    running.close()


@pytest.fixture
def table_name(dynamodb: str, request: pytest.FixtureRequest) -> str:
    """The name of a new table."""
    name = f"ledger-{abs(hash(request.node.nodeid))}"
    create_table(dynamodb, name)
    return name


@pytest.fixture
def new_table(proxy: Proxy, table_name: str) -> Callable[[], DynamoTable]:
    """Makes clients of the same table, each with a deadline of its own."""
    return lambda: DynamoTable(table_name, "us-east-1", Deadline(120, clock=SkippingClock()), random.Random())


@pytest.fixture
def store(new_table: Callable[[], DynamoTable]) -> Store:
    """The records in a new table of the emulator."""
    return Store(new_table(), lambda: 1000.0)


@pytest.fixture
def recorded_resource(resource: Resource, proxy: Proxy, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """A configuration resource of a provider with a ledger. The environment names the table, for commands, too."""
    monkeypatch.setenv(LEDGER_TABLE, table_name)
    resource.context = Context(milliseconds=120_000)
    return resource
