"""Plans the deployment of a template with the handler's own decisions. Live configurations are only read.

A template does not name its stack, and CloudFormation is not called. So ownership tags show a configuration's owner.
Placeholders replace the values that are known only at deployment. Each value is evaluated twice, with different
placeholders: if the results differ, the value depends on a placeholder.
"""

from collections.abc import Iterable, Mapping
from itertools import starmap
from typing import Any

from ...cloudformation.request import Request
from ...errors import ProviderError
from ...plan import CreateConfiguration, DeleteConfiguration, NeedsRead, Plan
from ...resources import resource_type
from ...resources.locations import Locations
from ...resources.ownership import Owner, Ownership, State, is_released_to, is_shared
from ...schema.check import validate_properties
from ...schema.diff import ABSENT, differences
from ...schema.expand import Expanded, expand
from ...schema.finding import Finding, Severity, Spelling
from ...schema.model import TARGET
from ...stack_engine.deployment import AttributeMissingError
from ...template.template_error import TemplateError
from ..source_values import SourceValues
from .changes import Action, Change, CurrentConfiguration
from .current_stack import CurrentStack
from .evaluated_twice import depends_on_placeholder, same_target
from .live_state import UnreadableError
from .requests import request, target_of
from .sources import with_given_accounts

_DEPENDS_ON_DEPLOYMENT = (
    "its name, its ARN, its location, or its structure depends on a value that is known only at deployment"
)
_IF_ADOPTED = (
    "{} exists without this resource's ownership tags. If the deployed template adopts it with this resource, the "
    "resource becomes its owner; otherwise, the deployment is refused, because the name is in use. To find out, use "
    "--previous FILE with the deployed template"
)
_IF_RELEASED = (
    "{} was released by {} to a resource that adopted it. Whether that is this resource is unknown, because the ID of "
    "this resource's stack is unknown"
)
_IF_SHARED = (
    "{} is shared: it also has the parts of other stacks, and the deployment keeps them. Only the provider's ledger "
    "shows which values are theirs, and plan does not read it. To see the merged configuration, use rehearse TEMPLATE "
    "--with OTHER"
)


