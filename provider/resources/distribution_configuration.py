"""The distribution configuration: a request and the observed state -> a plan. Makes no calls.

The caller calls `decide` repeatedly: it returns `NeedsRead` as long as it needs a configuration that has not been read
yet, then a `Plan`. If a step has an unexpected outcome (the configuration already exists, a response was lost), the
caller reads again and calls `decide` again.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..arn import Location, is_configuration_arn, slug, with_name
from ..errors import ProviderError
from ..plan import (
    ByName,
    Configuration,
    CreateConfiguration,
    DeleteUnfinished,
    HandBack,
    NeedsRead,
    Observed,
    Plan,
    PutTags,
    ReadAgain,
    RemoveTags,
    Step,
    Undo,
    UpdateConfiguration,
    WriteResult,
)
from ..schema.diff import Difference, differences
from ..schema.distribution_rules import DISTRIBUTION_RULES
from ..schema.finding import Finding
from ..schema.location_rules import LOCATION_RULES
from ..schema.model import (
    CLIENT_TOKEN,
    CREATE,
    DISTRIBUTIONS,
    NAME,
    REGION,
    ROLE,
    SERVICE,
    TAGS,
    TARGET,
    content_members,
    distribution_configuration,
    operation,
    pascal_case,
)
from ..schema.return_values import ARN, ATTRIBUTES, DATE_UPDATED, REGIONS, REQUEST_ID
from ..schema.rules import OWNERSHIP_TAGS, RULES
from ..schema.validation import validate
from .deletion import LATE_SECONDS, SEARCH_ALLOWANCE, decide_delete
from .image_builder import OPERATIONS, ImageBuilder
from .interface import ResourceType
from .locations import Locations
from .ownership import (
    STACK_TAG,
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

RECREATE_SECONDS: Final = 60.0
"""After this time, an Update does not re-create: without a live configuration, no date shows if it is a late copy."""


class Intent(NamedTuple):
    """A Create or Update. `desired` and `old` are the resource properties by the API's names.

    `date` is when the request was made, `now` the current time, in seconds since the epoch.
    """

    desired: Mapping[str, Any]
    old: Mapping[str, Any]
    locations: Locations
    owner: Owner
    physical_id: str
    is_create: bool
    date: float
    now: float

    @classmethod
    def of(
        cls, request: "Request", desired: Mapping[str, Any], old: Mapping[str, Any], locations: Locations, now: float
    ) -> "Intent":
        """Return the intent of a request."""
        is_create = request.request_type == "Create"
        return cls(desired, old, locations, Owner.of(request), request.physical_id, is_create, request.date, now)

    @property
    def content(self) -> dict[str, Any]:
        """The part of the properties that an Update call replaces."""
        return {member: self.desired[member] for member in content_members() if member in self.desired}

    @property
    def tags(self) -> Mapping[str, str]:
        """The user's tags."""
        tags: Mapping[str, str] = self.desired.get(TAGS, {})
        return tags

    @property
    def has_configuration(self) -> bool:
        """Whether this is an Update whose physical ID is an ARN, not the marker of a failed Create."""
        return not self.is_create and is_configuration_arn(self.physical_id)


def decide(
    request: "Request",
    desired: Mapping[str, Any],
    old: Mapping[str, Any],
    locations: Locations,
    observed: Observed,
    now: float,
) -> NeedsRead | Plan:
    """Plan a request.

    `desired` and `old` are the resource properties expanded to the API's names; `desired` has been validated unless
    the request is a Delete. `now` is the current time, in seconds since the epoch. Raises ProviderError if the request
    must be rejected.
    """
    if request.request_type == "Delete":
        return decide_delete(request, Owner.of(request), desired, observed)
    intent = Intent.of(request, desired, old, locations, now)
    if intent.has_configuration and _is_target(desired, locations.desired, intent.physical_id):
        return _plan_update(intent, observed)
    plan = _plan_create_or_adopt(intent, observed)
    if isinstance(plan, Plan) and not intent.is_create and not intent.has_configuration:
        return plan._replace(best_effort=_leftovers(intent))
    return plan


