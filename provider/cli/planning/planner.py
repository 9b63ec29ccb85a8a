"""Plans the deployment of a template with the handler's own decisions. Live configurations are only read.

A template does not name its stack, and CloudFormation is not called: ownership tags show the owner of a configuration.
Placeholders replace the values that are known only at deployment. Each value is evaluated twice, with different
placeholders: if the results differ, the value depends on a placeholder.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import starmap
from typing import Any, NamedTuple

from ...cloudformation.request import Request
from ...errors import ProviderError
from ...plan import ByName, Configuration, CreateConfiguration, DeleteConfiguration, NeedsRead, Plan, Target
from ...resources import DISTRIBUTION_CONFIGURATION, resource_type
from ...resources.distribution_configuration import decide
from ...resources.ownership import Owner, Ownership
from ...schema.check import validate_properties
from ...schema.diff import ABSENT, differences
from ...schema.expand import expand
from ...schema.finding import Finding, Path, Severity
from ...schema.model import NAME, TARGET
from ...schema.return_values import attributes
from ...stack_engine.deployment import AttributeMissingError, Deployment
from ...stack_engine.records import DeployedResource
from ...template.sections import TemplateError
from .changes import Action, Change, Current
from .live_state import LiveState
from .owned import ResolvedTarget, StackResources, find_stack_resources, stack_ids

_DEPENDS_ON_DEPLOYMENT = "its name, its ARN, or its structure depends on a value that is known only at deployment"
_PREVIOUS = "--previous FILE only"


class EvaluatedTwice(NamedTuple):
    """A template that is deployed twice, with different placeholders."""

    one: Deployment
    other: Deployment

    def properties(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A resource's properties from both. Raises TemplateError if they depend on another resource's attributes."""
        return self.one.properties(name), self.other.properties(name)


