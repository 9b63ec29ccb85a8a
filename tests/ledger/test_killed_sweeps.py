"""Sweeps that are killed after any of their calls while they apply new accounts of a source."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from provider.handler import LEDGER_TABLE, SWEEP, respond
from provider.stack_engine.sink import ResponseSink
from tests.clock import SkippingClock
from tests.ledger.dynamodb import Proxy, client
from tests.ledger.test_ledger_kills import GOLDEN, World
from tests.ledger.test_sweep_sources import ids, parameter, properties
from tests.sources.conftest import Script, point_to
from tests.stack import Context

LISTS = (range(10), range(2, 12))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """SSM with a parameter of account IDs."""
    with Script(respond=parameter(LISTS[0])) as running:
        point_to(running.url, monkeypatch)
        yield running


@pytest.fixture
def world(sink: ResponseSink, proxy: Proxy, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Emulators of Image Builder and DynamoDB for a provider with a ledger."""
    monkeypatch.setenv(LEDGER_TABLE, table_name)
    with Emulator() as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        yield World(emulator, sink, proxy, table_name)


def targets(world: World) -> list[str]:
    """Return the live target accounts."""
    (entry,) = world.emulator.configurations[GOLDEN]["distributions"]
    found: list[str] = entry["amiDistributionConfiguration"]["targetAccountIds"]
    return found


def is_dirty(world: World) -> bool:
    """Return whether a lease is dirty."""
    api = client(world.proxy.url)
    items = api.scan(TableName=world.table)["Items"]
    api.close()
    return any("dirty" in item for item in items)


def swept(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Run a sweep in this process, and return its log lines about configurations."""
    capsys.readouterr()
    respond(SWEEP, Context(milliseconds=120_000), SkippingClock())
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line for line in lines if line["message"] in ("sweep", "drift", "removals held")]


@pytest.mark.long
def test_the_next_sweep_finishes_a_killed_one(world: World, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """Whichever call is the last one before a kill, the next sweep makes the new accounts live, and finds no drift."""
    world.respond("Create", "Golden", properties())
    for dies_after in range(1, 60):
        accounts = LISTS[dies_after % 2]
        script.respond = parameter(accounts)
        was_killed = world.invoke(SWEEP, dies_after)
        world.expire_leases()
        lines = swept(capsys)
        assert [line["message"] for line in lines] == ["sweep"], (dies_after, lines)
        assert lines[0]["result"] in ("combined", "repaired", "unchanged"), (dies_after, lines)
        assert targets(world) == ids(accounts), dies_after
        assert not is_dirty(world), dies_after
        assert [line["result"] for line in swept(capsys)] == ["unchanged"], dies_after
        if not was_killed:
            assert dies_after > 10
            return
    raise AssertionError("the sweep makes fewer calls")
