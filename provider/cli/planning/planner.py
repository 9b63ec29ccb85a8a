"""What deploying a template would come to: the handler's own decisions, on live configurations that are only read.

A template does not say which stack it is for, and no stack is asked: ownership tags show whose a configuration is.
What only a deployment can know has a stand-in. Every value is worked out twice, with other stand-ins the second
time: what differs rests on one.
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
from ...schema.attributes import attributes
from ...schema.check import validate_properties
from ...schema.diff import ABSENT, differences
from ...schema.expand import expand
from ...schema.finding import Path, Severity
from ...schema.model import NAME, TARGET
from ...stack_engine.deployment import AttributeMissingError, Deployment
from ...stack_engine.records import Resource
from ...template.sections import TemplateError
from .changes import Action, Before, Change
from .marked import Found, Led, look, stacks
from .world import World

_HANGS = "what it stands for, or how it is built, hangs on a value that only the deployment knows"
_PREVIOUS = "--previous FILE only"


class Twice(NamedTuple):
    """A template as it would be deployed, and as it would be with other stand-ins."""

    one: Deployment
    other: Deployment

    def properties(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A resource's properties, both ways. Raises TemplateError for what waits for another resource."""
        return self.one.properties(name), self.other.properties(name)


@dataclass
class Planner:
    """Plans one deployment: of `new`, to a stack that is as `old` says, or as ownership tags say.

    Both look for resources in `live`, which is filled here, as `notes` are.
    `stack_name` is empty where it is not known; with `any_resource`, ownership tags count whatever their logical ID.
    """

    world: World
    new: Twice
    live: dict[str, Resource]
    old: Twice | None = None
    stack_name: str = ""
    any_resource: bool = False
    notes: list[str] = field(default_factory=list)
    doubt: str = f"another configuration is known with {_PREVIOUS}"
    """What is not known of what is created: whether it replaces ..."""

    def changes(self) -> list[Change]:
        """What becomes of each of the provider's resources, the removed ones last. Raises what reading raises."""
        found = Found() if self.old or self.any_resource else self._found()
        before = self._before(self.old) if self.old else found.former
        self.live.clear()
        order = [name for name in self.new.one.order if self.new.one.backed(name)]
        changes = [self._changed(name, before.get(name)) for name in order]
        return [
            *(one._replace(warnings=(*one.warnings, *found.warnings.get(one.logical_id, ()))) for one in changes),
            *(self._removed(name, one) for name, one in before.items() if name not in order),
            *starmap(self._gone, found.gone),
        ]

    def _found(self) -> Found:
        """What carries the stack's ownership tags, if it is known which stack that is."""
        led = {name: one.arn for name, one in self._before(self.new).items() if one.arn}
        live = {name: self.world.at(arn) for name, arn in led.items()}
        ids = {Ownership.of(one.tags).stack_id for name, one in live.items() if one and self._owns(name, one)}
        if not ids and not self.stack_name:
            self.doubt = f"another configuration is known with --stack-name NAME or {_PREVIOUS}"
            return Found()
        listed = self.world.marked()
        ids = ids or stacks(listed, self.world.home, self.stack_name)
        if len(ids) > 1:
            known = f"what is replaced or deleted is known with {_PREVIOUS}"
            self.notes.append(f"the ownership tags name several stacks, so {known}: {', '.join(sorted(ids))}")
            return Found()
        self.doubt = f"an adopted configuration is known with {_PREVIOUS}"
        if not ids:
            self.doubt += f"; no configuration carries the ownership tags of a stack {self.stack_name}"
            return Found()
        backed = list(filter(self.new.one.backed, self.new.one.order))
        return look(listed, ids.pop(), {name: Led(arn, live[name] is not None) for name, arn in led.items()}, backed)

    def _before(self, old: Twice) -> dict[str, Before]:
        """What each resource of a template stands for once that is deployed."""
        before = {}
        for name in filter(old.one.backed, old.one.order):
            try:
                properties, others = old.properties(name)
            except TemplateError:
                before[name] = Before("", {})
                continue
            wanted = expand(properties, resource_type().schema)
            if any(
                finding.severity is Severity.ERROR for finding in validate_properties(wanted, resource_type().rules)
            ):
                continue  # it cannot have been deployed
            arn = ""
            if _same_target(wanted.parameters, expand(others, resource_type().schema).parameters):
                target = _target(wanted.parameters)
                found = self.world.at(target)
                arn = found.arn if found else self.world.arn(target)
                self._remember(name, arn, wanted.parameters, properties)
            before[name] = Before(arn, properties)
        return before

    def _changed(self, name: str, before: Before | None) -> Change:
        try:
            properties, others = self.new.properties(name)
        except AttributeMissingError:
            return Change(name, Action.UNKNOWN, reason=_HANGS)
        except TemplateError as error:
            return Change(name, Action.UNKNOWN, reason=str(error))
        if refusal := self._forbidden(name, before, properties):
            return Change(name, Action.REFUSED, reason=refusal)
        change, plan = self._planned(name, properties, others, before)
        if before and before.properties == properties:
            action = Action.NONE if change.action in (Action.NONE, Action.UNKNOWN) else Action.DRIFT
            stays = "the properties stay the same, so CloudFormation sends nothing"
            # What the handler would say of it, nobody asks.
            warnings = change.warnings if action is Action.NONE else ()
            reason = "; ".join(filter(None, (change.reason, stays)))
            change = change._replace(action=action, reason=reason, warnings=warnings)
        else:
            self.world.create(plan)
        if change.arn:
            self._remember(name, change.arn, expand(properties, resource_type().schema).parameters, properties)
        return change

    def _planned(
        self, name: str, properties: dict[str, Any], others: dict[str, Any], before: Before | None
    ) -> tuple[Change, Plan]:
        expanded, other = expand(properties, resource_type().schema), expand(others, resource_type().schema).parameters
        wanted = expanded.parameters
        found = validate_properties(expanded, resource_type().rules)
        findings = tuple(one for one in found if not _rests_on_stand_in(one.path, wanted, other))
        change = Change(name, Action.REFUSED, findings=findings, properties=properties)
        errors = [one for one in findings if one.severity is Severity.ERROR]
        if errors:
            count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
            return change._replace(reason=f"{count} with the properties, nothing is called"), Plan()
        is_built_otherwise = any(one.rule == "type" for one in found)
        if is_built_otherwise or not _same_target(wanted, other) or (before and not before.arn):
            return change._replace(action=Action.UNKNOWN, reason=_HANGS), Plan()
        request = self._request(name, wanted, properties, before)
        try:
            plan = self._decided(request, wanted)
        except ProviderError as refusal:
            return change._replace(reason=str(refusal)), Plan()
        arn = plan.subject.arn if plan.subject else self.world.arn(_target(wanted))
        change = change._replace(
            action=_action(plan),
            arn=arn,
            differences=plan.differences,
            warnings=plan.warnings,
            # What is there with the other stand-ins alone is nowhere in the template.
            stand_ins=tuple(
                one.path for one in differences(wanted, other, resource_type().schema) if one.old is not ABSENT
            ),
        )
        if before and arn != before.arn:
            former = self._let_go(name, before, self.new.one.policies(name)[1])
            change = change._replace(action=Action.REPLACE, replaced=former)
        return change, plan

    def _forbidden(self, name: str, before: Before | None, properties: Mapping[str, Any] | None = None) -> str:
        """What CloudFormation itself says to an update that it does not allow; empty for the others."""
        if before is None or self.old is None or name not in self.new.one.template.resources:
            return ""
        if self.new.one.type(name) != self.old.one.type(name):
            return "Update of resource type is not permitted. Give the resource another logical ID"
        if properties and before.properties and properties["ServiceToken"] != before.properties["ServiceToken"]:
            return "Modifying service token is not allowed."
        return ""

    def _removed(self, name: str, before: Before) -> Change:
        assert self.old is not None
        if refusal := self._forbidden(name, before):
            return Change(name, Action.REFUSED, before.arn, reason=refusal)
        return self._let_go(name, before, self.old.one.policies(name)[0])

    def _gone(self, name: str, before: Before) -> Change:
        """What becomes of a configuration whose ownership tags name a resource that the template does not have."""
        if name not in self.new.one.order:
            return self._let_go(name, before, "Delete")
        type_ = self.new.one.type(name)
        reason = f"{before.arn} carries its ownership tags, but here it is another resource, {type_}: refused"
        return Change(name, Action.UNKNOWN, reason=f"{reason} by CloudFormation if the stack has the former one still")

    def _let_go(self, name: str, before: Before, policy: str) -> Change:
        """What becomes of a configuration that its resource does not stand for any more."""
        if policy.startswith("Retain"):
            reason = f"its policy is {policy}, so CloudFormation sends nothing"
            return Change(name, Action.RETAIN, before.arn, reason=reason)
        if not before.arn:
            return Change(name, Action.UNKNOWN, reason=_HANGS)
        wanted = expand(before.properties, resource_type().schema).parameters
        owner = self._owner(name, self.world.at(before.arn))
        plan = self._decided(_request("Delete", owner, before.arn, before.properties), wanted)
        if any(isinstance(step, DeleteConfiguration) for step in plan.steps):
            return Change(name, Action.DELETE, before.arn, reason=before.condition)
        if self.world.at(before.arn) is None:
            return Change(name, Action.NONE, reason=f"{before.arn} is gone already, so nothing is deleted")
        return Change(name, Action.RETAIN, before.arn, warnings=plan.warnings)

    def _request(
        self, name: str, wanted: Mapping[str, Any], properties: Mapping[str, Any], before: Before | None
    ) -> Request:
        """The request that CloudFormation would send."""
        if before:
            owner = self._owner(name, self.world.at(before.arn))
            return _request("Update", owner, before.arn, properties, before.properties)
        found = self.world.at(_target(wanted))
        if found and not self.old and self._owns(name, found):
            return _request("Update", self._owner(name, found), found.arn, properties)
        return _request("Create", self._owner(name, found), "", properties)

    def _owner(self, name: str, found: Configuration | None) -> Owner:
        """The resource, as the ownership tags of the configuration name it if they can be its own."""
        stack_id, logical_id, *_ = Ownership.of(found.tags if found else {})
        its_own = logical_id and (self.any_resource or logical_id == name)
        if its_own and (not self.stack_name or f":stack/{self.stack_name}/" in stack_id):
            return Owner(stack_id, logical_id)
        return Owner(self.new.one.place.stack_id, name)

    def _owns(self, name: str, found: Configuration) -> bool:
        return self._owner(name, found).state_of(found.tags) is not None

    def _decided(self, request: Request, wanted: Mapping[str, Any]) -> Plan:
        # The service's refusal of a name that is taken leads the handler to look, too.
        known = {} if request.request_type == "Delete" else {_target(wanted): self.world.at(_target(wanted))}
        old = expand(request.old_properties, resource_type().schema).parameters
        while isinstance(decision := decide(request, wanted, old, known, request.date), NeedsRead):
            known[decision.target] = self.world.at(decision.target)
        return decision

    def _remember(self, name: str, arn: str, wanted: Mapping[str, Any], properties: dict[str, Any]) -> None:
        """Let `Ref` and `Fn::GetAtt` of a resource find what it would answer."""
        known = attributes(arn, str(wanted.get(NAME, arn.rpartition("/")[2])), wanted)
        self.live[name] = Resource(name, DISTRIBUTION_CONFIGURATION, arn, properties, known, "", "")


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


def _rests_on_stand_in(path: Path, one: Any, other: Any) -> bool:
    """Whether the scalar at `path` differs between the two."""
    for element in path:
        try:
            one, other = one[element], other[element]
        except (LookupError, TypeError):
            return False
    return not isinstance(one, (dict, list)) and bool(one != other)