class Planner:
    """Plans one deployment to `stack`."""

    def __init__(self, stack: CurrentStack, sources: SourceValues) -> None:
        """Prepare a plan. `sources` has the given accounts of account sources."""
        self.stack, self.new, self.old = stack, stack.new, stack.old
        self._live_state, self._sources = stack.live_state, sources

    def changes(self) -> list[Change]:
        """The change of each of the provider's resources, the removed ones last. Raises UserError if a read fails."""
        found, before = self.stack.find()
        order = self.new.provider_resources()
        changes = [self._plan_resource(name, before.get(name)) for name in order]
        return [
            *(one._replace(warnings=(*one.warnings, *found.warnings.get(one.logical_id, ()))) for one in changes),
            *(self._plan_removed(name, one) for name, one in before.items() if name not in order),
            *starmap(self._plan_not_in_template, found.removed),
        ]

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
            change = _without_request(change)
        else:
            self._live_state.create(plan, self.stack.locations(properties))
        if change.arn:
            desired = expand(properties, self.new.type_of(name).schema).parameters
            self.stack.remember(name, change.arn, desired, properties)
        return change

    def _plan_properties(
        self, name: str, properties: dict[str, Any], others: dict[str, Any], before: CurrentConfiguration | None
    ) -> tuple[Change, Plan]:
        resource = self.new.type_of(name)
        expanded, twin = expand(properties, resource.schema), expand(others, resource.schema)
        found = validate_properties(expanded, resource.rules)
        findings = _certain(found, expanded.checked, twin.checked)
        type_name = self.new.one.type(name)
        change = Change(name, Action.REFUSED, findings=findings, properties=properties, type_name=type_name)
        if problems := _problems(findings):
            return change._replace(reason=problems), Plan()
        if unreadable := self.new.unreadable(name):
            return change._replace(action=Action.UNKNOWN, reason=unreadable), Plan()
        desired, other = expanded.parameters, twin.parameters
        is_known = same_target(desired, other) and (before is None or before.arn)
        if not is_known or "type" in {one.rule for one in found}:
            return change._replace(action=Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT), Plan()
        try:
            return self._plan_sources(change, expanded, twin, before)
        except UnreadableError as error:
            return self._unreadable(change._replace(reason=str(error)), desired, before), Plan()

    def _unreadable(self, change: Change, desired: Mapping[str, Any], before: CurrentConfiguration | None) -> Change:
        """The unknown change of a resource whose location cannot be read."""
        arn = self._live_state.arn(target_of(desired), self.stack.locations(change.properties))
        replaced = self._plan_replaced(change.logical_id, before) if before and arn != before.arn else None
        return change._replace(action=Action.UNKNOWN, arn=arn, replaced=replaced)

    def _plan_sources(
        self, change: Change, expanded: Expanded, twin: Expanded, before: CurrentConfiguration | None
    ) -> tuple[Change, Plan]:
        """The change of a resource with the accounts that are given for its account sources."""
        rules = self.new.type_of(change.logical_id).rules
        planned = with_given_accounts(expanded, twin, self._sources, rules)
        change = change._replace(findings=(*change.findings, *planned.findings))
        if problems := _problems(planned.findings):
            return change._replace(reason=problems), Plan()
        spelling = Spelling(change.properties, expanded.schema)
        for path, source in planned.unknown.items():
            text = f"{change.logical_id}: {spelling.text(path[:-1])} depends on {source}, which plan does not read"
            self.stack.notes.append(f"{text}; to give its accounts, use --resolve {source.id}=ACCOUNTS")
        change = change._replace(has_unknown_sources=bool(planned.unknown))
        return self._plan_valid(change, planned.desired, planned.other, before)

    def _plan_valid(
        self, change: Change, desired: Mapping[str, Any], other: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> tuple[Change, Plan]:
        """The change of a resource whose properties are valid, according to the handler's decision."""
        name = change.logical_id
        locations = self.stack.locations(change.properties)
        live = self._live_state.read(target_of(desired), locations)
        if live and is_shared(live.tags):
            return change._replace(action=Action.UNKNOWN, reason=_IF_SHARED.format(live.arn)), Plan()
        schema = self.new.type_of(name).schema
        try:
            plan = self._decide(self._request(name, desired, change.properties, before), desired)
        except ProviderError as refusal:
            return self._unless_adopted(change._replace(reason=str(refusal)), desired, before), Plan()
        arn = plan.subject.arn if plan.subject else self._live_state.arn(target_of(desired), locations)
        change = change._replace(
            action=_action(plan),
            arn=arn,
            differences=plan.differences,
            warnings=plan.warnings,
            # A value that exists only with the other placeholders is not in the template.
            placeholders=tuple(one.path for one in differences(desired, other, schema) if one.old is not ABSENT),
        )
        if before and arn != before.arn:
            change = change._replace(action=Action.REPLACE, replaced=self._plan_replaced(name, before))
        return change, plan

    def _unless_adopted(
        self, refused: Change, desired: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> Change:
        """The refused change; an unknown one if this resource may have adopted the configuration of its Name.

        Then it may be an Update, which is not refused. Ownership tags do not show which resource has adopted it.
        """
        live = self._live_state.read(target_of(desired), self.stack.locations(refused.properties))
        if live is None or TARGET in desired or (self.old and before is None):
            return refused
        ownership = Ownership.of(live.tags)
        reason = _IF_RELEASED.format(live.arn, ownership) if self.old else _IF_ADOPTED.format(live.arn)
        possible = refused._replace(action=Action.UNKNOWN, arn=live.arn, reason=reason)
        if ownership.state is State.RELEASED:
            return possible
        if self.old:
            return refused
        owner = self.stack.owner(refused.logical_id, live)
        try:
            plan = self._decide(request("Update", owner, live.arn, refused.properties), desired)
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
        unreadable = self.old.unreadable(name) if change.action is Action.UNKNOWN else ""
        return change._replace(reason=unreadable or change.reason)

    def _plan_not_in_template(self, name: str, before: CurrentConfiguration) -> Change:
        """The change of a configuration whose ownership tags name a resource that the template lacks."""
        if name not in self.new.one.order:
            return self._plan_delete(name, before, "Delete")
        type_ = self.new.one.type(name)
        reason = f"{before.arn} has its ownership tags, but in this template its type is {type_}"
        return Change(name, Action.UNKNOWN, reason=f"{reason}: CloudFormation rejects that if it is still in the stack")

    def _plan_replaced(self, name: str, before: CurrentConfiguration) -> Change:
        """The change of the configuration that a resource has before it gets another one."""
        return self._plan_delete(name, before, self.new.one.policies(name)[1])

    def _plan_delete(self, name: str, before: CurrentConfiguration, policy: str) -> Change:
        """The change of a replaced configuration, or that of a removed resource, under CloudFormation's policy."""
        if policy.startswith("Retain"):
            reason = f"its policy is {policy}, so CloudFormation sends no Delete"
            return Change(name, Action.RETAIN, before.arn, reason=reason)
        if not before.arn:
            return Change(name, Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT)
        # Only distribution configurations have an ARN here.
        locations = self.stack.locations(before.properties)
        try:
            live = self._live_state.read(before.arn, locations)
            plan = self._decide_delete(before, self.stack.owner(name, live))
        except UnreadableError as error:
            return Change(name, Action.UNKNOWN, before.arn, reason=str(error))
        if any(isinstance(step, DeleteConfiguration) for step in plan.steps):
            return Change(name, Action.DELETE, before.arn, reason=before.condition)
        if live is None:
            return Change(name, Action.NONE, reason=f"{before.arn} no longer exists, so nothing is deleted")
        return Change(name, Action.RETAIN, before.arn, warnings=plan.warnings)

    def _decide_delete(self, before: CurrentConfiguration, owner: Owner) -> Plan:
        desired = expand(before.properties, resource_type().schema).parameters
        return self._decide(request("Delete", owner, before.arn, before.properties), desired)

    def _request(
        self, name: str, desired: Mapping[str, Any], properties: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> Request:
        """The request that CloudFormation sends."""
        if before:
            live = self._live_state.read(before.arn, self.stack.locations(before.properties))
            return request("Update", self.stack.owner(name, live), before.arn, properties, before.properties)
        live = self._live_state.read(target_of(desired), self.stack.locations(properties))
        owner = self.stack.owner(name, live)
        if live and not self.old and (self.stack.owns(name, live) or is_released_to(live.tags, owner)):
            return request("Update", owner, live.arn, properties)
        return request("Create", owner, "", properties)

    def _decide(self, request: Request, desired: Mapping[str, Any]) -> Plan:
        type_ = resource_type(request.resource_type)
        old = expand(request.old_properties, type_.schema).parameters
        locations = Locations.of(request, desired, old, self._live_state.location)
        observed = {}
        if request.request_type != "Delete":
            # If the service rejects a name because it exists, the handler reads the configuration, too.
            target = target_of(desired)
            observed[target] = self._live_state.read(target, locations)
        while isinstance(decision := type_.decide(request, desired, old, locations, observed, request.date), NeedsRead):
            observed[decision.target] = self._live_state.read(decision.target, locations)
        return decision


def _action(plan: Plan) -> Action:
    if any(isinstance(step, CreateConfiguration) for step in plan.steps):
        return Action.CREATE
    return Action.UPDATE if plan.steps else Action.NONE


def _certain(found: Iterable[Finding], one: Any, other: Any) -> tuple[Finding, ...]:
    """The findings that do not depend on placeholders, which differ in the two evaluations."""
    return tuple(finding for finding in found if not depends_on_placeholder(finding.path, one, other))


def _without_request(change: Change) -> Change:
    """The change of a resource whose properties are unchanged: none, or the drift that stays."""
    known = [one for one in change.differences if one.path not in change.placeholders]
    is_unknown = change.action is Action.UNKNOWN or (change.has_unknown_sources and not known)
    action = Action.NONE if change.action is Action.NONE or is_unknown else Action.DRIFT
    unchanged = "the properties are unchanged, so CloudFormation sends nothing"
    # The handler is not invoked, so its warnings do not apply.
    warnings = change.warnings if action is Action.NONE else ()
    reason = "; ".join(filter(None, (change.reason, unchanged)))
    return change._replace(action=action, reason=reason, warnings=warnings)


def _problems(findings: Iterable[Finding]) -> str:
    errors = sum(one.severity is Severity.ERROR for one in findings)
    count = "1 problem" if errors == 1 else f"{errors} problems"
    return f"{count} with the properties; no API calls are made" if errors else ""
