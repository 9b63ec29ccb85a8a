"""Fifty requests at once, each with clients of its own, against emulators of DynamoDB and Image Builder."""

import random
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from provider.arn import Location
from provider.aws.client import client
from provider.cloudformation.deadline import Deadline
from provider.emulator.emulator import Emulator
from provider.errors import ProviderError
from provider.ledger.combine import Ledger
from provider.ledger.configurations import ImageBuilderConfigurations
from provider.ledger.participate import participate
from provider.ledger.parts import Body, Event, Part, Revision
from provider.ledger.store import Store
from provider.ledger.table import DynamoTable
from provider.observability import logger
from provider.reconciler.api_calls import ApiCalls
from provider.resources.image_builder import ImageBuilder
from provider.resources.locations import Locations
from tests.ledger.bodies import ARN, OWNER, USER_IDS, accepted, content, team, users
from tests.ledger.dynamodb import Proxy

THREADS = 50


@pytest.fixture
def image_builder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Image Builder with the owner's configuration."""
    with Emulator() as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        emulator.seed(name="golden", distributions=content()["distributions"])
        yield emulator


def ledger_of(table_name: str) -> Ledger:
    """Return what one invocation needs."""
    deadline = Deadline(120)
    here = Location("aws", "us-east-1", "123456789012", is_verified=True)
    calls = ApiCalls(lambda _location, _renew: client("imagebuilder", "us-east-1"), deadline)
    adapter = ImageBuilder(calls, Locations(here, here, here))
    store = Store(DynamoTable(table_name, "us-east-1", deadline, random.Random()), deadline.now)
    return Ledger(store, ImageBuilderConfigurations(adapter, calls), deadline, random.Random(), logger())


def at_once(*works: Callable[[], object]) -> None:
    """Run functions in threads, and wait for their ends."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("share", [0.0, 0.05], ids=["no faults", "a twentieth of all calls fails"])
def test_fifty_contributions_at_once(proxy: Proxy, image_builder: Emulator, table_name: str, share: float) -> None:
    """Fifty contributions at once are all live afterward, take a few writes, and each gets one response."""
    assert ledger_of(table_name).store.put(None, accepted(OWNER, content(), [USER_IDS], date=1.0))
    if share:
        proxy.fail_at_random(share, seed=1)
    results: list[Part | ProviderError] = []

    def contribute(number: int) -> None:
        owner = team(str(number))
        now = Deadline(120).now()
        event = Event(owner, Revision(now, f"request-{number}"), "Create", now + 3600)
        try:
            results.append(participate(ledger_of(table_name), ARN, event, Body(users(f"{number:012}"))))
        except ProviderError as error:
            results.append(error)

    at_once(*(partial(contribute, number) for number in range(THREADS)))
    assert [result for result in results if isinstance(result, ProviderError)] == []
    assert len(results) == THREADS
    (distribution,) = image_builder.configurations[ARN]["distributions"]
    live = distribution["amiDistributionConfiguration"]["launchPermission"]["userIds"]
    assert live == [f"{number:012}" for number in range(THREADS)]
    updates = [one for one in image_builder.requests if one.operation.startswith("Update")]
    assert len(updates) <= 10
    assert {"UpdateItem", "TransactWriteItems", "Query", "GetItem"} <= {*proxy.operations}


def test_a_rejected_contribution_is_isolated_from_the_others(
    proxy: Proxy, image_builder: Emulator, table_name: str
) -> None:
    """One contribution that Image Builder rejects fails with its message; the others succeed."""
    assert ledger_of(table_name).store.put(None, accepted(OWNER, content(), [USER_IDS], date=1.0))
    results: dict[int, Part | ProviderError] = {}

    def contribute(number: int) -> None:
        now = Deadline(120).now()
        event = Event(team(str(number)), Revision(now, f"request-{number}"), "Create", now + 3600)
        accounts = ["not an account"] if number == 3 else [f"{number:012}"]
        try:
            results[number] = participate(ledger_of(table_name), ARN, event, Body(users(*accounts)))
        except ProviderError as error:
            results[number] = error

    at_once(*(partial(contribute, number) for number in range(8)))
    failed = {number: str(result) for number, result in results.items() if isinstance(result, ProviderError)}
    assert failed.keys() == {3}
    assert "UpdateDistributionConfiguration failed with" in failed[3]
