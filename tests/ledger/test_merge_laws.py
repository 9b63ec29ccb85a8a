"""The laws of merging, for any parts."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provider.ledger.claims import are_equal, claims_of, content_of, digest, values_of
from provider.ledger.merge import judge, merged
from provider.ledger.parts import Part, accept
from tests.ledger.bodies import ACCOUNT, OWNER, accepted, contributions_of_parts, proposed, team

EVERYTHING = ["Distributions", "Description"]

contents = contributions_of_parts()
teams = st.lists(contents, min_size=1, max_size=4)


def shuffled(value: Any, random: Any) -> Any:
    """Return a content with all lists and members in another order."""
    if isinstance(value, dict):
        items = [(name, shuffled(entry, random)) for name, entry in value.items()]
        random.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        entries = [shuffled(entry, random) for entry in value]
        random.shuffle(entries)
        return entries
    return value


def newcomers(bodies: list[dict[str, Any]]) -> list[Part]:
    """Return a proposed part of a stack of its own for each body."""
    return [proposed(team(str(number)), body) for number, body in enumerate(bodies)]


def settled(owner: dict[str, Any], bodies: list[dict[str, Any]]) -> list[Part]:
    """Return the accepted parts: the owner's, and those of the bodies that do not conflict."""
    base = accepted(OWNER, owner, EVERYTHING)
    return [base, *(accept(part, 0.0) for part in judge([base], newcomers(bodies), ACCOUNT).standing)]


def wanted(part: Part) -> dict[str, Any]:
    """Return the content of a part's accepted or proposed body."""
    body = part.accepted_body() or part.proposed_body()
    assert body is not None
    return body.content


def values(content: Any) -> dict[Any, object]:
    """Return the values at all paths of a content."""
    return values_of(claims_of(content or {}, ACCOUNT))


@given(contents)
def test_claims_and_content_are_inverse(content: dict[str, Any]) -> None:
    """A content has the claims of its claims' content."""
    claims = claims_of(content, ACCOUNT)
    assert claims_of(content_of(claims), ACCOUNT) == claims


@given(contents, st.randoms(use_true_random=False))
def test_order_has_no_meaning(content: dict[str, Any], random: Any) -> None:
    """Two contents that differ only in order have the same claims, digest, and canonical bytes."""
    other = shuffled(content, random)
    assert are_equal(content, other, ACCOUNT)
    assert digest(content, ACCOUNT) == digest(other, ACCOUNT)
    assert json.dumps(content_of(claims_of(content, ACCOUNT))) == json.dumps(content_of(claims_of(other, ACCOUNT)))


@given(contents, contents)
def test_different_claims_have_different_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two contents have the same digest exactly if they are equal."""
    assert (digest(one, ACCOUNT) == digest(other, ACCOUNT)) == are_equal(one, other, ACCOUNT)


@given(contents, teams, st.randoms(use_true_random=False))
def test_invariant_7_any_order_has_the_same_bytes(
    owner: dict[str, Any], bodies: list[dict[str, Any]], random: Any
) -> None:
    """The same accepted parts in any order, with their lists in any order, produce the same bytes."""
    parts = settled(owner, bodies)
    others = [accepted(part.owner, shuffled(wanted(part), random), EVERYTHING) for part in parts]
    random.shuffle(others)
    if len(parts) > 1:
        assert json.dumps(merged(parts, ACCOUNT)) == json.dumps(merged(others, ACCOUNT))


@given(contents, teams)
def test_invariant_8_a_withdrawal_is_a_set_difference(owner: dict[str, Any], bodies: list[dict[str, Any]]) -> None:
    """Withdrawing a part removes exactly the claims that nobody else has."""
    parts = settled(owner, bodies)
    before = values(merged(parts, ACCOUNT))
    for part in parts[1:]:
        rest = [other for other in parts if other is not part]
        others = {path for other in rest for path in values(wanted(other))}
        assert values(merged(rest, ACCOUNT)) == {path: value for path, value in before.items() if path in others}


@given(contents, teams)
def test_invariant_3_an_accepted_part_never_loses(owner: dict[str, Any], bodies: list[dict[str, Any]]) -> None:
    """Whatever newcomers propose, every accepted claim stays in effect, and every newcomer is judged."""
    base = settled(owner, bodies[:1])
    late = newcomers(bodies)[1:]
    verdict = judge(base, late, ACCOUNT)
    assert values(merged(base, ACCOUNT)).items() <= values(verdict.content).items()
    assert {part.owner for part in verdict.standing} | set(verdict.rejected) == {part.owner for part in late}


@given(contents, teams)
def test_the_merge_is_the_union_of_what_stands(owner: dict[str, Any], bodies: list[dict[str, Any]]) -> None:
    """The merged content has exactly the claims of the parts that stand."""
    verdict = judge([accepted(OWNER, owner, EVERYTHING)], newcomers(bodies), ACCOUNT)
    expected = values(owner)
    for part in verdict.standing:
        expected |= values(wanted(part))
    assert values(verdict.content) == expected
