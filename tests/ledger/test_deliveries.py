"""Several deliveries of one request, and records that change while a request writes its own."""

from typing import Any

import pytest

from provider.ledger.parts import Body, accept
from provider.ledger.store import Store
from provider.ledger.table import Write
from tests.ledger.bodies import ARN, team, users
from tests.ledger.test_algorithm import accounts, reasons, request, world


def test_another_delivery_of_a_failed_request_tries_again() -> None:
    """A request that ran out of time withdraws its proposal; another delivery of it proposes again, and succeeds."""
    made = world()
    store = Store(made.table, lambda: made.now)
    assert store.take(store.lease(ARN), "somebody", made.now + 150)
    one = request(team("a"), 0)
    made.send(one, Body(users("000000000001")))
    made.run()
    assert "timed out" in reasons(made)["a"]
    assert accounts(made) == []
    made.now += 100.0
    made.responses.clear()
    made.send(one, Body(users("000000000001")))
    made.run()
    assert reasons(made) == {}
    assert accounts(made) == ["000000000001"]
    made.check_end()


def test_a_record_that_changes_meanwhile_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a part is settled while its next request is being recorded, that request reads the record again."""
    made = world()
    made.send(request(team("a"), 0), Body(users("000000000001")))
    made.run()
    store, write = Store(made.table, lambda: made.now), made.table.write

    def write_after_another(one: Write) -> Any:
        if "proposed" in one.changes:
            monkeypatch.setattr(made.table, "write", write)
            part = next(part for part in made.parts if part.owner == team("a"))
            assert store.put(part, accept(part._replace(proposed=part.accepted), made.now))
        return write(one)

    monkeypatch.setattr(made.table, "write", write_after_another)
    made.send(request(team("a"), 1, "Update", date=2000.0), Body(users("000000000002")))
    made.run()
    assert reasons(made) == {}
    assert accounts(made) == ["000000000002"]
    made.check_end()
