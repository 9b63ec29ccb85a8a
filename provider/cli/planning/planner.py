"""Plans the deployment of a template with the handler's own decisions. Live configurations are only read.

A template does not name its stack, and CloudFormation is not called. So ownership tags show a configuration's owner.
Placeholders replace the values that are known only at deployment. Each value is evaluated twice, with different
placeholders: if the results differ, the value depends on a placeholder.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import starmap
from typing import Any, NamedTuple

from ...cloudformation.request import Request
from ...errors import ProviderError
from ...plan import ByName, Configuration, CreateConfiguration, DeleteConfiguration, NeedsRead, Plan, Target
from ...resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION, resource_type
from ...resources.interface import ResourceType
from ...resources.locations import Locations
from ...resources.ownership import Owner, Ownership, State, is_released_to, is_shared
from ...schema.check import validate_properties
from ...schema.diff import ABSENT, differences
from ...schema.expand import expand
from ...schema.finding import Finding, Path, Severity
from ...schema.model import NAME, TARGET
from ...stack_engine.deployment import AttributeMissingError, Deployment
from ...stack_engine.records import DeployedResource
from ...template.template_error import TemplateError
from .changes import Action, Change, CurrentConfiguration
from .live_state import LiveState
from .stack_resources import ResolvedTarget, StackResources, find_stack_resources, stack_ids

_DEPENDS_ON_DEPLOYMENT = "its name, its ARN, or its structure depends on a value that is known only at deployment"
_IF_ADOPTED = (
    "{} exists without this resource's ownership tags. If the deployed template adopts it with this resource, the "
    "resource becomes its owner; otherwise, the deployment is refused, because the name is in use. To find out, use "
    "--previous FILE with the deployed template"
)
_IF_RELEASED = (
    "{} was released by {} to a resource that adopted it. Whether that is this resource is unknown, because the ID of "
    "this resource's stack is unknown"
)
_IF_CONTRIBUTED = (
    "this part is merged into the configuration, unless its owner's Contributions do not allow it, or another part "
    "conflicts with it. Only the provider's ledger has those, and plan does not read it. To see the merged "
    "configuration, use rehearse OWNER --with TEMPLATE"
)
_IF_SHARED = (
    "{} is shared: it also has the parts of other stacks, and the deployment keeps them. Only the provider's ledger "
    "shows which values are theirs, and plan does not read it. To see the merged configuration, use rehearse TEMPLATE "
    "--with OTHER"
)


class EvaluatedTwice(NamedTuple):
    """A template that is evaluated twice, with different placeholders."""

    one: Deployment
    other: Deployment

    def properties(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A resource's properties from both. Raises TemplateError if they cannot be evaluated."""
        return self.one.properties(name), self.other.properties(name)


