"""Parts -> the merged content, and which newcomers conflict. Pure.

Accepted parts come first, then the newcomers in their order. A newcomer that conflicts with what stands is rejected; an
accepted part never loses to it.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ..resources.ownership import Owner
from ..schema.checkpoint import Checkpoint, proceed
from ..schema.merging import Members, allowed_members
from ..schema.model import CONTRIBUTIONS, pascal_case
from .claims import PRESENT, Claim, Claims, Content, Key, Path, claims_of, content_of, members, path_text, schema_at
from .contributions import Breach, allowed_text, breaches, paths_text, relevant
from .parts import Body, Part

_NAMED: Final = 5
"""How many parts a message names."""


class Verdict(NamedTuple):
    """The result of merging. `content` is None if there is neither an owner nor a part.

    `standing` are the newcomers that stand, in the order in which they were judged. `rejected` has the others, with
    the reason.
    """

    content: Content | None
    standing: tuple[Part, ...]
    rejected: Mapping[Owner, str]


def named(owner: Owner) -> str:
    """Return a part's name for messages."""
    return f"resource {owner.logical_id} of stack {owner.stack_id}"


def effective(parts: Iterable[Part]) -> list[Part]:
    """Return the parts with an accepted body that counts, the owner first. Superseded owners do not count."""
    accepted = sorted((part for part in parts if part.accepted is not None), key=lambda part: part.owner)
    owners = [part for part in accepted if part.is_owner]
    top = max(owners, key=_precedence, default=None)
    return [*([top] if top else ()), *(part for part in accepted if not part.is_owner)]


def _precedence(part: Part) -> tuple[bool, int, Owner]:
    return not part.is_retained, part.rank, part.owner


def merged(parts: Iterable[Part], own_account: str, checkpoint: Checkpoint = proceed) -> Content | None:
    """Return the content of what is accepted; None if nothing is."""
    return judge(tuple(effective(parts)), (), own_account, checkpoint).content


def in_order(newcomers: Iterable[Part], live: Content, own_account: str) -> tuple[Part, ...]:
    """Return newcomers in the order in which to judge them: withdrawals, those already live, then by revision."""
    live_claims = claims_of(live, own_account)

    def is_live(part: Part) -> bool:
        if part.proposed is None:
            return False
        _, claims = _read(part.proposed, own_account)
        return all(path in live_claims and live_claims[path].value == claim.value for path, claim in claims.items())

    return tuple(
        sorted(newcomers, key=lambda part: (not part.is_removing, not is_live(part), part.revision, part.owner))
    )


def judge(
    parts: Sequence[Part],
    newcomers: Sequence[Part],
    own_account: str,
    checkpoint: Checkpoint = proceed,
    refused: Collection[Owner] = (),
) -> Verdict:
    """Merge the accepted bodies of `parts` with the proposals of `newcomers`, in their order.

    A newcomer that conflicts is judged again after the others, because one of them may give up what it conflicts with.
    `newcomers` are among `parts` unless they have no accepted body. Those in `refused` do not stand, without a reason.
    """
    merge = _accepted(parts, own_account, checkpoint)
    open_ = [part for part in newcomers if part.owner not in refused]
    standing: list[Part] = []
    rejected: dict[Owner, str] = {}
    while open_:
        rejected.clear()
        for part in open_:
            checkpoint()
            if problem := merge.consider(part):
                rejected[part.owner] = problem
            else:
                standing.append(part)
        if len(rejected) == len(open_):
            break
        open_ = [part for part in open_ if part.owner in rejected]
    # An owner that another newcomer has replaced is judged again once that one is settled.
    return Verdict(merge.content(), tuple(filter(merge.counts, standing)), rejected)


def holders(parts: Iterable[Part], own_account: str) -> Mapping[Path, Mapping[Owner, Claim]]:
    """Return who has which claims of what is accepted."""
    return _accepted(parts, own_account, proceed).holders


def _accepted(parts: Iterable[Part], own_account: str, checkpoint: Checkpoint) -> "Merge":
    merge = Merge(own_account, checkpoint)
    for part in effective(parts):
        assert part.accepted is not None, "an effective part has an accepted body"
        merge.put(part, part.accepted)
    return merge


@lru_cache(maxsize=2048)
def _read(packed: bytes, own_account: str) -> tuple[Body, Claims]:
    """Return a packed body and its claims. A combination reads each several times."""
    body = Body.unpack(packed)
    return body, claims_of(body.content, own_account)


class _Stand(NamedTuple):
    """A body that counts, and its claims.

    `is_settled` is whether the part has an accepted body; `is_gone` is whether it is that of an owner that is gone.
    """

    body: Body
    claims: Claims
    is_owner: bool
    is_settled: bool
    is_gone: bool


