"""Removals of accounts that sources no longer contain: applied at once, or held."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.ledger.parts import Body, Part, accept, bury, propose, source_id
from provider.ledger.removals import confirm_removals, held_removals, resolve_anew
from tests.ledger.bodies import ARN, event, team, users

A = team("a")
SOURCE = {"organizationalUnit": "ou-ab12-11111111"}
ID = source_id(SOURCE)


def numbered(count: int, first: int = 0) -> list[str]:
    """Return account IDs."""
    return [f"{number:012}" for number in range(first, first + count)]


def with_accounts(accounts: Sequence[str]) -> Part:
    """Return an accepted part with a source."""
    wanted = users("999999999999")
    wanted["distributions"][0]["amiDistributionConfiguration"]["launchPermission"]["userIds"].append(SOURCE)
    return accept(propose(None, ARN, event(A), Body(wanted, resolved={ID: [*accounts]})), 100)


def live_accounts(part: Part) -> list[str]:
    """Return the accounts that count."""
    body = part.accepted_body()
    assert body is not None
    return body.resolved[ID]


@pytest.mark.parametrize(
    ("before", "removed", "is_held"),
    [(10, 5, False), (10, 6, True), (100, 20, False), (100, 21, True), (3, 3, False), (100, 0, False)],
)
def test_large_removals_are_held(before: int, removed: int, is_held: bool) -> None:
    """A sweep removes 20 percent of a source's accounts, or five; more are held until they are confirmed."""
    part = resolve_anew(with_accounts(numbered(before)), {ID: numbered(before)[removed:]}, 20)
    assert held_removals(part) == ({ID: numbered(removed)} if is_held else {})
    assert live_accounts(part) == numbered(before)[0 if is_held else removed :]
    assert live_accounts(confirm_removals(part)) == numbered(before)[removed:]
    assert held_removals(confirm_removals(part)) == {}


def test_additions_are_applied_while_removals_are_held() -> None:
    """While removals are held, additions are applied; once the accounts are back, nothing is held."""
    part = resolve_anew(with_accounts(numbered(10)), {ID: numbered(3, 20)}, 20)
    assert live_accounts(part) == numbered(10) + numbered(3, 20)
    assert held_removals(part) == {ID: numbered(10)}
    again = resolve_anew(part, {ID: numbered(10) + numbered(3, 20)}, 20)
    assert held_removals(again) == {}
    assert live_accounts(again) == numbered(10) + numbered(3, 20)


def test_a_deployment_ends_holding() -> None:
    """An accepted update has its own accounts, and a withdrawn part none."""
    part = resolve_anew(with_accounts(numbered(10)), {ID: []}, 20)
    assert held_removals(accept(propose(part, ARN, event(A, 200, kind="Update"), Body(users("1"))), 200)) == {}
    assert held_removals(bury(part, 200)) == {}


def test_an_unchanged_source_changes_nothing() -> None:
    """If the sources have the recorded accounts, the record is the same."""
    part = with_accounts(numbered(10))
    assert resolve_anew(part, {ID: numbered(10)}, 20) is part
    held = resolve_anew(part, {ID: []}, 20)
    assert resolve_anew(held, {ID: []}, 20) is held
    assert confirm_removals(part) is part


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.integers(0, 100))
def test_accounts_are_never_lost(before: set[int], found: set[int], most: int) -> None:
    """What counts is what the source has, and what is held; nothing else is added, and at most the limit is removed."""
    old, new = ([f"{number:012}" for number in sorted(numbers)] for numbers in (before, found))
    part = resolve_anew(with_accounts(old), {ID: new}, most)
    held = {*held_removals(part).get(ID, [])}
    assert {*live_accounts(part)} == {*new} | held
    assert held in (set(), {*old} - {*new})
    assert len({*old} - {*live_accounts(part)}) <= max(5, len(old) * most / 100)
