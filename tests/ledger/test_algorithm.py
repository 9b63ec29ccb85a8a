"""The algorithm, with several functions at once, killed at any call, and with late writes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provider.errors import ProviderError
from provider.ledger.claims import claims_of, values_of
from provider.ledger.parts import Body, Event, Revision
from provider.ledger.store import Store
from provider.ledger.sweep import DriftMode, Result
from provider.resources.ownership import Owner
from tests.ledger.bodies import ACCOUNT, ARN, OWNER, TEMPLATES, USER_IDS, accepted, content, team, template, users
from tests.ledger.simulation import BAD, Kind, World

seeds = st.integers(0, 2**32)
GOLDEN = Body(content(), (USER_IDS, TEMPLATES))


def world(seed: int = 0, kill: float = 0.0, late: float = 0.0, freeze: float = 0.0) -> World:
    """Return a world with a settled owner that allows user IDs and launch templates."""
    made = World(seed, kill, late, freeze)
    made.live = content()
    with_owner(made, GOLDEN)
    return made


def with_owner(made: World, body: Body) -> None:
    """Record a settled owner."""
    owner = accepted(OWNER, body.wanted, body.contributions, date=1.0)
    assert Store(made.table, lambda: 0.0).put(None, owner)


def request(owner: Owner, number: int, kind: Kind = "Create", date: float = 1000.0) -> Event:
    """Return an event."""
    return Event(owner, Revision(date, f"{owner.stack_id}-{number}"), kind, date + 3600, is_owner=owner == OWNER)


def reasons(made: World) -> dict[str, str]:
    """Return the reasons of the FAILED responses by stack."""
    return {
        one.owner.stack_id.split("/")[1]: str(result)
        for one, _, result in made.responses
        if isinstance(result, ProviderError)
    }


def accounts(made: World) -> list[str]:
    """Return the live user IDs."""
    permission = (made.live or {})["distributions"][0]["amiDistributionConfiguration"].get("launchPermission", {})
    found: list[str] = permission.get("userIds", [])
    return found


def test_one_write_serves_all_waiting_requests() -> None:
    """Many contributions at once take a few writes, and every request gets a response."""
    made = world()
    for number in range(60):
        made.send(request(team(str(number)), 0), Body(users(f"{number:012}")))
    made.run()
    assert len(made.responses) == 60
    assert reasons(made) == {}
    assert len(accounts(made)) == 60
    assert len(made.writes) <= 4
    made.check_end()


def test_a_single_request_writes_with_its_own_id_as_token() -> None:
    """The client token of a write for a single request is its RequestId; it is used once only."""
    made = world()
    one = request(team("a"), 0)
    made.send(one, Body(users("1")))
    made.run()
    assert [token for token, _ in made.writes] == [one.revision.request_id]
    made.live = content()  # somebody else changes it, and the event is delivered again
    made.send(request(team("b"), 0), Body(users("2")))
    made.run()
    made.sweep(DriftMode.REPAIR)
    tokens = [token for token, _ in made.writes]
    assert len({*tokens}) == len(tokens)


def test_a_conflict_rejects_only_the_newcomer() -> None:
    """Of two requests that conflict, the earlier one succeeds; the other one is told whose value it meets."""
    made = world()
    made.send(request(team("a"), 0), Body(template("lt-00000000000000001", setDefaultVersion=False)))
    made.send(request(team("b"), 0, date=1001.0), Body(template("lt-00000000000000001")))
    made.send(request(team("c"), 0, date=1002.0), Body(users("1")))
    made.run()
    assert reasons(made).keys() == {"b"}
    assert "SetDefaultVersion conflicts: resource Part of stack" in reasons(made)["b"]
    made.check_end()


@pytest.mark.parametrize("bad", [["0"], ["4"], ["9"], ["2", "7"]])
def test_one_bad_newcomer_is_isolated(bad: list[str]) -> None:
    """If Image Builder rejects the content of one newcomer, only that one fails, with the service's message."""
    made = world()
    for number in range(10):
        body = template(BAD) if str(number) in bad else users(f"{number:012}")
        made.send(request(team(str(number)), 0, date=1000.0 + number), Body(body))
    made.run()
    assert reasons(made).keys() == {*bad}
    assert all(f"the launch template {BAD} does not exist" in reason for reason in reasons(made).values())
    assert len(accounts(made)) == 10 - len(bad)
    made.check_end()