class Merge:
    """The union of the claims of the parts that stand so far."""

    def __init__(self, own_account: str, checkpoint: Checkpoint = proceed) -> None:
        self._own_account, self._checkpoint = own_account, checkpoint
        self._stands: dict[Owner, _Stand] = {}
        self._holders: dict[Path, dict[Owner, Claim]] = {}
        self._entries: dict[Path, int] = {}
        self._owner: Owner | None = None

    @property
    def holders(self) -> Mapping[Path, Mapping[Owner, Claim]]:
        """The claims that stand, with the parts that have them."""
        return self._holders

    def content(self) -> Content | None:
        """Return the merged content."""
        if len(self._stands) == 1:
            (only,) = self._stands.values()
            return only.body.content  # as the user wrote it
        if not self._stands:
            return None
        return content_of({path: _shared(holders) for path, holders in self._holders.items()})

    def put(self, part: Part, packed: bytes) -> None:
        """Add a packed body, or replace the one of the same part. An owner replaces the previous owner."""
        self._put(part.owner, self._stand(part, packed, is_gone=part.is_retained))

    def consider(self, part: Part) -> str:
        """Add a newcomer's body unless it conflicts. Returns the reason if it does."""
        if part.proposed is None:
            self.drop(part.owner)
            return ""
        if part.proposed == part.accepted and part.owner in self._stands and not part.is_retained:
            return ""  # it stands, whatever the owner allows by now: a rollback must not fail
        stand = self._stand(part, part.proposed)
        replaced = self._replaced_by(part)
        before = self._owner
        problem = _superseded(part, self._present_owner())
        for name in replaced:
            self.drop(name)
        problem = problem or self._problem(part.owner, stand, is_known=self._is_known(part, replaced))
        if not problem:
            self._put(part.owner, stand)
            return ""
        for name, old in replaced.items():
            self._put(name, old)
        self._owner = before
        return problem

    def _present_owner(self) -> Owner | None:
        """Return whose body sets the content, unless that owner is gone."""
        stand = self._stands.get(self._owner) if self._owner is not None else None
        return None if stand is None or stand.is_gone else self._owner

    def counts(self, part: Part) -> bool:
        """Return whether a newcomer's body or withdrawal counts. Of several owners' bodies, only one does."""
        return not part.is_owner or part.is_removing or part.owner == self._owner

    def drop(self, name: Owner) -> None:
        """Remove a part: what nobody else claims goes with it."""
        stand = self._stands.pop(name, None)
        if stand is None:
            return
        for path in stand.claims:
            holders = self._holders[path]
            del holders[name]
            if not holders:
                del self._holders[path]
                if isinstance(path[-1], Key):
                    self._entries[path[:-1]] -= 1
        if self._owner == name:
            self._owner = None

    def _put(self, name: Owner, stand: _Stand) -> None:
        self.drop(name)
        if stand.is_owner:
            if self._owner is not None:
                self.drop(self._owner)
            self._owner = name
        self._stands[name] = stand
        for path, claim in stand.claims.items():
            if path not in self._holders:
                self._holders[path] = {}
                if isinstance(path[-1], Key):
                    self._entries[path[:-1]] = self._entries.get(path[:-1], 0) + 1
            self._holders[path][name] = claim

    def _replaced_by(self, part: Part) -> dict[Owner, _Stand]:
        """Return the bodies that stand, and that a newcomer's replaces: its own, and another owner's."""
        names = {part.owner}
        if part.is_owner and self._owner is not None:
            names.add(self._owner)
        return {name: self._stands[name] for name in names if name in self._stands}

    def _stand(self, part: Part, packed: bytes, *, is_gone: bool = False) -> _Stand:
        self._checkpoint()
        body, claims = _read(packed, self._own_account)
        if not part.is_owner:
            owner = self._stands.get(self._owner) if self._owner is not None else None
            allowed = allowed_members(owner.body.contributions) if owner is not None else ()
            claims = relevant(claims, allowed)
        return _Stand(body, claims, part.is_owner, part.accepted is not None, is_gone)

    def _is_known(self, part: Part, replaced: Mapping[Owner, _Stand]) -> bool:
        """Return whether a proposal wants what stands of the part already, perhaps with other accounts of sources."""
        old, new = replaced.get(part.owner), part.proposed_body()
        if old is None or new is None or part.is_retained:
            return False
        return (old.body.wanted, old.body.contributions) == (new.wanted, new.contributions)

    def _problem(self, name: Owner, stand: _Stand, *, is_known: bool) -> str:
        """Return why a body cannot be added; empty if it can.

        What is known is not judged by what the owner allows by now, so that rollbacks and sweeps do not fail.
        """
        problem = "" if is_known else self._narrowed(stand) if stand.is_owner else self._not_allowed(stand)
        return problem or self._conflict(name, stand) or self._limit(name, stand)

    def _not_allowed(self, stand: _Stand) -> str:
        owner = self._stands.get(self._owner) if self._owner is not None else None
        if self._owner is None or owner is None:
            return _no_owner()
        if owner.is_gone and not stand.is_settled:
            return _no_owner(f": {named(self._owner)} was deleted")
        if not owner.body.contributions:
            return _no_owner(f": {named(self._owner)} has none")
        found = _breaches(stand, owner)
        if not found:
            return ""
        breach = found[0]
        problem = "does not exist in the owner" if breach.is_missing else "is not allowed by the owner"
        return (
            f"{path_text(breach.path)} {problem}, {named(self._owner)}; it allows "
            f"{allowed_text(owner.body.contributions)}"
        )

    def _narrowed(self, stand: _Stand) -> str:
        """Return which parts an owner's body no longer allows."""
        problems = []
        for name, other in self._stands.items():
            if other.is_owner:
                continue
            found = _breaches(other, stand)
            if found:
                problems.append(f"{named(name)} uses {paths_text([breach.path for breach in found], 1)}")
        if not problems:
            return ""
        problems.sort()
        more = f", and {len(problems) - _NAMED} more parts" if len(problems) > _NAMED else ""
        return (
            f"other resources have parts that this would no longer allow: {'; '.join(problems[:_NAMED])}{more}. Remove "
            f"these parts first, or allow them with {pascal_case(CONTRIBUTIONS)}"
        )

    def _conflict(self, name: Owner, stand: _Stand) -> str:
        for path, claim in stand.claims.items():
            holders = self._holders.get(path)
            if holders and (other := _shared(holders)).value != claim.value:
                holder = next(iter(sorted(holders)))
                return (
                    f"{path_text(path)} conflicts: {named(holder)} has {_shown(other)}, and {named(name)} has "
                    f"{_shown(claim)}"
                )
        return ""

    def _limit(self, name: Owner, stand: _Stand) -> str:
        """Return which list or map would have more entries than the service allows."""
        new = Counter(path[:-1] for path in stand.claims if isinstance(path[-1], Key) and path not in self._holders)
        for path, count in new.items():
            most = schema_at(members(path)).maximum
            total = self._entries.get(path, 0) + count
            if most is not None and total > most:
                counts = self._counts(path) | {name: sum(1 for each in stand.claims if each[:-1] == path)}
                each_text = ", ".join(f"{named(one)} has {counts[one]}" for one in sorted(counts))
                return f"{path_text(path)} would have {total} entries, and Image Builder allows {most}: {each_text}"
        return ""

    def _counts(self, path: Path) -> dict[Owner, int]:
        counts: dict[Owner, int] = {}
        for each, holders in self._holders.items():
            if isinstance(each[-1], Key) and each[:-1] == path:
                for holder in holders:
                    counts[holder] = counts.get(holder, 0) + 1
        return counts