@dataclass
class Planner:
    """Plans one deployment of `new` to a stack whose current state is given by `old`, or else by ownership tags.

    Both resolve references in `live`, which the planner fills, as it does `notes`. `stack_name` is empty if it is
    unknown. With `any_resource`, the logical ID in ownership tags is ignored.
    """

    live_state: LiveState
    new: EvaluatedTwice
    live: dict[str, DeployedResource]
    old: EvaluatedTwice | None = None
    stack_name: str = ""
    any_resource: bool = False
    notes: list[str] = field(default_factory=list)
    doubt: str = f"another configuration is known with {_PREVIOUS}"
    """Completes the note on creations: "whether a created configuration replaces ..."."""

    def changes(self) -> list[Change]:
        """The change of each of the provider's resources, the removed ones last. Raises Mistake if a read fails."""
        found = StackResources() if self.old or self.any_resource else self._found()
        before = self._before(self.old) if self.old else found.replaced
        self.live.clear()
        order = [name for name in self.new.one.order if self.new.one.backed(name)]
        changes = [self._changed(name, before.get(name)) for name in order]
        return [
            *(one._replace(warnings=(*one.warnings, *found.warnings.get(one.logical_id, ()))) for one in changes),
            *(self._removed(name, one) for name, one in before.items() if name not in order),
            *starmap(self._not_in_template, found.removed),
        ]

    def _found(self) -> StackResources:
        """The configurations with the stack's ownership tags, if the stack is known."""
        arns = {name: one.arn for name, one in self._before(self.new).items() if one.arn}
        live = {name: found for name, arn in arns.items() if (found := self.live_state.at(arn))}
        ids = self._stacks_of(live)
        if not ids and not self.stack_name:
            self.doubt = f"another configuration is known with --stack-name NAME or {_PREVIOUS}"
            return StackResources()
        listed = self.live_state.owned()
        stack_id = self._only_stack(ids or stack_ids(listed, self.live_state.home, self.stack_name))
        if not stack_id:
            return StackResources()
        targets = {name: ResolvedTarget(arn, name in live) for name, arn in arns.items()}
        backed = list(filter(self.new.one.backed, self.new.one.order))
        return find_stack_resources(listed, stack_id, targets, backed)

    def _stacks_of(self, live: Mapping[str, Configuration]) -> set[str]:
        """The IDs of the stacks that own the configurations, given by logical ID, that can belong to the resource."""
        return {Ownership.of(one.tags).stack_id for name, one in live.items() if self._owns(name, one)}

    def _only_stack(self, ids: set[str]) -> str:
        """The stack's ID; empty, with a note, if ownership tags name no stack or several."""
        if len(ids) > 1:
            known = f"what is replaced or deleted is known with {_PREVIOUS}"
            self.notes.append(f"the ownership tags name several stacks, so {known}: {', '.join(sorted(ids))}")
            return ""
        self.doubt = f"an adopted configuration is known with {_PREVIOUS}"
        if not ids:
            self.doubt += f"; no configuration has the ownership tags of a stack named {self.stack_name}"
        return next(iter(ids), "")

    def _before(self, old: EvaluatedTwice) -> dict[str, Current]:
        """The configuration of each resource of a template once the template is deployed."""
        before = {}
        for name in filter(old.one.backed, old.one.order):
            try:
                properties, others = old.properties(name)
            except TemplateError:
                before[name] = Current("", {})
                continue
            wanted = expand(properties, resource_type().schema)
            if any(
                finding.severity is Severity.ERROR for finding in validate_properties(wanted, resource_type().rules)
            ):
                continue  # it cannot have been deployed
            arn = ""
            if _same_target(wanted.parameters, expand(others, resource_type().schema).parameters):
                target = _target(wanted.parameters)
                found = self.live_state.at(target)
                arn = found.arn if found else self.live_state.arn(target)
                self._remember(name, arn, wanted.parameters, properties)
            before[name] = Current(arn, properties)
        return before

    def _changed(self, name: str, before: Current | None) -> Change:
        try:
            properties, others = self.new.properties(name)
        except AttributeMissingError:
            return Change(name, Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT)
        except TemplateError as error:
            return Change(name, Action.UNKNOWN, reason=str(error))
        if refusal := self._forbidden(name, before, properties):
            return Change(name, Action.REFUSED, reason=refusal)
        change, plan = self._planned(name, properties, others, before)
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
            self._remember(name, change.arn, expand(properties, resource_type().schema).parameters, properties)
        return change

    def _planned(
        self, name: str, properties: dict[str, Any], others: dict[str, Any], before: Current | None
    ) -> tuple[Change, Plan]:
        expanded, other = expand(properties, resource_type().schema), expand(others, resource_type().schema).parameters
        wanted = expanded.parameters
        found = validate_properties(expanded, resource_type().rules)
        findings = tuple(one for one in found if not _depends_on_placeholder(one.path, wanted, other))
        change = Change(name, Action.REFUSED, findings=findings, properties=properties)
        if problems := _problems(findings):
            return change._replace(reason=problems), Plan()
        has_wrong_type = any(one.rule == "type" for one in found)
        if has_wrong_type or not _same_target(wanted, other) or (before and not before.arn):
            return change._replace(action=Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT), Plan()
        return self._accepted(change, wanted, other, before)

    def _accepted(
        self, change: Change, wanted: Mapping[str, Any], other: Mapping[str, Any], before: Current | None
    ) -> tuple[Change, Plan]:
        """The change of a resource whose properties are valid, according to the handler's decision."""
        name = change.logical_id
        request = self._request(name, wanted, change.properties, before)
        try:
            plan = self._decided(request, wanted)
        except ProviderError as refusal:
            return change._replace(reason=str(refusal)), Plan()
        arn = plan.subject.arn if plan.subject else self.live_state.arn(_target(wanted))
        change = change._replace(
            action=_action(plan),
            arn=arn,
            differences=plan.differences,
            warnings=plan.warnings,
            # A value that exists only with the other placeholders is not in the template.
            placeholders=tuple(
                one.path for one in differences(wanted, other, resource_type().schema) if one.old is not ABSENT
            ),
        )
        if before and arn != before.arn:
            replaced = self._released(name, before, self.new.one.policies(name)[1])
            change = change._replace(action=Action.REPLACE, replaced=replaced)
        return change, plan

    def _forbidden(self, name: str, before: Current | None, properties: Mapping[str, Any] | None = None) -> str:
        """CloudFormation's message about an update that it does not allow; empty for other updates."""
        if before is None or self.old is None or name not in self.new.one.template.resources:
            return ""
        if self.new.one.type(name) != self.old.one.type(name):
            return "Update of resource type is not permitted. Give the resource another logical ID"
        if properties and before.properties and properties["ServiceToken"] != before.properties["ServiceToken"]:
            return "Modifying service token is not allowed."
        return ""

    def _removed(self, name: str, before: Current) -> Change:
        assert self.old is not None
        if refusal := self._forbidden(name, before):
            return Change(name, Action.REFUSED, before.arn, reason=refusal)
        return self._released(name, before, self.old.one.policies(name)[0])

    def _not_in_template(self, name: str, before: Current) -> Change:
        """The change of a configuration whose ownership tags name a resource that the template lacks."""
        if name not in self.new.one.order:
            return self._released(name, before, "Delete")
        type_ = self.new.one.type(name)
        reason = f"{before.arn} has its ownership tags, but in this template its type is {type_}"
        return Change(name, Action.UNKNOWN, reason=f"{reason}: CloudFormation refuses that if it is still in the stack")

    def _released(self, name: str, before: Current, policy: str) -> Change:
        """The change of a configuration that its resource no longer has."""
        if policy.startswith("Retain"):
            reason = f"its policy is {policy}, so CloudFormation sends no Delete"
            return Change(name, Action.RETAIN, before.arn, reason=reason)
        if not before.arn:
            return Change(name, Action.UNKNOWN, reason=_DEPENDS_ON_DEPLOYMENT)
        wanted = expand(before.properties, resource_type().schema).parameters
        owner = self._owner(name, self.live_state.at(before.arn))
        plan = self._decided(_request("Delete", owner, before.arn, before.properties), wanted)
        if any(isinstance(step, DeleteConfiguration) for step in plan.steps):
            return Change(name, Action.DELETE, before.arn, reason=before.condition)
        if self.live_state.at(before.arn) is None:
            return Change(name, Action.NONE, reason=f"{before.arn} no longer exists, so nothing is deleted")
        return Change(name, Action.RETAIN, before.arn, warnings=plan.warnings)

    def _request(
        self, name: str, wanted: Mapping[str, Any], properties: Mapping[str, Any], before: Current | None
    ) -> Request:
        """The request that CloudFormation sends."""
        if before:
            owner = self._owner(name, self.live_state.at(before.arn))
            return _request("Update", owner, before.arn, properties, before.properties)
        found = self.live_state.at(_target(wanted))
        if found and not self.old and self._owns(name, found):
            return _request("Update", self._owner(name, found), found.arn, properties)
        return _request("Create", self._owner(name, found), "", properties)

    def _owner(self, name: str, found: Configuration | None) -> Owner:
        """The resource: as in the configuration's ownership tags if they can be the resource's, else in a new stack."""
        stack_id, logical_id, *_ = Ownership.of(found.tags if found else {})
        matches = logical_id and (self.any_resource or logical_id == name)
        if matches and (not self.stack_name or f":stack/{self.stack_name}/" in stack_id):
            return Owner(stack_id, logical_id)
        return Owner(self.new.one.location.stack_id, name)

    def _owns(self, name: str, found: Configuration) -> bool:
        return self._owner(name, found).state_of(found.tags) is not None

    def _decided(self, request: Request, wanted: Mapping[str, Any]) -> Plan:
        # If the service rejects a name because it exists, the handler reads the configuration, too.
        known = {} if request.request_type == "Delete" else {_target(wanted): self.live_state.at(_target(wanted))}
        old = expand(request.old_properties, resource_type().schema).parameters
        while isinstance(decision := decide(request, wanted, old, known, request.date), NeedsRead):
            known[decision.target] = self.live_state.at(decision.target)
        return decision

    def _remember(self, name: str, arn: str, wanted: Mapping[str, Any], properties: dict[str, Any]) -> None:
        """Make the resource's physical ID and attributes available to `Ref` and `Fn::GetAtt`."""
        known = attributes(arn, str(wanted.get(NAME, arn.rpartition("/")[2])), wanted)
        self.live[name] = DeployedResource(name, DISTRIBUTION_CONFIGURATION, arn, properties, known, "", "")


def _problems(findings: tuple[Finding, ...]) -> str:
    """How many errors were found; empty if there are none."""
    errors = sum(one.severity is Severity.ERROR for one in findings)
    count = "1 problem" if errors == 1 else f"{errors} problems"
    return f"{count} with the properties, nothing is called" if errors else ""


def _target(wanted: Mapping[str, Any]) -> Target:
    return str(wanted[TARGET]) if TARGET in wanted else ByName(str(wanted[NAME]))


def _same_target(wanted: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(wanted.get(member) == other.get(member) for member in (NAME, TARGET))


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


def _action(plan: Plan) -> Action:
    if any(isinstance(step, CreateConfiguration) for step in plan.steps):
        return Action.CREATE
    return Action.UPDATE if plan.steps else Action.NONE


def _depends_on_placeholder(path: Path, one: Any, other: Any) -> bool:
    """Whether `path` leads to a scalar that differs between the two."""
    for element in path:
        try:
            one, other = one[element], other[element]
        except (LookupError, TypeError):
            return False
    return not isinstance(one, (dict, list)) and bool(one != other)