def test_accepted_content_that_is_rejected_now_is_named() -> None:
    """If Image Builder rejects what was accepted before, all fail and name the part; its own Update still works."""
    made = world()
    for number, body in enumerate((template(BAD), users("000000000001"))):
        assert Store(made.table, lambda: 0.0).put(None, accepted(team(f"old{number}"), body, date=1.0))
    made.live = dict(made.settled or {})
    made.send(request(team("a"), 0), Body(users("000000000002")))
    made.run()
    assert f"which is a value of resource Part of stack {team('old0').stack_id}" in reasons(made)["a"]
    made.responses.clear()
    made.send(request(team("b"), 0, date=2000.0), Body(users("000000000003")))
    made.send(request(team("c"), 0, date=2000.0), Body(template(BAD)))
    made.send(request(team("old0"), 1, "Update", date=2001.0), Body(template("lt-00000000000000002")))
    made.run()
    assert "old0" not in reasons(made)
    made.responses.clear()
    made.send(request(team("d"), 0, "Create", date=3000.0), Body(users("000000000004")))
    made.run()
    assert reasons(made) == {}
    made.check_end()


def test_a_delete_withdraws_only_its_own_part() -> None:
    """Invariant 8, through the algorithm: what another part claims, too, stays."""
    made = world()
    for name in "ab":
        made.send(request(team(name), 0), Body(users("000000000001", f"00000000000{ord(name) - 87}"[-12:])))
    made.run()
    made.send(request(team("a"), 1, "Delete", date=2000.0), None)
    made.run()
    assert reasons(made) == {}
    assert accounts(made) == ["000000000001", "000000000011"]
    made.check_end()


def test_a_delete_of_nothing_succeeds_and_leaves_a_tombstone() -> None:
    """A Delete that overtakes its Create succeeds, and the late Create changes nothing."""
    made = world()
    made.send(request(team("a"), 1, "Delete", date=2000.0), None)
    made.run()
    made.send(request(team("a"), 0, "Create", date=1000.0), Body(users("1")))
    made.run()
    assert "a newer request for resource Part" in reasons(made)["a"]
    assert made.writes == []


def test_a_late_delete_never_withdraws_a_part_created_since() -> None:
    """A late Delete succeeds if the part was created since, and fails if it was only changed since."""
    made = world()
    made.send(request(team("a"), 2, "Create", date=2000.0), Body(users("1")))
    made.run()
    made.send(request(team("a"), 1, "Delete", date=1500.0), None)
    made.run()
    assert reasons(made) == {}
    made.send(request(team("a"), 4, "Update", date=3000.0), Body(users("2")))
    made.run()
    made.send(request(team("a"), 3, "Delete", date=2500.0), None)
    made.run()
    assert "a newer request" in reasons(made)["a"]
    assert accounts(made) == ["2"]


def test_a_copy_gets_the_same_response() -> None:
    """A copy of a request whose part is settled gets the response of the first delivery, and writes nothing."""
    made = world()
    good, bad = request(team("a"), 0), request(team("b"), 0)
    for _ in range(2):
        made.send(good, Body(users("1")))
        made.send(bad, Body(template(BAD)))
        made.run()
    assert [isinstance(result, ProviderError) for one, _, result in made.responses if one == good] == [False, False]
    assert len({str(result) for one, _, result in made.responses if one == bad}) == 1
    assert len([content for _, content in made.writes if "userIds" in str(content)]) == 1