def decide_after_create(
    request: "Request", desired: Mapping[str, Any], locations: Locations, arn: str, live: Configuration | None
) -> ReadAgain | Plan:
    """Plan what follows a Create call that returned an ARN. `live` is the observed state of that configuration.

    If Image Builder knows the client token, it replays its response, and the configuration may have been created,
    changed, or deleted long ago. Raises ProviderError if this request did not create it.
    """
    intent = Intent.of(request, desired, {}, locations, request.date)
    if live is None or _is_stale(live, request):
        return ReadAgain(f"reads do not show {arn} as this request created it")
    state = intent.owner.state_of(live.tags)
    changed = _differences(live.content, intent.content)
    if state is None and not belongs_to_another(live.tags, intent.owner) and not changed:
        return _hand_over(intent, live, intent.tags)
    if state in (None, State.RELEASED):
        raise _already_exists(desired[NAME], live, intent.owner)
    if changed:
        # If the configuration is handed over, an earlier delivery created it. So different content is newer.
        _reject_if_newer(live, -math.inf if state is State.HANDED_OVER else intent.date)
        return _hand_over(intent, live, {}, UpdateConfiguration(live.arn, intent.content))
    return Plan(subject=live) if state is State.HANDED_OVER else _hand_over(intent, live, {})


def _is_stale(live: Configuration, request: "Request") -> bool:
    """Return whether a read after a Create shows an earlier state."""
    return request.is_dated and live.changed_at is not None and live.changed_at < request.date - LATE_SECONDS


def _hand_over(intent: Intent, live: Configuration, tags: Mapping[str, str], *before: Step) -> Plan:
    return Plan(steps=(*before, PutTags(live.arn, {**tags, **intent.owner.tags()})), subject=live)


def _is_target(properties: Mapping[str, Any], location: Location, arn: str) -> bool:
    """Return whether properties, which specify this location, mean the configuration with this ARN."""
    if TARGET in properties:
        return bool(properties[TARGET] == arn)
    # Unless properties specify it, an unverified location may be wrong.
    is_certain = location.is_verified or REGION in properties or ROLE in properties
    return _is_named(properties.get(NAME), arn) and (location.contains(arn) or not is_certain)


def _is_named(name: object, arn: str) -> bool:
    return isinstance(name, str) and with_name(arn, name) == arn


def _plan_create_or_adopt(intent: Intent, observed: Observed) -> NeedsRead | Plan:
    """Plan a Create, an adoption, or an Update to another target."""
    if TARGET in intent.desired:
        return _plan_adoption(intent, intent.desired[TARGET], observed)
    target = ByName(intent.desired[NAME])
    if target not in observed:
        return _create(intent) if intent.is_create else NeedsRead(target)
    live = observed[target]
    if live is not None:
        return _plan_existing(intent, target, live)
    return _plan_rename(intent, observed) if intent.has_configuration else _create(intent)


def _plan_adoption(intent: Intent, arn: str, observed: Observed) -> NeedsRead | Plan:
    if arn not in observed:
        return NeedsRead(arn)
    live = observed[arn]
    if live is None:
        raise _missing(arn)
    return _converge(intent, live, old_tags={}, adopting=True, restoring=True)


def _plan_rename(intent: Intent, observed: Observed) -> NeedsRead | Plan:
    """Plan an Update to a name that does not exist yet."""
    if intent.now - intent.date > RECREATE_SECONDS:
        if intent.physical_id not in observed:
            return NeedsRead(intent.physical_id)
        current = observed[intent.physical_id]
        if current is None:
            raise _too_old(intent.physical_id, intent.now - intent.date)
        _reject_if_newer(current, intent.date)
    return _create(intent)


def _plan_existing(intent: Intent, target: ByName, live: Configuration) -> Plan:
    """Plan a Create or an Update whose name already exists."""
    state = intent.owner.state_of(live.tags)
    if state is State.UNFINISHED:
        is_own_work = _is_own_work(intent, live)
        plan = _converge(intent, live, old_tags={}, rewriting=not is_own_work)
        return plan if intent.is_create else plan._replace(undo=Undo(created=DeleteUnfinished(target, math.inf)))
    if not intent.has_configuration and state is State.HANDED_OVER and _is_own_work(intent, live):
        return Plan(subject=live)
    if not intent.has_configuration or (state is None and not is_released_to(live.tags, intent.owner)):
        raise _already_exists(target.name, live, intent.owner)
    return _converge(intent, live, old_tags={}, restoring=True)


