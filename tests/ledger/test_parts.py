"""The record of a part: revisions, transitions, and packing."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.errors import ProviderError
from provider.ledger.parts import (
    TOMBSTONE_SECONDS,
    Body,
    Order,
    Part,
    accept,
    compare,
    has_lapsed,
    is_expired,
    propose,
    recorded,
    reject,
    roll_back,
    source_id,
    withdraw,
)
from tests.ledger.bodies import ARN, accepted, content, contributions_of_parts, event, proposed, team, users

A = team("a")
SOURCE = {"organizationalUnit": "ou-ab12-11111111", "except": ["222222222222"]}


@pytest.mark.parametrize(
    ("date", "request_id", "kind", "order"),
    [
        (99, "new", "Create", Order.OLDER),
        (101, "new", "Create", Order.NEWER),
        (100, "second", "Update", Order.SAME),
        (100, "first", "Update", Order.OLDER),
        (100, "new", "Update", Order.NEWER),
        (100, "new", "Delete", Order.NEWER),
        (101, "second", "Update", Order.NEWER),
    ],
)
def test_invariant_6_an_older_event_never_replaces_a_newer_part(
    date: float, request_id: str, kind: str, order: Order
) -> None:
    """The later request wins; at equal times, the first arrival of another one, and never a copy of one seen before."""
    part = propose(None, ARN, event(A, 100, "first"), Body(users("1")))
    part = propose(part, ARN, event(A, 100, "second", "Update"), Body(users("2")))
    assert compare(part, event(A, date, request_id, kind)) is order


def test_a_delete_wins_at_equal_times() -> None:
    """At equal times, a Create or Update never replaces a Delete."""
    part = withdraw(accepted(A, users("1")), ARN, event(A, 100, "delete", "Delete"), 100)
    assert compare(part, event(A, 100, "other", "Update")) is Order.OLDER
    assert compare(part, event(A, 100, "again", "Delete")) is Order.NEWER
    assert compare(part, event(A, 101, "later", "Create")) is Order.NEWER


@given(st.permutations([(100, "a", "Create"), (100, "b", "Update"), (101, "c", "Update"), (101, "d", "Delete")]))
def test_the_last_request_wins_in_any_order_of_arrival(arrivals: list[tuple[float, str, str]]) -> None:
    """In whatever order requests and their copies arrive, the Delete that was made last decides."""
    part: Part | None = None
    for date, request_id, kind in (*arrivals, *arrivals):
        one = event(A, date, request_id, kind)
        if compare(part, one) is Order.NEWER:
            part = withdraw(part, ARN, one, 0) if one.is_delete else propose(part, ARN, one, Body({}))
    assert part is not None
    assert part.revision == (101, "d")
    assert part.proposed is None


def test_a_proposal_keeps_the_accepted_body() -> None:
    """Until a proposal is settled, and after its rejection, the accepted body counts."""
    part = propose(accepted(A, users("1")), ARN, event(A, 200, kind="Update"), Body(users("2")))
    rejected = reject(part, "no", 200)
    assert part.accepted == rejected.accepted == accepted(A, users("1")).accepted
    assert (part.is_newcomer, rejected.is_newcomer, rejected.rejection) == (True, False, "no")
    assert accept(part, 200).accepted_body() == Body(users("2"))


def test_a_withdrawn_part_leaves_a_tombstone_for_a_day() -> None:
    """A withdrawn part, and a Delete that finds none, leave a tombstone with the revision for a day."""
    removing = withdraw(accepted(A, users("1")), ARN, event(A, 200, "d", "Delete"), 200)
    for buried in (accept(removing, 200), withdraw(None, ARN, event(A, 200, "d", "Delete"), 200)):
        assert not buried.is_live
        assert buried.revision == (200, "d")
        assert buried.expires == 200 + TOMBSTONE_SECONDS
        assert not is_expired(buried, 200 + TOMBSTONE_SECONDS - 1)
        assert is_expired(buried, 200 + TOMBSTONE_SECONDS)
        assert compare(buried, event(A, 100)) is Order.OLDER


def test_a_delete_withdraws_a_proposal_through_the_ledger() -> None:
    """The Delete of a part that is only proposed is settled like any other, because its content may be live."""
    removing = withdraw(proposed(A, users("1")), ARN, event(A, 200, "d", "Delete"), 200)
    assert removing.is_removing
    assert removing.proposed is None


def test_a_failed_delete_keeps_the_part() -> None:
    """If a Delete fails before it is settled, the accepted body stays in effect."""
    removing = withdraw(accepted(A, users("1")), ARN, event(A, 200, "d", "Delete"), 200)
    assert roll_back(removing, 200).accepted == accepted(A, users("1")).accepted
    assert roll_back(proposed(A, users("1")), 200).expires == 200 + TOMBSTONE_SECONDS


def test_the_date_of_the_create_shows_what_a_late_delete_may_withdraw() -> None:
    """A part is created by its last Create, or by an Update that finds nothing; an Update keeps the date."""
    part = accepted(A, users("1"), date=100)
    assert propose(part, ARN, event(A, 200, kind="Update"), Body({})).created == 100
    assert propose(part, ARN, event(A, 200, kind="Create"), Body({})).created == 200
    buried = accept(withdraw(part, ARN, event(A, 150, kind="Delete"), 150), 150)
    assert propose(buried, ARN, event(A, 200, kind="Update"), Body({})).created == 200


def test_a_proposal_lapses_when_cloudformation_stops_waiting() -> None:
    """A proposal older than its request's ServiceTimeout has lapsed."""
    part = proposed(A, users("1"), date=100)
    assert not has_lapsed(part, 100 + 3599)
    assert has_lapsed(part, 100 + 3600)
    assert not has_lapsed(accept(part, 0), 1e9)