def _superseded(part: Part, owner: Owner | None) -> str:
    """Return why an owner cannot set the content: another one has it, which this one does not adopt it from."""
    if owner is None or owner == part.owner or not part.is_owner or part.is_adoption:
        return ""
    how = "is owned" if part.accepted is None or part.is_retained else "has been adopted"
    return f"{part.arn} {how} by {named(owner)}; it was not changed"


def _no_owner(why: str = "") -> str:
    """Return that nobody allows parts."""
    return (
        f"no resource with {pascal_case(CONTRIBUTIONS)} owns this configuration{why}. To let other stacks contribute, "
        f"add {pascal_case(CONTRIBUTIONS)} to its owner, or adopt it with them. An owner from before the ledger is "
        "recorded at its next update, or by the command record"
    )


def _breaches(stand: _Stand, owner: _Stand) -> list[Breach]:
    allowed: tuple[Members, ...] = allowed_members(owner.body.contributions)
    return breaches(stand.claims, owner.claims, allowed)


def _shared(holders: Mapping[Owner, Claim]) -> Claim:
    """Return the claim that all holders of a path share. It is implied only if it is for all of them."""
    claims = [*holders.values()]
    return next((claim for claim in claims if not claim.is_implied), claims[0])


def _shown(claim: Claim) -> str:
    value: Any = "it" if claim.value is PRESENT else claim.value
    text = json.dumps(value, ensure_ascii=False)
    return f"{text[:200]} (the default)" if claim.is_implied else text[:200]


def values_in(text: str, parts: Iterable[Part], own_account: str) -> tuple[Part, ...]:
    """Return the parts with an accepted value that a message of the service contains."""
    return tuple(part for part in effective(parts) if _has_value_in(text, part, own_account))


def _has_value_in(text: str, part: Part, own_account: str) -> bool:
    claims: Claims = _read(part.accepted, own_account)[1] if part.accepted is not None else {}
    words = (word for claim in claims.values() if not claim.is_implied for word in _words(claim.value))
    return any(len(word) >= _LONG_ENOUGH and word in text for word in words)


def _words(value: object) -> list[str]:
    """Return the texts in the value of a claim."""
    values = value.values() if isinstance(value, dict) else [value]
    return [one for one in values if isinstance(one, str)]


_LONG_ENOUGH: Final = 6
"""Characters of a value that identifies its part in a message. Shorter ones are words of the message."""