def _is_own_work(intent: Intent, live: Configuration) -> bool:
    """Return whether an earlier delivery of this request wrote the content: it is as desired and newer."""
    is_newer = live.changed_at is not None and live.changed_at >= intent.date
    return is_newer and not _differences(live.content, intent.content)


def _plan_update(intent: Intent, observed: Observed) -> NeedsRead | Plan:
    """Plan the update of the resource's current configuration."""
    arn = intent.physical_id
    if arn not in observed:
        return NeedsRead(arn)
    live = observed[arn]
    if live is None:
        return _recreate(intent, arn)
    owner = intent.owner
    if NAME in intent.desired and belongs_to_another(live.tags, owner) and not is_released_to(live.tags, owner):
        raise _owned_by_another(live)
    old_tags = intent.old.get(TAGS) if _is_target(intent.old, intent.locations.old, arn) else {}
    plan = _converge(
        intent,
        live,
        old_tags=old_tags if isinstance(old_tags, Mapping) else {},
        adopting=intent.old.get(TARGET) != arn,
    )
    return plan._replace(best_effort=_leftovers(intent, arn))


def _recreate(intent: Intent, arn: str) -> Plan:
    if TARGET in intent.desired:
        raise _missing(arn)
    if intent.now - intent.date > RECREATE_SECONDS:
        raise _too_old(arn, intent.now - intent.date)
    return _create(intent)._replace(
        undo=Undo(), warnings=(f"{arn} was deleted outside of the stack; creating it again",)
    )


def _leftovers(intent: Intent, arn: str = "") -> tuple[DeleteUnfinished | HandBack, ...]:
    """Return the cleanup after another request of the resource failed: a rename, an adoption, or an Update of a marker.

    The old properties then have a target other than the current one, which is `arn` or, without it, the desired one.
    """
    name, target = intent.old.get(NAME), intent.old.get(TARGET)
    if isinstance(target, str) and is_configuration_arn(target) and target != (arn or intent.desired.get(TARGET)):
        return (HandBack(target),)
    if validate(name, operation(CREATE).members[NAME]):
        return ()
    here, there = intent.locations.desired, intent.locations.old
    is_current = _is_named(name, arn) if arn else slug(str(name)) == slug(str(intent.desired.get(NAME)))
    leftover = with_name(arn, str(name)) if arn else ByName(str(name))
    if (here.region, here.account) != (there.region, there.account):
        is_current, leftover = False, there.arn(str(name))
    return () if is_current else (DeleteUnfinished(leftover, intent.date + SEARCH_ALLOWANCE),)


def _create(intent: Intent) -> Plan:
    name, content = intent.desired[NAME], intent.content
    tags = {**intent.tags, **intent.owner.tags(State.UNFINISHED)}
    undo = Undo() if intent.is_create else Undo(created=DeleteUnfinished(ByName(name), math.inf))
    return Plan(
        steps=(CreateConfiguration(name, content, tags),),
        differences=(*_differences(None, content), *_tag_differences({}, intent.tags, ())),
        undo=undo,
    )


def _converge(
    intent: Intent,
    live: Configuration,
    *,
    old_tags: Mapping[str, Any],
    adopting: bool = False,
    restoring: bool = False,
    rewriting: bool = False,
) -> Plan:
    """Plan the steps from the observed state to the desired state; no steps if they are equal.

    The last step hands the configuration over or releases it to its adopter. With `restoring`, the plan can undo all
    changes. With `rewriting`, it writes the content even if it is unchanged.
    """
    if is_shared(live.tags):
        raise shared_without_record(live.arn)  # with a record, the ledger does not show the mark
    changed = _differences(live.content, intent.content)
    if changed:
        _reject_if_newer(live, intent.date)
    tagging = _tagging(intent, live, old_tags, adopting=adopting)
    steps: list[Step] = []
    if changed or rewriting:
        steps.append(UpdateConfiguration(live.arn, intent.content))
    if tagging.remove:
        steps.append(RemoveTags(live.arn, tagging.remove))
    if tagging.put:
        steps.append(PutTags(live.arn, tagging.put))
    return Plan(
        steps=tuple(steps),
        subject=live,
        differences=(*changed, *_tag_differences(live.tags, *tagging.without_ownership())),
        warnings=_warnings(intent, live, adopting=adopting),
        releases=NAME not in intent.desired and STACK_TAG in tagging.put,
        undo=_undo_of_all(live, tagging) if restoring else _undo_of_tags(live, tagging, old_tags),
    )


