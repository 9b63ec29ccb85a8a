"""The planned change of a resource that the ledger records, from the effect of its request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...ledger.claims import differences, path_text
from ...ledger.combine import account_of
from ...ledger.merge import holders
from ...ledger.parts import Part
from ...plan import CreateConfiguration, Plan
from ...resources import CONTRIBUTION
from ...resources.ownership import Owner
from ...schema.diff import Difference
from ...schema.model import TAGS, pascal_case
from ..records.overview import Holding, holdings, without_containers
from .changes import Action, Change
from .recorded_requests import Effect

Owners = Mapping[str, tuple[Owner, ...]]
"""The resources that have the value at a path."""


class MergedConfiguration(NamedTuple):
    """A configuration after the deployment: its values, and which resources have them.

    `is_shared` is whether it has parts of others than its owner.
    """

    arn: str
    holdings: tuple[Holding, ...]
    is_shared: bool


def merged_configuration(arn: str, parts: Sequence[Part]) -> MergedConfiguration:
    """Return a configuration with these parts."""
    return MergedConfiguration(arn, tuple(holdings(parts, account_of(arn))), _is_shared(parts))


def recorded_change(change: Change, effect: Effect, plan: Plan) -> Change:
    """Return the change that a request causes. `plan` is that of its properties alone."""
    found = _differences(effect, plan)
    return change._replace(
        action=_action(change, effect),
        arn=effect.arn,
        differences=found,
        owners=_owners(effect, found),
        warnings=plan.warnings,
    )


def _action(change: Change, effect: Effect) -> Action:
    if change.type_name == CONTRIBUTION:
        return _action_on_part(effect)
    if any(isinstance(step, CreateConfiguration) for step in effect.steps):
        return Action.CREATE
    return Action.UPDATE if effect.steps else Action.NONE


def _action_on_part(effect: Effect) -> Action:
    """What a contribution's request does. A part that stays is updated if the request changes the configuration."""
    before, after = (_own(effect.owner, parts) for parts in (effect.parts_before, effect.parts_after))
    if before is None or after is None:
        return Action.CREATE if after else Action.DELETE if before else Action.NONE
    return Action.UPDATE if effect.steps or _differs(before, after) else Action.NONE


def _own(owner: Owner, parts: Iterable[Part]) -> Part | None:
    """The part of a resource, if it is accepted."""
    return next((part for part in parts if part.owner == owner and part.accepted is not None), None)


def _differs(one: Part, other: Part) -> bool:
    bodies = [part.accepted_body() for part in (one, other)]
    first, second = (body.content if body else None for body in bodies)
    return first != second


def _differences(effect: Effect, plan: Plan) -> tuple[Difference, ...]:
    """The differences between the live configuration and the merged one, and those of tags.

    If a configuration has no parts of others, lists are shown as a whole, as without the ledger.
    """
    if effect.after is None:
        return ()
    if not (_is_shared(effect.parts_before) or _is_shared(effect.parts_after)):
        return plan.differences
    before = effect.before.content if effect.before else {}
    found = without_containers(differences(before, effect.after.content, account_of(effect.arn)))
    return (*found, *filter(_is_tag, plan.differences))


def _is_shared(parts: Iterable[Part]) -> bool:
    return any(part.accepted is not None and not part.is_owner for part in parts)


def _owners(effect: Effect, found: Iterable[Difference]) -> Owners:
    """The resources that have the values of differences; of removed values, those that had them."""
    account = account_of(effect.arn)
    after, before = (dict(_holders(parts, account)) for parts in (effect.parts_after, effect.parts_before))
    tags = (effect.owner,)
    return {
        one.path: tags if _is_tag(one) else after.get(one.path) or before.get(one.path) or _beneath(one.path, after)
        for one in found
    }


def _is_tag(difference: Difference) -> bool:
    return difference.path.startswith(pascal_case(TAGS))


def _holders(parts: Iterable[Part], account: str) -> Iterator[tuple[str, tuple[Owner, ...]]]:
    for path, claims in holders(parts, account).items():
        yield path_text(path), tuple(sorted(claims))


def _beneath(path: str, known: Owners) -> tuple[Owner, ...]:
    """The resources that have a value beneath a path, which is a list's or a structure's as a whole."""
    return tuple(sorted({owner for each, owners in known.items() if each.startswith(path) for owner in owners}))
