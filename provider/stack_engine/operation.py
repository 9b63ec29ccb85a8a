"""One operation on a stack, including its rollback.

Resources are deployed one after another, in the order of their dependencies. CloudFormation deploys independent ones
in parallel, but each resource gets the same requests. Resources of other types are skipped and get placeholders.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ..template.external_values import ExternalValues
from ..template.sections import Template, TemplateError
from .deployment import Deployment
from .exchange import Event, Exchange, RequestResult
from .exports import exports_of, refused_export
from .records import DeployedResource, Rollback, Stack, StackEvent, StackLocation

STACK_TYPE = "AWS::CloudFormation::Stack"
_CLEANUP_ATTEMPTS = 3
"""How often CloudFormation tries a Delete in the cleanup after an update or its rollback."""


@dataclass
class Operation:
    """One create, update, or delete. `live` are the stack's resources at this moment, by logical ID.

    `others` are the other stacks in its Region and account.
    """

    stack: Stack
    location: StackLocation
    exchange: Exchange
    on_event: Callable[[StackEvent], None]
    external: ExternalValues
    others: Collection[Stack] = ()
    live: dict[str, DeployedResource] = field(init=False)
    created: list[str] = field(default_factory=list)
    updated: set[str] = field(default_factory=set)
    """The logical IDs of the resources that an Update was sent for."""
    replaced: list[DeployedResource] = field(default_factory=list)
    shown: set[str] = field(init=False)
    types: Mapping[str, str] = field(init=False)
    exports: Mapping[str, str] = field(init=False)
    imports: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.external = self.external._replace(deployed=exports_of(self.others))
        self.exports, self.imports = self.stack.exports, self.stack.imports
        self.live = dict(self.stack.resources)
        self.shown = set(self.stack.shown)
        self.types = self.stack.types

    def create(self, template: Template, parameters: Mapping[str, str]) -> Stack:
        """Create the stack, or roll back. Raises TemplateError before anything is sent."""
        new = self._deployment(template, parameters)
        self._stack_event("CREATE_IN_PROGRESS", "User Initiated")
        failure, outputs = self._deploy(new, "CREATE")
        if failure is None:
            self.types = new.types
            return self._end("CREATE_COMPLETE", outputs)
        self._stack_event("ROLLBACK_IN_PROGRESS", f"{failure} Rollback requested by user.")
        failed = self._delete_all([self.live[name] for name in reversed(self.created)])
        return self._end("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", reason=failed)

    def update(self, template: Template, parameters: Mapping[str, str]) -> Stack:
        """Update the stack, or roll back. Raises TemplateError before anything is sent."""
        new = self._deployment(template, parameters)
        self._stack_event("UPDATE_IN_PROGRESS", "User Initiated")
        failure, outputs = self._deploy(new, "UPDATE")
        if failure is not None:
            return self._roll_back(failure)
        self._stack_event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        kept = [
            old for old in self.replaced if not self._delete_one(old, old.replace_policy, "Retain", _CLEANUP_ATTEMPTS)
        ]
        removed = [old for name, old in self.live.items() if name not in new.order]
        failed = self._delete_all(list(reversed(removed)), _CLEANUP_ATTEMPTS)
        # CloudFormation no longer tracks what it could not clean up after an update.
        self.live = {name: self.live[name] for name in new.order if name in self.live}
        self.types = new.types
        reason = "Update successful. One or more resources could not be deleted." if kept or failed else ""
        return self._end("UPDATE_COMPLETE", outputs, reason)

    def delete(self) -> Stack:
        """Delete the stack, except for what is retained or cannot be deleted."""
        self._stack_event("DELETE_IN_PROGRESS", "User Initiated")
        failed = self._delete_all(list(reversed(self.live.values())))
        if not failed:
            self.exports, self.imports = {}, frozenset()
        return self._end("DELETE_FAILED" if failed else "DELETE_COMPLETE", reason=failed)

    def continue_rollback(self, skipped: Collection[str]) -> Stack:
        """Continue a failed rollback, but leave the skipped resources as they are."""
        rollback = self.stack.rollback
        assert rollback is not None
        self.created = list(rollback.created)
        self._stack_event("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        for name in skipped:
            self.live[name] = rollback.before[name]
            self._event(self.live[name], "UPDATE_COMPLETE", "The rollback skips this resource.")
        pending = {name: now for name, now in rollback.pending.items() if name not in skipped}
        return self._restore(rollback._replace(pending=pending))

    def _roll_back(self, failure: str) -> Stack:
        self._stack_event("UPDATE_ROLLBACK_IN_PROGRESS", failure)
        before = self.stack.resources
        pending = {name: self.live[name] for name in before if name in self.updated}
        # A resource that got no Update can still have new policies, which are only recorded in the stack.
        self.live.update((name, old) for name, old in before.items() if name not in pending)
        return self._restore(Rollback(before, self.stack.outputs, pending, created=tuple(self.created)))

    def _restore(self, rollback: Rollback) -> Stack:
        """Send each updated resource its old properties, then clean up. Stop at the first failure."""
        pending, surplus = dict(rollback.pending), list(rollback.surplus)
        for name, now in rollback.pending.items():
            old = rollback.before[name]
            self._event(now, "UPDATE_IN_PROGRESS")
            result = self._send("Update", now._replace(properties=old.properties), old=now.properties)
            physical_id = result.physical_id or now.physical_id
            self.live[name] = old._replace(physical_id=physical_id, data=result.data or old.data)
            if not result.succeeded:
                self._event(self.live[name], "UPDATE_FAILED", result.reason)
                pending[name] = now._replace(physical_id=physical_id)
                remaining = rollback._replace(pending=pending, surplus=tuple(surplus))
                ended = self._end("UPDATE_ROLLBACK_FAILED", rollback.outputs, _failed("update", [name]))
                return ended._replace(rollback=remaining)
            del pending[name]
            if physical_id != now.physical_id:
                surplus.append(now)
            self._event(self.live[name], "UPDATE_COMPLETE")
        self._stack_event("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        for now in surplus:
            self._delete_one(now, "Delete", attempts=_CLEANUP_ATTEMPTS)
        self._delete_all([self.live[name] for name in reversed(self.created)], _CLEANUP_ATTEMPTS)
        self.live = {name: self.live[name] for name in rollback.before}
        return self._end("UPDATE_ROLLBACK_COMPLETE", rollback.outputs)

    def _deployment(self, template: Template, parameters: Mapping[str, str]) -> Deployment:
        return Deployment(template, parameters, self.location, self.live, external=self.external)

    def _deploy(self, new: Deployment, verb: str) -> tuple[str | None, dict[str, str]]:
        """Deploy all resources. Returns the reason of the failure (None if there is none), and the outputs."""
        self._show_notes(new.notes)
        for name in new.order:
            if not new.is_provider_resource(name):
                self._skip(new, name)
                continue
            verb_of_resource = "update" if name in self.live else "create"
            if not self._deploy_resource(new, name):
                return _failed(verb_of_resource, [name]), {}
            self._show_notes(new.notes)
        try:
            outputs = new.outputs()
            exports = new.exports(outputs)
            refused = refused_export(self.stack.exports, exports, self.others)
        except TemplateError as error:
            refused = str(error)
        if refused:
            self._stack_event(f"{verb}_FAILED", refused)
            return refused, {}
        self._show_notes(new.notes)
        self.exports, self.imports = exports, frozenset(new.values.imports)
        return None, outputs

    def _deploy_resource(self, new: Deployment, name: str) -> bool:
        old = self.live.get(name)
        deletion, replacement = new.policies(name)
        resource = old or DeployedResource(name, new.type(name), "", {}, {}, deletion, replacement)
        try:
            properties = new.properties(name)
        except TemplateError as error:
            self._event(resource, "UPDATE_FAILED" if old else "CREATE_FAILED", str(error))
            return False
        resource = resource._replace(properties=properties, deletion_policy=deletion, replace_policy=replacement)
        if old is None:
            return self._create(resource)
        if old.properties == properties:
            self.live[name] = resource
            return True
        if old.properties["ServiceToken"] != properties["ServiceToken"]:
            self._event(old, "UPDATE_FAILED", "Modifying service token is not allowed.")
            return False
        return self._update(old, resource)

    def _create(self, resource: DeployedResource) -> bool:
        self._event(resource, "CREATE_IN_PROGRESS")
        result = self._send("Create", resource)
        # CloudFormation generates a physical ID if a Create gets no valid response.
        generated = f"{self.stack.name}-{resource.logical_id}-{uuid4().hex[:12].upper()}"
        resource = resource._replace(physical_id=result.physical_id or generated, data=result.data)
        self.live[resource.logical_id] = resource
        self.created.append(resource.logical_id)
        if not result.succeeded:
            self._event(resource, "CREATE_FAILED", result.reason)
            return False
        self._event(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
        self._event(resource, "CREATE_COMPLETE")
        return True

    def _update(self, old: DeployedResource, resource: DeployedResource) -> bool:
        self._event(old, "UPDATE_IN_PROGRESS")
        self.updated.add(old.logical_id)
        result = self._send("Update", resource, old=old.properties)
        # The ID in a FAILED response is recorded, too: the rollback's Update sends it.
        resource = resource._replace(physical_id=result.physical_id or old.physical_id)
        self.live[old.logical_id] = resource
        if not result.succeeded:
            self._event(resource, "UPDATE_FAILED", result.reason)
            return False
        self.live[old.logical_id] = resource._replace(data=result.data)
        if resource.physical_id != old.physical_id:
            self.replaced.append(old._replace(replace_policy=resource.replace_policy))
            self._event(
                resource,
                "UPDATE_IN_PROGRESS",
                "Requested update required the provider to create a new physical resource",
            )
        self._event(resource, "UPDATE_COMPLETE")
        return True

    def _delete_all(self, resources: Iterable[DeployedResource], attempts: int = 1) -> str:
        """Delete in this order. Returns the reason of the failure, empty if there is none."""
        failed = []
        for resource in resources:
            is_new = resource.logical_id in self.created
            keep = "Retain" if is_new else "Retain RetainExceptOnCreate"
            if self._delete_one(resource, resource.deletion_policy, keep, attempts):
                del self.live[resource.logical_id]
            else:
                failed.append(resource.logical_id)
        return _failed("delete", failed) if failed else ""

    def _delete_one(self, resource: DeployedResource, policy: str, keep: str = "", attempts: int = 1) -> bool:
        if policy in keep.split():
            self._event(resource, "DELETE_SKIPPED")
            return True
        return any(self._send_delete(resource) for _ in range(attempts))

    def _send_delete(self, resource: DeployedResource) -> bool:
        self._event(resource, "DELETE_IN_PROGRESS")
        result = self._send("Delete", resource)
        self._event(resource, "DELETE_COMPLETE" if result.succeeded else "DELETE_FAILED", result.reason)
        return result.succeeded

    def _send(self, request: str, resource: DeployedResource, old: dict[str, Any] | None = None) -> RequestResult:
        event: Event = {
            "RequestType": request,
            "ServiceToken": resource.properties["ServiceToken"],
            "StackId": self.stack.id,
            "LogicalResourceId": resource.logical_id,
            "ResourceType": resource.type,
            "ResourceProperties": resource.properties,
        }
        if request != "Create":
            event["PhysicalResourceId"] = resource.physical_id
        if old is not None:
            event["OldResourceProperties"] = old
        result = self.exchange.send(event)
        for notice in result.notices:
            self._event(resource, "NOTICE", notice)
        return result

    def _skip(self, new: Deployment, name: str) -> None:
        if name not in self.shown:
            self.shown.add(name)
            placeholder = new.values.reference(name, ("Outputs",))
            skipped = DeployedResource(name, new.type(name), placeholder, {}, {}, "", "")
            why = "belongs to another function" if name in new.template.foreign else "is not deployed here"
            self._event(skipped, "SKIPPED", f"{new.type(name)} {why}; its Ref returns {placeholder}")

    def _show_notes(self, notes: Iterable[str]) -> None:
        for note in notes:
            if note not in self.shown:
                self.shown.add(note)
                self._stack_event("NOTICE", note)

    def _stack_event(self, status: str, reason: str = "") -> None:
        self._event(DeployedResource(self.stack.name, STACK_TYPE, self.stack.id, {}, {}, "", ""), status, reason)

    def _event(self, resource: DeployedResource, status: str, reason: str = "") -> None:
        self.on_event(
            StackEvent(datetime.now(UTC), resource.logical_id, resource.physical_id, resource.type, status, reason)
        )

    def _end(self, status: str, outputs: Mapping[str, str] | None = None, reason: str = "") -> Stack:
        self._stack_event(status, reason)
        shown = frozenset(self.shown)
        return Stack(
            self.stack.name,
            self.stack.id,
            status,
            self.live,
            outputs or {},
            shown,
            self.types,
            exports=self.exports,
            imports=self.imports,
        )


def _failed(verb: str, names: list[str]) -> str:
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]."