class _Tagging(NamedTuple):
    """Tags to set and keys to remove, including the ownership tags."""

    put: Mapping[str, str]
    remove: tuple[str, ...]

    def without_ownership(self) -> "_Tagging":
        """Return the same without the ownership tags."""
        put = {key: value for key, value in self.put.items() if key not in OWNERSHIP_TAGS}
        return _Tagging(put, tuple(key for key in self.remove if key not in OWNERSHIP_TAGS))


def _tagging(intent: Intent, live: Configuration, old_tags: Mapping[str, Any], *, adopting: bool) -> _Tagging:
    own = _ownership_changes(intent, live, adopting=adopting)
    put = {key: value for key, value in {**intent.tags, **own.put}.items() if live.tags.get(key) != value}
    # If the live value differs from the old property, someone else set it.
    dropped = (key for key, value in old_tags.items() if key not in intent.tags and live.tags.get(key) == value)
    return _Tagging(put, (*dropped, *own.remove))


def _ownership_changes(intent: Intent, live: Configuration, *, adopting: bool) -> _Tagging:
    """Return the ownership tags to set and to remove."""
    owner, ownership = intent.owner, Ownership.of(live.tags)
    if NAME in intent.desired:
        return _Tagging(owner.tags(), ())
    if owner.state_of(live.tags) is not None:
        return _Tagging({}, tuple(owner.tags()))
    if adopting and ownership.is_complete and not is_released_to(live.tags, owner):
        return _Tagging(ownership.released_to(owner), ())
    return _Tagging({}, ())


def _undo_of_all(live: Configuration, tagging: _Tagging) -> Undo:
    """Return how to undo all changes."""
    overwritten = {key: live.tags[key] for key in (*tagging.put, *tagging.remove) if key in live.tags}
    added = tuple(key for key in tagging.put if key not in live.tags)
    return Undo(
        content=UpdateConfiguration(live.arn, live.content),
        put_tags=PutTags(live.arn, overwritten) if overwritten else None,
        remove_tags=RemoveTags(live.arn, added) if added else None,
    )


def _undo_of_tags(live: Configuration, tagging: _Tagging, old_tags: Mapping[str, Any]) -> Undo:
    """Return how to restore tag values that others set. The stack's rollback restores everything else."""
    touched = (key for key in (*tagging.put, *tagging.remove) if key in live.tags)
    overwritten = {key: live.tags[key] for key in touched if live.tags[key] != old_tags.get(key)}
    return Undo(put_tags=PutTags(live.arn, overwritten) if overwritten else None)


def _warnings(intent: Intent, live: Configuration, *, adopting: bool) -> tuple[str, ...]:
    """Return the warnings of a plan."""
    warnings = []
    name = intent.desired.get(NAME)
    if name is not None and name != live.name:
        warnings.append(f"{name!r} and {live.name!r} have the same ARN ({live.arn}); the name stays {live.name!r}")
    if warning := _ownership_warning(intent, live, adopting=adopting):
        warnings.append(warning)
    return tuple(warnings)


def _ownership_warning(intent: Intent, live: Configuration, *, adopting: bool) -> str:
    ownership, owner = Ownership.of(live.tags), intent.owner
    if NAME in intent.desired:
        if owner.state_of(live.tags) is State.RELEASED:
            return f"{live.arn} was released to a resource that adopted it; this resource takes it back"
        if is_released_to(live.tags, owner):
            return f"{live.arn} was released to this resource by {ownership}; this resource becomes its owner"
        if owner.state_of(live.tags) is None:
            return f"{live.arn} has no ownership tags of this resource; setting them again"
    elif belongs_to_another(live.tags, owner) and not is_released_to(live.tags, owner):
        if adopting:
            return f"{live.arn} is owned by {ownership}; it is released to this resource"
        return f"{live.arn} is owned by {ownership}; both resources will overwrite each other's updates"
    return ""


