"""A Delete and the observed state -> a plan. Makes no calls, and never fails because of the properties."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..arn import is_configuration_arn
from ..errors import ProviderError
from ..marker import CreationStatus, status_in
from ..plan import ByName, Configuration, DeleteConfiguration, NeedsRead, Observed, Plan, PutTags
from ..schema.model import CREATE, DELETE, NAME, ON_DELETE, RETAIN, TARGET, operation, pascal_case
from ..schema.validate import validate
from .ownership import Owner, Ownership, State

if TYPE_CHECKING:
    from ..cloudformation.request import Request

LATE_SECONDS: Final = 5.0
"""A configuration that is this much newer than a request shows that the request is late. Requests are dated in whole
seconds; a longer allowance would let in duplicates that arrive within the same minute."""

SEARCH_ALLOWANCE: Final = 15.0
"""Seconds after a request during which a concurrent request may still create what this one searches for."""

SEARCH_SECONDS: Final = 10.0
"""How long a search is repeated while the Create may still be running."""

HAND_BACK_SECONDS: Final = 3.0
"""How long a request tries to hand a configuration back to its owner."""

_UNREADABLE: Final = f"{pascal_case(ON_DELETE)} is neither {DELETE} nor {RETAIN}; the configuration is retained"


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
        plan = _hand_back(arn, owner, observed, request.date + LATE_SECONDS) if adopted else Plan()
        return plan if on_delete == RETAIN or isinstance(plan, NeedsRead) else plan._replace(warnings=(_UNREADABLE,))
    if arn not in observed:
        return NeedsRead(arn)
    live = observed[arn]
    if live is None:
        return Plan(warnings=(f"{arn} does not exist; there is nothing to delete",))
    if reason := _why_kept(live, owner, adopted=adopted):
        return _handed_back(live, owner, request.date + LATE_SECONDS)._replace(warnings=(reason,))
    return _delete_unless_newer(live, request.date, LATE_SECONDS)


def _why_kept(live: Configuration, owner: Owner, *, adopted: bool) -> str:
    """Why a Delete leaves a configuration in place; empty if it does not."""
    ownership, state = Ownership.of(live.tags), owner.state_of(live.tags)
    if state is State.RELEASED:
        return f"{live.arn} was released to a resource that adopted it; skipping delete"
    if state is not None:
        return ""
    if owner.is_contradicted_by(live.tags):
        return f"{live.arn} is now owned by {ownership}; skipping delete"
    return "" if adopted else f"{live.arn} does not carry this resource's ownership tags; skipping delete"


def _hand_back(arn: str, owner: Owner, observed: Observed, newest: float) -> NeedsRead | Plan:
    """Leave an adopted configuration in place, and its ownership to its owner; that is never a reason to fail."""
    if arn not in observed:
        return NeedsRead(arn, within_seconds=HAND_BACK_SECONDS, absent_if_unreadable=True)
    live = observed[arn]
    return Plan() if live is None else _handed_back(live, owner, newest)


def _handed_back(live: Configuration, owner: Owner, newest: float) -> Plan:
    """Set a configuration that was released to this resource back to handed over, unless it is newer than `newest`."""
    if not owner.was_given(live.tags) or (live.changed_at or 0.0) > newest:
        return Plan(subject=live)
    return Plan(subject=live, best_effort=(PutTags(live.arn, Ownership.of(live.tags).handed_back()),))


def _delete_failed_create(
    request: "Request", owner: Owner, properties: Mapping[str, Any], observed: Observed
) -> NeedsRead | Plan:
    """A Create that failed or never responded: only an unfinished configuration can be its work."""
    status = status_in(request.physical_id)
    arn, name = properties.get(TARGET), properties.get(NAME)
    if isinstance(arn, str) and is_configuration_arn(arn) and name is None:
        return _hand_back(arn, owner, observed, request.date + SEARCH_ALLOWANCE)
    if validate(name, operation(CREATE).members[NAME]):
        return Plan()
    target = ByName(str(name))
    if target not in observed:
        return _search(target, status)
    live = observed[target]
    if live is None:
        return Plan()
    if owner.state_of(live.tags) is not State.UNFINISHED:
        return Plan(subject=live, warnings=(f"{live.arn} is not unfinished work of this resource; skipping delete",))
    return _delete_unless_newer(live, request.date, SEARCH_ALLOWANCE)


def _search(target: ByName, status: CreationStatus | None) -> NeedsRead:
    """How to search for what a Create may have left behind."""
    return NeedsRead(
        target,
        repeat_seconds=SEARCH_SECONDS if status is None else 0.0,
        absent_if_denied=status in (None, CreationStatus.DENIED),
        absent_if_unreadable=status is CreationStatus.NOTHING_CREATED,
    )


def _delete_unless_newer(live: Configuration, date: float, allowance: float) -> Plan:
    """Delete, unless the configuration was created or changed after the request. Raises ProviderError if changed."""
    newest = date + allowance
    if live.created_at is not None and live.created_at > newest:
        return Plan(subject=live, warnings=(f"{live.arn} was created after this request was made; skipping delete",))
    if live.changed_at is not None and live.changed_at > newest:
        raise ProviderError(
            f"{live.arn} was changed ({live.date_updated}) after this request was made, so it is not deleted: the "
            "request is a late copy, or something else uses the configuration",
            remediation="Delete again",
        )
    return Plan(steps=(DeleteConfiguration(live.arn),), subject=live)


def is_leftover(live: Configuration, owner: Owner, newest: float) -> bool:
    """Whether a configuration is unfinished work of this resource, no newer than `newest` (seconds since the epoch)."""
    return owner.state_of(live.tags) is State.UNFINISHED and not (live.changed_at or 0.0) > newest
