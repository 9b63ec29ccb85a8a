"""What the holder of a lease does if its calls fail, or if parts change while it holds the lease."""

from collections.abc import Callable

import pytest

from provider.errors import Outcome, ProviderError
from provider.ledger.parts import Body, roll_back
from provider.ledger.store import Store
from provider.ledger.sweep import DriftMode, Result
from provider.plan import UpdateConfiguration, WriteResult
from provider.resources.ownership import State
from tests.ledger.bodies import ARN, OWNER, accepted, content, team, template, users
from tests.ledger.simulation import BAD, World
from tests.ledger.test_algorithm import accounts, reasons, request, world

Update = Callable[[UpdateConfiguration, str], WriteResult]


def store_of(made: World) -> Store:
    """Return the records without any delay."""
    return Store(made.table, lambda: made.now)


def replace_update(
    made: World, update: Callable[[Update, UpdateConfiguration, str], WriteResult], patch: pytest.MonkeyPatch
) -> None:
    """Let Updates of the API do something else. The first argument is the original."""
    original = made.update
    patch.setattr(made, "update", lambda step, token: update(original, step, token))


def test_the_lease_stays_dirty_if_no_read_shows_the_merge() -> None:
    """If no read shows the merge of what is settled, the lease stays dirty until a sweep reads it."""
    made = world()
    made.live = content(description="by hand")

    def update(_original: Update, step: UpdateConfiguration, token: str) -> WriteResult:
        made.delayed.append((2000.0, step.arn, step.content))
        return WriteResult(step.arn, "call", token)

    with pytest.MonkeyPatch.context() as patch:
        replace_update(made, update, patch)
        made.send(request(team("a"), 0), Body(users("000000000001")))
        made.run()
    assert "timed out" in reasons(made)["a"]
    lease = store_of(made).lease(ARN)
    assert (lease.is_dirty, lease.holder) == (True, "")
    made.settle_down()
    assert [one.result for one in made.sweep()] == [Result.REPAIRED]
    assert not store_of(made).lease(ARN).is_dirty
    made.check_end()


def test_an_error_after_the_write_releases_a_dirty_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the holder fails after its write, nobody waits for its lease to expire, and the lease stays dirty."""
    made = world()

    def update(original: Update, step: UpdateConfiguration, token: str) -> WriteResult:
        original(step, token)
        raise ProviderError("denied from now on", outcome=Outcome.REFUSED)

    replace_update(made, update, monkeypatch)
    made.send(request(team("a"), 0), Body(users("000000000001")))
    made.run()
    assert "denied from now on" in reasons(made)["a"]
    lease = store_of(made).lease(ARN)
    assert (lease.is_dirty, lease.holder) == (True, "")
    assert [one.result for one in made.sweep()] == [Result.FAILED]


def test_an_update_without_a_response_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """If an Update could not be sent, the holder repeats it, and the request succeeds."""
    made = world()
    outcomes = [Outcome.UNSENT, Outcome.THROTTLED, Outcome.UNKNOWN]

    def update(original: Update, step: UpdateConfiguration, token: str) -> WriteResult:
        if outcomes:
            raise ProviderError("no response", outcome=outcomes.pop())
        return original(step, token)

    replace_update(made, update, monkeypatch)
    made.send(request(team("a"), 0), Body(users("000000000001")))
    made.run()
    assert reasons(made) == {}
    assert store_of(made).lease(ARN).epoch == 1
    made.check_end()


def test_parts_that_arrive_during_a_write_need_no_other_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that arrives while the holder writes is served by another pass of the same holder."""
    made = world()

    def update(original: Update, step: UpdateConfiguration, token: str) -> WriteResult:
        if not made.writes:
            made.send(request(team("b"), 0), Body(users("000000000002")))
            functions = {one.name: one for one in made.running}
            while not any(part.owner == team("b") for part in made.parts):
                functions[f"{team('b').stack_id}-0"].resume()
        return original(step, token)

    replace_update(made, update, monkeypatch)
    made.send(request(team("a"), 0), Body(users("000000000001")))
    while len(made.responses) < 1:
        made.step()
    assert accounts(made) == ["000000000001", "000000000002"]
    assert store_of(made).lease(ARN).epoch == 1
    made.run()
    made.check_end()


def test_a_part_that_is_withdrawn_during_a_write_is_removed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a request withdraws its proposal after it was written, the same holder removes its content again."""
    made = world()

    def update(original: Update, step: UpdateConfiguration, token: str) -> WriteResult:
        part = next((one for one in made.parts if one.owner == team("b") and one.is_newcomer), None)
        if part is not None:
            assert store_of(made).put(part, roll_back(part, made.now))
        return original(step, token)

    replace_update(made, update, monkeypatch)
    for name in "ab":
        made.send(request(team(name), 0), Body(users(f"00000000000{'ab'.index(name) + 1}")))
    made.run()
    assert reasons(made).keys() == {"b"}
    assert accounts(made) == ["000000000001"]
    assert not store_of(made).lease(ARN).is_dirty
    made.check_end()


def test_a_newcomer_that_is_live_comes_first() -> None:
    """Of two newcomers that conflict, the one whose content is live wins, although the other one is older."""
    made = world()
    live = template("lt-00000000000000001")
    assert store_of(made).put(None, accepted(team("old"), live, date=1.0))
    made.live = made.settled
    old = next(part for part in made.parts if part.owner == team("old"))
    made.table.items = {key: item for key, item in made.table.items.items() if old.owner.stack_id not in key.sort}
    made.send(request(team("a"), 0, date=1000.0), Body(template("lt-00000000000000001", setDefaultVersion=False)))
    made.send(request(team("b"), 0, date=1001.0), Body(live))
    made.run()
    assert reasons(made).keys() == {"a"}
    made.check_end()


def test_an_unfinished_configuration_takes_no_parts() -> None:
    """A part of a configuration that its owner has not finished is rejected, and nothing is written."""
    made = world()
    made.configurations[ARN] = made.configurations[ARN]._replace(tags=OWNER.tags(State.UNFINISHED))
    made.send(request(team("a"), 0), Body(users("000000000001")))
    made.run()
    assert "has not finished creating it" in reasons(made)["a"]
    assert made.writes == []


def test_a_sweep_reports_accepted_content_that_is_rejected_now() -> None:
    """If the service rejects what was accepted before, a sweep fails with its message and rejects no part."""
    made = world()
    assert store_of(made).put(None, accepted(team("old"), template(BAD), date=1.0))
    (swept,) = made.sweep(DriftMode.REPAIR)
    assert swept.result is Result.FAILED
    assert f"the launch template {BAD} does not exist" in swept.problem
    assert any(part.owner == team("old") and part.accepted for part in made.parts)