def _differences(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> tuple[Difference, ...]:
    return differences(old, new, distribution_configuration())


def _tag_differences(
    live: Mapping[str, str], put: Mapping[str, str], remove: tuple[str, ...]
) -> tuple[Difference, ...]:
    before = {key: value for key, value in live.items() if key in put or key in remove}
    return _differences({TAGS: before}, {TAGS: dict(put)})


def _reject_if_newer(live: Configuration, date: float) -> None:
    """Raise ProviderError if the configuration is newer than a request that would overwrite it."""
    if live.changed_at is not None and live.changed_at > date + LATE_SECONDS:
        changed = datetime.fromtimestamp(live.changed_at, UTC)
        raise ProviderError(
            f"{live.arn} was created or changed at {changed:%Y-%m-%dT%H:%M:%SZ}, after this request was made: the "
            "request is a late copy, or something else changed the configuration. It is not overwritten",
            remediation="To apply this template, deploy again",
        )


def _too_old(arn: str, age: float) -> ProviderError:
    return ProviderError(
        f"{arn} does not exist, and this request was made {age:.0f} seconds ago: the request may be a "
        "duplicate, so the configuration was not re-created",
        remediation="To re-create the configuration, deploy again",
    )


def _already_exists(name: str, live: Configuration, owner: Owner) -> ProviderError:
    problem = f"{pascal_case(NAME)}: {name!r} already exists ({live.arn}) and"
    adopt = f"specify {pascal_case(TARGET)}: {live.arn} instead of {pascal_case(NAME)}; otherwise choose another name"
    if owner.state_of(live.tags) is State.HANDED_OVER:
        return ProviderError(
            f"{problem} already belongs to this resource: it was retained earlier, or another request created it (last "
            f"changed {live.date_updated})",
            remediation=f"To manage it again, {adopt}",
        )
    if owner.state_of(live.tags) is State.RELEASED:
        return ProviderError(
            f"{problem} has been adopted by another resource", remediation=f"To adopt it as well, {adopt}"
        )
    if belongs_to_another(live.tags, owner):
        return ProviderError(f"{problem} is owned by {Ownership.of(live.tags)}", remediation=f"To adopt it, {adopt}")
    return ProviderError(f"{problem} is not managed by this resource", remediation=f"To adopt it, {adopt}")


def _owned_by_another(live: Configuration) -> ProviderError:
    return ProviderError(
        f"{live.arn} is now owned by {Ownership.of(live.tags)}; either it was deleted and that stack created it again, "
        "or stack refactoring moved this resource. It was not changed",
        remediation="If the rollback fails for the same reason, run `aws cloudformation continue-update-rollback "
        f"--resources-to-skip`; then choose another {pascal_case(NAME)}, or adopt the configuration with "
        f"{pascal_case(TARGET)}: {live.arn}",
    )


def _missing(arn: str) -> ProviderError:
    account, region = arn.split(":")[4], arn.split(":")[3]
    return ProviderError(
        f"{pascal_case(TARGET)}: {arn} was not found in account {account}, Region {region}",
        remediation=f"Check the ARN. To create a configuration, specify {pascal_case(NAME)}",
    )


def attribute_values(
    live: Configuration, desired: Mapping[str, Any], last_write: WriteResult | None = None
) -> dict[str, str]:
    """Return the values of `ATTRIBUTES`; without `last_write`, only those that depend only on the configuration."""
    regions = ",".join(str(distribution[REGION]) for distribution in desired[DISTRIBUTIONS])
    values = {ARN: live.arn, pascal_case(TARGET): live.arn, pascal_case(NAME): live.name, REGIONS: regions}
    if last_write is not None:
        values |= {
            pascal_case(CLIENT_TOKEN): last_write.client_token,
            REQUEST_ID: last_write.request_id,
            DATE_UPDATED: live.date_updated,
        }
    return values


def check_request_id(request_id: str) -> list[Finding]:
    """Check a request's ID, which is the client token of its calls."""
    return validate(request_id, operation(CREATE).members[CLIENT_TOKEN], (CLIENT_TOKEN,))


RESOURCE_TYPE: Final = ResourceType(
    service=SERVICE,
    operations=OPERATIONS,
    load_schema=distribution_configuration,
    rules=(*RULES, *LOCATION_RULES, *DISTRIBUTION_RULES),
    attributes=ATTRIBUTES,
    attribute_values=attribute_values,
    decide=decide,
    decide_after_create=decide_after_create,
    connect=ImageBuilder,
    expendable_attributes=(REGIONS, DATE_UPDATED, pascal_case(NAME)),
    check_request_id=check_request_id,
)