@given(contributions_of_parts(), st.lists(st.text(), max_size=3))
def test_packing_is_lossless(wanted: dict[str, Any], contributions: list[str]) -> None:
    """A packed body is unpacked unchanged."""
    body = Body(wanted, tuple(contributions), {"source": ["1"]}, "digest")
    assert Body.unpack(body.pack()) == body


def test_a_large_body_is_compressed() -> None:
    """A merged body of 1.5 MB compresses to a small part of an item."""
    accounts = [f"{10**11 + number * 65537:012}" for number in range(1536)]
    entries = [
        {"region": f"region-{number}", "amiDistributionConfiguration": {"targetAccountIds": accounts}}
        for number in range(64)
    ]
    assert len(Body({"distributions": entries}).pack()) < 40 * 1024


def test_a_body_that_does_not_fit_is_rejected() -> None:
    """A packed body over 180 KB is rejected, so that two fit into an item."""
    noise = "".join(hashlib.sha256(bytes([number % 256, number // 256])).hexdigest() for number in range(6000))
    with pytest.raises(ProviderError, match="at most 180 KB fit"):
        Body({"description": noise}).pack()


def sourced(accounts: list[str], properties: str) -> Body:
    """Return a body with a source."""
    return Body(content(targetAccountIds=["1", SOURCE]), (), {source_id(SOURCE): accounts}, properties)


def test_a_source_is_replaced_by_its_accounts() -> None:
    """The content has the accounts of the sources, each once."""
    body = sourced(["3", "1"], "p")
    assert body.content == content(targetAccountIds=["1", "3"])
    assert Body.unpack(body.pack()) == body


def test_the_record_keeps_the_accounts_of_two_bodies() -> None:
    """The accounts of the accepted body and of the one before it are found by the resource's properties."""
    first = accept(propose(None, ARN, event(A, 100), sourced(["1"], "first")), 100)
    second = accept(propose(first, ARN, event(A, 200, kind="Update"), sourced(["2"], "second")), 200)
    back = accept(propose(second, ARN, event(A, 300, kind="Update"), sourced(["1"], "first")), 300)
    for part in (second, back):
        assert recorded(part, "first") == {source_id(SOURCE): ["1"]}
        assert recorded(part, "second") == {source_id(SOURCE): ["2"]}
    assert recorded(second, "third") is None