@dataclass
class Planner:
    """Plans one deployment of `new`. The stack's current state comes from `old`, or else from ownership tags.

    The planner fills `live`, in which both templates look up references, and `notes`. `stack_name` is empty if it is
    unknown. With `any_resource`, the logical ID in ownership tags is ignored.
    """

    live_state: LiveState
    new: EvaluatedTwice
    live: dict[str, DeployedResource]
    old: EvaluatedTwice | None = None
    stack_name: str = ""
    any_resource: bool = False
    notes: list[str] = field(default_factory=list)
    replacement_note: str = "another one is unknown without --previous FILE"
    """The rest of the note that starts with "whether a created configuration replaces"."""

    def changes(self) -> list[Change]:
        """The change of each of the provider's resources, the removed ones last. Raises UserError if a read fails."""
        found = StackResources() if self.old or self.any_resource else self._find_stack_resources()
        before = self._configurations(self.old) if self.old else found.replaced
        self.live.clear()
        order = list(filter(self.new.one.is_provider_resource, self.new.one.order))
        changes = [self._plan_resource(name, before.get(name)) for name in order]
        return [
            *(one._replace(warnings=(*one.warnings, *found.warnings.get(one.logical_id, ()))) for one in changes),
            *(self._plan_removed(name, one) for name, one in before.items() if name not in order),
            *starmap(self._plan_not_in_template, found.removed),
        ]

    def _find_stack_resources(self) -> StackResources:
        """The configurations with the stack's ownership tags, if the stack is known."""
        arns = {name: one.arn for name, one in self._configurations(self.new).items() if one.arn}
        live = {name: found for name, arn in arns.items() if (found := self.live_state.read(arn))}
        ids = self._owning_stacks(live)
        if not ids and not self.stack_name:
            self.replacement_note = "another one is unknown without --stack-name NAME or --previous FILE"
            return StackResources()
        owned = self.live_state.owned()
        stack_id = self._only_stack(ids or stack_ids(owned, self.live_state.location, self.stack_name))
        if not stack_id:
            return StackResources()
        targets = {name: ResolvedTarget(arn, name in live) for name, arn in arns.items()}
        order = list(filter(self.new.one.is_provider_resource, self.new.one.order))
        return find_stack_resources(owned, stack_id, targets, order)

    def _owning_stacks(self, live: Mapping[str, Configuration]) -> set[str]:
        """The IDs of the stacks that own these configurations, given by logical ID."""
        return {Ownership.of(one.tags).stack_id for name, one in live.items() if self._owns(name, one)}

    def _only_stack(self, ids: set[str]) -> str:
        """The only stack's ID; empty, with a note, if there is none, or if there are several."""
        if len(ids) > 1:
            self.notes.append(
                "the ownership tags name several stacks, so replacements and deletions are unknown without "
                f"--previous FILE: {', '.join(sorted(ids))}"
            )
            return ""
        self.replacement_note = "an adopted one is unknown without --previous FILE"
        if not ids:
            self.replacement_note += f"; no configuration has the ownership tags of a stack named {self.stack_name}"
        return next(iter(ids), "")

    def _configurations(self, template: EvaluatedTwice) -> dict[str, CurrentConfiguration]:
        """The configuration that each resource of a template has once the template is deployed."""
        found = {}
        for name in filter(template.one.is_provider_resource, template.one.order):
            resource = _type_of(template, name)
            try:
                properties, others = template.properties(name)
            except TemplateError:
                found[name] = CurrentConfiguration("", {})
                continue
            expanded = expand(properties, resource.schema)
            if any(one.severity is Severity.ERROR for one in validate_properties(expanded, resource.rules)):
                continue  # it cannot have been deployed
            arn = ""
            if not _unreadable(template, name) and _same_target(
                expanded.parameters, expand(others, resource.schema).parameters
            ):
                target = _target(expanded.parameters)
                live = self.live_state.read(target)
                arn = live.arn if live else self.live_state.arn(target)
                self._remember(name, arn, expanded.parameters, properties)
            found[name] = CurrentConfiguration(arn, properties)
        return found

    def _plan_resource(self, name: str, before: CurrentConfiguration | None) -> Change:
        try:
            properties, others = self.new.properties(name)
        except AttributeMissingError:
            return Change(name, Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT)
        except TemplateError as error:
            return Change(name, Action.UNKNOWN, reason=str(error))
        if rejection := self._rejection(name, before, properties):
            return Change(name, Action.REFUSED, reason=rejection)
        change, plan = self._plan_properties(name, properties, others, before)
        if before and before.properties == properties:
            action = Action.NONE if change.action in (Action.NONE, Action.UNKNOWN) else Action.DRIFT
            unchanged = "the properties are unchanged, so CloudFormation sends nothing"
            # The handler is not invoked, so its warnings do not apply.
            warnings = change.warnings if action is Action.NONE else ()
            reason = "; ".join(filter(None, (change.reason, unchanged)))
            change = change._replace(action=action, reason=reason, warnings=warnings)
        else:
            self.live_state.create(plan)
        if change.arn:
            desired = expand(properties, _type_of(self.new, name).schema).parameters
            self._remember(name, change.arn, desired, properties)
        return change

    def _plan_properties(
        self, name: str, properties: dict[str, Any], others: dict[str, Any], before: CurrentConfiguration | None
    ) -> tuple[Change, Plan]:
        resource = _type_of(self.new, name)
        expanded, twin = expand(properties, resource.schema), expand(others, resource.schema)
        desired, other = expanded.parameters, twin.parameters
        found = validate_properties(expanded, resource.rules)
        findings = tuple(one for one in found if not _depends_on_placeholder(one.path, expanded.checked, twin.checked))
        type_name = self.new.one.type(name)
        change = Change(name, Action.REFUSED, findings=findings, properties=properties, type_name=type_name)
        if problems := _problems(findings):
            return change._replace(reason=problems), Plan()
        if unreadable := _unreadable(self.new, name):
            return change._replace(action=Action.UNKNOWN, reason=unreadable), Plan()
        is_known = _same_target(desired, other) and (before is None or before.arn)
        if not is_known or "type" in {one.rule for one in found}:
            return change._replace(action=Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT), Plan()
        return self._plan_valid(change, desired, other, before)

    def _plan_valid(
        self, change: Change, desired: Mapping[str, Any], other: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> tuple[Change, Plan]:
        """The change of a resource whose properties are valid, according to the handler's decision."""
        name = change.logical_id
        live = self.live_state.read(_target(desired))
        if live and is_shared(live.tags):
            return change._replace(action=Action.UNKNOWN, reason=_IF_SHARED.format(live.arn)), Plan()
        schema = _type_of(self.new, name).schema
        request = self._request(name, desired, change.properties, before)
        try:
            plan = self._decide(request, desired)
        except ProviderError as refusal:
            return self._unless_adopted(change._replace(reason=str(refusal)), desired, before), Plan()
        arn = plan.subject.arn if plan.subject else self.live_state.arn(_target(desired))
        action = Action.UPDATE if plan.steps else Action.NONE
        if any(isinstance(step, CreateConfiguration) for step in plan.steps):
            action = Action.CREATE
        change = change._replace(
            action=action,
            arn=arn,
            differences=plan.differences,
            warnings=plan.warnings,
            # A value that exists only with the other placeholders is not in the template.
            placeholders=tuple(one.path for one in differences(desired, other, schema) if one.old is not ABSENT),
        )
        if before and arn != before.arn:
            replaced = self._plan_delete(name, before, self.new.one.policies(name)[1])
            change = change._replace(action=Action.REPLACE, replaced=replaced)
        return change, plan

    def _unless_adopted(
        self, refused: Change, desired: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> Change:
        """The refused change; an unknown one if this resource may have adopted the configuration of its Name.

        Then it may be an Update, which is not refused. Ownership tags do not show which resource has adopted it.
        """
        live = self.live_state.read(_target(desired))
        if live is None or TARGET in desired or (self.old and before is None):
            return refused
        ownership = Ownership.of(live.tags)
        reason = _IF_RELEASED.format(live.arn, ownership) if self.old else _IF_ADOPTED.format(live.arn)
        possible = refused._replace(action=Action.UNKNOWN, arn=live.arn, reason=reason)
        if ownership.state is State.RELEASED:
            return possible
        if self.old:
            return refused
        owner = self._owner(refused.logical_id, live)
        try:
            plan = self._decide(_request("Update", owner, live.arn, refused.properties), desired)
        except ProviderError:
            return refused
        return possible._replace(differences=plan.differences)

    def _rejection(
        self, name: str, before: CurrentConfiguration | None, properties: Mapping[str, Any] | None = None
    ) -> str:
        """CloudFormation's message about an update that it does not allow; empty for other updates."""
        if before is None or self.old is None or name not in self.new.one.template.resources:
            return ""
        if self.new.one.type(name) != self.old.one.type(name):
            return "Update of resource type is not permitted. Give the resource another logical ID"
        if properties and before.properties and properties["ServiceToken"] != before.properties["ServiceToken"]:
            return "Modifying service token is not allowed."
        return ""

    def _plan_removed(self, name: str, before: CurrentConfiguration) -> Change:
        assert self.old is not None
        if rejection := self._rejection(name, before):
            return Change(name, Action.REFUSED, before.arn, reason=rejection)
        change = self._plan_delete(name, before, self.old.one.policies(name)[0])
        unreadable = _unreadable(self.old, name) if change.action is Action.UNKNOWN else ""
        return change._replace(reason=unreadable or change.reason)

    def _plan_not_in_template(self, name: str, before: CurrentConfiguration) -> Change:
        """The change of a configuration whose ownership tags name a resource that the template lacks."""
        if name not in self.new.one.order:
            return self._plan_delete(name, before, "Delete")
        type_ = self.new.one.type(name)
        reason = f"{before.arn} has its ownership tags, but in this template its type is {type_}"
        return Change(name, Action.UNKNOWN, reason=f"{reason}: CloudFormation rejects that if it is still in the stack")

    def _plan_delete(self, name: str, before: CurrentConfiguration, policy: str) -> Change:
        """The change of a replaced configuration, or that of a removed resource, under CloudFormation's policy."""
        if policy.startswith("Retain"):
            reason = f"its policy is {policy}, so CloudFormation sends no Delete"
            return Change(name, Action.RETAIN, before.arn, reason=reason)
        if not before.arn:
            return Change(name, Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT)
        # Only distribution configurations have an ARN here.
        desired = expand(before.properties, resource_type().schema).parameters
        owner = self._owner(name, self.live_state.read(before.arn))
        plan = self._decide(_request("Delete", owner, before.arn, before.properties), desired)
        if any(isinstance(step, DeleteConfiguration) for step in plan.steps):
            return Change(name, Action.DELETE, before.arn, reason=before.condition)
        if self.live_state.read(before.arn) is None:
            return Change(name, Action.NONE, reason=f"{before.arn} no longer exists, so nothing is deleted")
        return Change(name, Action.RETAIN, before.arn, warnings=plan.warnings)

    def _request(
        self, name: str, desired: Mapping[str, Any], properties: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> Request:
        """The request that CloudFormation sends."""
        if before:
            owner = self._owner(name, self.live_state.read(before.arn))
            return _request("Update", owner, before.arn, properties, before.properties)
        live = self.live_state.read(_target(desired))
        owner = self._owner(name, live)
        if live and not self.old and (self._owns(name, live) or is_released_to(live.tags, owner)):
            return _request("Update", owner, live.arn, properties)
        return _request("Create", owner, "", properties)

    def _owner(self, name: str, live: Configuration | None) -> Owner:
        """The resource, in the stack that the ownership tags name if it can be in that one, else in a new stack.

        It can be the owner in the tags, or the resource that this owner released the configuration to.
        """
        tags = live.tags if live else {}
        stack_id, logical_id, *_ = Ownership.of(tags)
        is_stack = not self.stack_name or f":stack/{self.stack_name}/" in stack_id
        if is_stack and logical_id and (self.any_resource or logical_id == name):
            return Owner(stack_id, logical_id)
        if is_stack and is_released_to(tags, Owner(stack_id, name)):
            return Owner(stack_id, name)
        return Owner(self.new.one.location.stack_id, name)

    def _owns(self, name: str, live: Configuration) -> bool:
        return self._owner(name, live).state_of(live.tags) is not None

    def _decide(self, request: Request, desired: Mapping[str, Any]) -> Plan:
        # If the service rejects a name because it exists, the handler reads the configuration, too.
        observed = (
            {} if request.request_type == "Delete" else {_target(desired): self.live_state.read(_target(desired))}
        )
        type_ = resource_type(request.resource_type)
        old = expand(request.old_properties, type_.schema).parameters
        locations = Locations.of(request, desired, old, self.live_state.location)
        while isinstance(decision := type_.decide(request, desired, old, locations, observed, request.date), NeedsRead):
            observed[decision.target] = self.live_state.read(decision.target)
        return decision

    def _remember(self, name: str, arn: str, desired: Mapping[str, Any], properties: dict[str, Any]) -> None:
        """Make the resource's physical ID and attributes available to `Ref` and `Fn::GetAtt`."""
        live = Configuration(arn, str(desired.get(NAME, arn.rpartition("/")[2])), {}, {})
        data = resource_type().attribute_values(live, desired, None)
        self.live[name] = DeployedResource(name, DISTRIBUTION_CONFIGURATION, arn, properties, data, "", "")


def _type_of(template: EvaluatedTwice, name: str) -> ResourceType:
    """The type of one of the provider's resources."""
    return resource_type(template.one.type(name))


def _unreadable(template: EvaluatedTwice, name: str) -> str:
    """The reason why the live state of a resource cannot be read; empty for a distribution configuration."""
    if _type_of(template, name) is resource_type():
        return ""
    if template.one.type(name) == CONTRIBUTION:
        return _IF_CONTRIBUTED
    return f"plan does not read resources of type {template.one.type(name)}"


def _problems(findings: Iterable[Finding]) -> str:
    errors = sum(one.severity is Severity.ERROR for one in findings)
    count = "1 problem" if errors == 1 else f"{errors} problems"
    return f"{count} with the properties; no API calls are made" if errors else ""


def _target(desired: Mapping[str, Any]) -> Target:
    return str(desired[TARGET]) if TARGET in desired else ByName(str(desired[NAME]))


def _same_target(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(member) == other.get(member) for member in (NAME, TARGET))


def _request(
    request_type: Any, owner: Owner, arn: str, properties: Mapping[str, Any], old: Mapping[str, Any] | None = None
) -> Request:
    return Request(
        request_type=request_type,
        stack_id=owner.stack_id,
        request_id="plan",
        logical_id=owner.logical_id,
        response_url="",
        physical_id=arn,
        properties=properties,
        old_properties=old or {},
        date=time.time(),
    )


def _depends_on_placeholder(path: Path, one: Any, other: Any) -> bool:
    """Whether the two have different scalars at `path`."""
    for element in path:
        try:
            one, other = one[element], other[element]
        except (LookupError, TypeError):
            return False
    return not isinstance(one, (dict, list)) and bool(one != other)
