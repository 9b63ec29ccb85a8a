"""A Delete and the observed state -> a plan. Invalid properties never cause a Delete to fail."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..arn import is_configuration_arn
from ..errors import ProviderError
from ..marker import CreationStatus, status_in
from ..plan import ByName, Configuration, DeleteConfiguration, NeedsRead, Observed, Plan, PutTags
from ..schema.model import CREATE, DELETE, NAME, ON_DELETE, RETAIN, TARGET, operation, pascal_case
from ..schema.validation import validate
from .ownership import (
    Owner,
    Ownership,
    State,
    belongs_to_another,
    is_released_to,
    is_shared,
    shared_without_record,
)

if TYPE_CHECKING:
    from ..cloudformation.request import Request

LATE_SECONDS: Final = 5.0
"""A request is late if the configuration is newer than the request by more than this. The date of a request has whole
seconds. A longer allowance would let in duplicates that arrive within the same minute."""

SEARCH_ALLOWANCE: Final = 15.0
"""The same for a Delete that searches: a concurrent Create may still be creating what it searches for."""

SEARCH_SECONDS: Final = 10.0
"""How long to repeat a search while the Create may still be running."""

HAND_BACK_SECONDS: Final = 3.0
"""How long to try to set a released configuration back to handed over."""

_INVALID_ON_DELETE: Final = f"{pascal_case(ON_DELETE)} is neither {DELETE} nor {RETAIN}; the configuration is retained"


def decide_delete(
    request: "Request", owner: Owner, properties: Mapping[str, Any], observed: Observed
) -> NeedsRead | Plan:
    """Plan a Delete. `properties` are the resource properties by the API's names, not validated.

    Raises ProviderError if the configuration was changed after the request was made.
    """
    if request.is_unsupported_type:
        return Plan(warnings=("the provider never creates resources of this type; there is nothing to delete",))
    if is_configuration_arn(request.physical_id):
        return _delete_configuration(request, owner, properties, observed)
    return _delete_failed_create(request, owner, properties, observed)


def _delete_configuration(
    request: "Request", owner: Owner, properties: Mapping[str, Any], observed: Observed
) -> NeedsRead | Plan:
    arn = request.physical_id
    adopted = properties.get(TARGET) == arn and NAME not in properties
    on_delete = properties.get(ON_DELETE, RETAIN if adopted else DELETE)
    if on_delete != DELETE:
        plan = _plan_retained_adoption(arn, owner, observed, request.date + LATE_SECONDS) if adopted else Plan()
        if on_delete == RETAIN or isinstance(plan, NeedsRead):
            return plan
        return plan._replace(warnings=(_INVALID_ON_DELETE,))
    if arn not in observed:
        return NeedsRead(arn)
    live = observed[arn]
    if live is None:
        return Plan(warnings=(f"{arn} does not exist; there is nothing to delete",))
    if reason := _reason_to_keep(live, owner, adopted=adopted):
        return _plan_hand_back(live, owner, request.date + LATE_SECONDS)._replace(warnings=(reason,))
    return _delete_unless_shared(live, request.date)


def _delete_unless_shared(live: Configuration, date: float) -> Plan:
    """Plan the Delete of a configuration. Raises ProviderError if it has the parts of others."""
    if is_shared(live.tags):
        raise shared_without_record(live.arn)
    return _delete_unless_newer(live, date, LATE_SECONDS)


def _reason_to_keep(live: Configuration, owner: Owner, *, adopted: bool) -> str:
    """Return the warning if a Delete must leave a configuration in place; otherwise empty."""
    ownership, state = Ownership.of(live.tags), owner.state_of(live.tags)
    if state is State.RELEASED:
        return f"{live.arn} was released to a resource that adopted it; skipping delete"
    if state is not None:
        return ""
    if belongs_to_another(live.tags, owner):
        return f"{live.arn} is now owned by {ownership}; skipping delete"
    return "" if adopted else f"{live.arn} does not carry this resource's ownership tags; skipping delete"


def _plan_retained_adoption(arn: str, owner: Owner, observed: Observed, newest: float) -> NeedsRead | Plan:
    """Plan the Delete of an adopter that retains the configuration. A failed read is no reason to fail."""
    if arn not in observed:
        return NeedsRead(arn, within_seconds=HAND_BACK_SECONDS, absent_if_unreadable=True)
    live = observed[arn]
    return Plan() if live is None else _plan_hand_back(live, owner, newest)


def _plan_hand_back(live: Configuration, owner: Owner, newest: float) -> Plan:
    """If a configuration is released to this resource, set it back to handed over, unless it is newer than `newest`."""
    if not is_released_to(live.tags, owner) or (live.changed_at or 0.0) > newest:
        return Plan(subject=live)
    return Plan(subject=live, best_effort=(PutTags(live.arn, Ownership.of(live.tags).handed_over()),))


def _delete_failed_create(
    request: "Request", owner: Owner, properties: Mapping[str, Any], observed: Observed
) -> NeedsRead | Plan:
    """Plan the Delete of a Create that failed or never responded. Delete only an unfinished configuration."""
    status = status_in(request.physical_id)
    arn, name = properties.get(TARGET), properties.get(NAME)
    if isinstance(arn, str) and is_configuration_arn(arn) and name is None:
        return _plan_retained_adoption(arn, owner, observed, request.date + SEARCH_ALLOWANCE)
    if validate(name, operation(CREATE).members[NAME]):
        return Plan()
    target = ByName(str(name))
    if target not in observed:
        return _search(target, status)
    live = observed[target]
    if live is None:
        return Plan()
    if owner.state_of(live.tags) is not State.UNFINISHED:
        warning = f"{live.arn} is not an unfinished configuration of this resource; skipping delete"
        return Plan(subject=live, warnings=(warning,))
    return _delete_unless_newer(live, request.date, SEARCH_ALLOWANCE)


def _search(target: ByName, status: CreationStatus | None) -> NeedsRead:
    """Return how to search for what a Create may have left behind."""
    return NeedsRead(
        target,
        repeat_seconds=SEARCH_SECONDS if status is None else 0.0,
        absent_if_denied=status in (None, CreationStatus.DENIED),
        absent_if_unreadable=status is CreationStatus.NOTHING_CREATED,
    )


def _delete_unless_newer(live: Configuration, date: float, allowance: float) -> Plan:
    """Delete a configuration unless it is newer than the request. Raises ProviderError if it was changed since."""
    newest = date + allowance
    if live.created_at is not None and live.created_at > newest:
        return Plan(subject=live, warnings=(f"{live.arn} was created after this request was made; skipping delete",))
    if live.changed_at is not None and live.changed_at > newest:
        raise ProviderError(
            f"{live.arn} was changed ({live.date_updated}) after this request was made, so it is not deleted: the "
            "request is a late copy, or something else uses the configuration",
            remediation="Repeat the deletion",
        )
    return Plan(steps=(DeleteConfiguration(live.arn),), subject=live)


def is_leftover(live: Configuration, owner: Owner, newest: float) -> bool:
    """Return whether a configuration is unfinished, owned by `owner`, and not newer than `newest` (epoch seconds)."""
    return owner.state_of(live.tags) is State.UNFINISHED and not (live.changed_at or 0.0) > newest