def test_a_missing_configuration_fails_a_part_but_not_its_delete() -> None:
    """A part of a configuration that does not exist is rejected, and its Delete succeeds."""
    made = world()
    made.send(request(team("a"), 0), Body(users("1")))
    made.run()
    made.live = None
    made.send(request(team("b"), 0), Body(users("2")))
    made.send(request(team("a"), 1, "Delete", date=2000.0), None)
    made.run()
    assert reasons(made).keys() == {"b"}
    assert "does not exist" in reasons(made)["b"]


def test_a_request_out_of_time_withdraws_its_proposal() -> None:
    """While another holder keeps the lease, a request waits; before it fails, it withdraws its proposal."""
    made = world()
    store = Store(made.table, lambda: made.now)
    assert store.take(store.lease(ARN), "somebody", made.now + 1000)
    made.send(request(team("a"), 0), Body(users("1")))
    made.run()
    assert "timed out before the parts of" in reasons(made)["a"]
    assert [part.owner for part in made.parts if part.is_live] == [OWNER]


def test_the_dirty_flag_stays_until_a_read_shows_the_merge() -> None:
    """If the holder is killed after its write, the lease stays dirty, and the next combination clears it."""
    made = world()
    function = made.send(request(team("a"), 0), Body(users("000000000001")))
    while not made.writes:
        made.step()
    function.is_killed = True
    made.run()
    store = Store(made.table, lambda: made.now)
    assert store.lease(ARN).is_dirty
    made.settle_down()
    made.sweep()
    assert not store.lease(ARN).is_dirty
    assert accounts(made) == []
    made.check_end()


def test_a_lapsed_proposal_is_never_combined() -> None:
    """A proposal older than its request's ServiceTimeout is removed, and its content never becomes live."""
    made = world()
    function = made.send(request(team("a"), 0), Body(users("000000000001")))
    while not any(part.is_newcomer for part in made.parts):
        made.step()
    function.is_killed = True
    made.run()
    made.now += 3700.0
    made.send(request(team("b"), 0, date=made.now), Body(users("000000000002")))
    made.run()
    assert accounts(made) == ["000000000002"]
    made.check_end()


@settings(max_examples=60)
@given(seeds)
def test_invariant_2_live_is_the_merge_whatever_crashed(seed: int) -> None:
    """Functions are killed or frozen at any call, and writes are late. After retries and sweeps, live = merge."""
    made = scenario(seed, kill=0.03, late=0.2, freeze=0.01)
    assert made.live is not None


@settings(max_examples=40)
@given(seeds)
def test_invariant_4_what_is_rejected_is_not_live(seed: int) -> None:
    """No response is SUCCESS for a rejected part, and its content is not live once everything is settled."""
    made = scenario(seed, kill=0.02, late=0.0)
    live = values_of(claims_of(made.live or {}, ACCOUNT))
    accepted_parts = [body for part in made.parts if (body := part.accepted_body())]
    claimed = {path for body in accepted_parts for path in values_of(claims_of(body.content, ACCOUNT))}
    assert live.keys() == claimed
    for one, _, result in made.responses:
        record = next((part for part in made.parts if part.owner == one.owner), None)
        if record is not None and record.revision == one.revision and record.rejection:
            assert isinstance(result, ProviderError)


@settings(max_examples=60)
@given(seeds)
def test_invariant_5_a_frozen_holder_settles_nothing(seed: int) -> None:
    """A holder that is frozen until its lease has expired settles nothing afterward (checked at each settlement)."""
    made = scenario(seed, kill=0.0, late=0.0, freeze=0.05)
    assert made.responses


@settings(max_examples=40)
@given(seeds)
def test_invariant_1_success_follows_a_read_that_shows_the_content(seed: int) -> None:
    """Each SUCCESS is sent only after a read showed the part's content (checked at each response)."""
    made = scenario(seed, kill=0.0, late=0.3)
    assert made.responses


