"""What to export of a configuration that the ledger records: the owner's own part, and the parts of others."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..authoring.block import logical_id, template
from ..ledger.claims import Content, are_equal, differences
from ..ledger.combine import account_of, effective_owner
from ..ledger.merge import effective, merged, named
from ..ledger.parts import Part
from ..plan import Configuration
from ..resources import CONTRIBUTION, resource_type
from ..schema.flatten import flatten
from ..schema.model import TARGET
from .adopting import OwnPart
from .records.output import stack_name
from .records.overview import without_containers

_NAMED = 5
"""How many resources or paths a message names."""


def own_part(live: Configuration, parts: Sequence[Part], *, with_others: bool) -> OwnPart | None:
    """Return the part of a configuration's recorded owner; None if no owner is recorded.

    `with_others` is whether the parts of others are exported, too. If others have parts, that is what the ledger
    records. Otherwise, it is what is live.
    """
    owner = effective_owner(parts)
    return None if owner is None else _part_of(owner, live, parts, with_others=with_others)


def _part_of(owner: Part, live: Configuration, parts: Sequence[Part], *, with_others: bool) -> OwnPart:
    body, account = owner.accepted_body(), account_of(live.arn)
    assert body is not None, "an effective part has an accepted body"
    others = tuple(part for part in effective(parts) if not part.is_owner)
    recorded = merged(parts, account) or {}
    is_equal = are_equal(live.content, recorded, account)
    notes = [*_notes(owner, parts, () if with_others else others)]
    if others and not is_equal:
        notes.append(_difference_note(recorded, live))
    content = body.wanted if others or is_equal else live.content
    return OwnPart(content, body.contributions, others, tuple(notes))


def _notes(owner: Part, parts: Iterable[Part], others: Sequence[Part]) -> Iterator[str]:
    if not owner.is_retained:
        yield (
            f"the configuration is owned by {named(owner.owner)}; while a resource that adopts it exists, the updates "
            "of that one are rejected"
        )
    if others:
        yield (
            f"the parts of {_few([named(part.owner) for part in others])} are not in this resource; they stay in "
            "effect in their own stacks. To write them as contributions, too, use --parts"
        )
    if waiting := [named(part.owner) for part in parts if part.is_newcomer]:
        yield f"the export lacks the proposals of {_few(waiting)}, because they are not accepted yet"


def _difference_note(recorded: Content, live: Configuration) -> str:
    found = without_containers(differences(recorded, live.content, account_of(live.arn)))
    return (
        f"the live configuration differs from its records at {_few([one.path for one in found])}; the export has what "
        "is recorded, and the deployment restores that"
    )


def _few(texts: Sequence[str]) -> str:
    more = f", and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return f"{', '.join(texts[:_NAMED])}{more}"


def contributions(own: str, parts: Iterable[Part], service_token: Any) -> dict[str, Any]:
    """Return the resources of a template that contribute these parts to the configuration of resource `own`."""
    found: dict[str, Any] = {}
    for part in parts:
        body = part.accepted_body()
        assert body is not None, "the part is accepted"
        properties = flatten({TARGET: {"Ref": own}, **body.wanted}, resource_type(CONTRIBUTION).schema)
        name = _free(logical_id(f"{stack_name(part.owner.stack_id)} {part.owner.logical_id}"), {own, *found})
        found |= template(name, properties, CONTRIBUTION, service_token)["Resources"]
    return found


def _free(name: str, used: set[str]) -> str:
    """Return a logical ID that is not used yet."""
    numbered = (f"{name}{number}" for number in range(2, len(used) + 3))
    return name if name not in used else next(one for one in numbered if one not in used)