def scenario(seed: int, kill: float, late: float, freeze: float = 0.0) -> World:
    """Run random requests of an owner and three stacks, with copies, deliver killed ones again, and sweep."""
    made = world(seed, kill, late, freeze)
    random = made.random
    identifiers = [f"lt-{number:017}" for number in range(3)] + [BAD]

    def body() -> dict[str, Any]:
        if random.random() < 0.5:
            return users(*random.sample([f"{number:012}" for number in range(6)], random.randint(1, 3)))
        members: list[dict[str, Any]] = [{}, {}, {"setDefaultVersion": False}]
        return template(random.choice(identifiers), **random.choice(members))

    sent: list[tuple[Event, Body | None]] = []
    for number in range(random.randint(3, 12)):
        owner = random.choice([OWNER, team("a"), team("b"), team("c")])
        kind: Kind = random.choice(["Create", "Update", "Delete"])
        date = 1000.0 + random.choice([number, number, random.randint(0, 12)])
        wanted = Body(body())
        if owner == OWNER:
            kind, wanted = (
                "Update",
                Body(content(description=f"{number}"), random.choice([GOLDEN.contributions] * 3 + [()])),
            )
        one = request(owner, number, kind, date)
        sent.append((one, None if kind == "Delete" else wanted))
        made.send(*sent[-1])
        if random.random() < 0.2:
            made.send(*random.choice(sent))
        for _ in range(random.randint(0, 40)):
            if made.running:
                made.step()
        if random.random() < 0.1:
            made.start("sweep", lambda function: made.sweep_of(function).run())
    made.run()
    made.stop_faults()
    made.deliver_again()
    made.run()
    made.settle_down()
    made.sweep()
    made.sweep()
    made.check_end()
    return made


def test_a_late_write_is_repaired_by_the_sweep() -> None:
    """Content whose digest is recorded is our own late write: it is repaired, although drift is only reported."""
    made = world()
    made.send(request(team("a"), 0), Body(users("000000000001")))
    made.run()
    late = dict(made.live or {})
    made.send(request(team("b"), 0), Body(users("000000000002")))
    made.run()
    made.live = late
    assert [one.result for one in made.sweep()] == [Result.REPAIRED]
    made.check_end()


def test_drift_is_reported_or_repaired() -> None:
    """Other content is drift: reported by default, repaired if the mode says so."""
    made = world()
    made.live = content(description="by hand")
    (report,) = made.sweep()
    assert report.result is Result.DRIFTED
    assert [one.path for one in report.drift] == ['Distributions["us-east-1"].AmiDistributionConfiguration.Description']
    assert made.writes == []
    assert [one.result for one in made.sweep(DriftMode.REPAIR)] == [Result.REPAIRED]
    assert [one.result for one in made.sweep()] == [Result.UNCHANGED]
    made.check_end()


def test_a_deployment_overwrites_drift() -> None:
    """Every write replaces the whole configuration, so a deployment overwrites drift."""
    made = world()
    made.live = content(description="by hand")
    made.send(request(team("a"), 0), Body(users("000000000001")))
    made.run()
    made.check_end()


def test_the_sweep_combines_what_a_killed_function_left() -> None:
    """A proposal whose function was killed, with the lease or without it, is settled by the sweep."""
    made = world()
    function = made.send(request(team("a"), 0), Body(users("000000000001")))
    while not made.writes:
        made.step()
    function.is_killed = True
    made.run()
    assert [one.result for one in made.sweep()] == [Result.BUSY]
    made.now += 41
    assert [one.result for one in made.sweep()] == [Result.COMBINED]
    assert accounts(made) == ["000000000001"]
    made.check_end()


def test_invariant_9_is_in_the_sources() -> None:
    """A body with a source that is not resolved has no content: nothing is written with a part of a list."""
    source = {"organizationalUnit": "ou-ab12-11111111"}
    with pytest.raises(KeyError):
        _ = Body(content(targetAccountIds=[source])).content
