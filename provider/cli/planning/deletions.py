"""The changes of what a deployment removes: replaced configurations and parts, and removed resources."""

from collections.abc import Mapping
from typing import Any

from ...errors import ProviderError
from ...plan import DeleteConfiguration, Plan
from ...resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION, resource_type
from ...schema.expand import expand
from .changes import DEPENDS_ON_DEPLOYMENT, Action, Change, CurrentConfiguration
from .current_stack import CurrentStack
from .live_state import UnreadableError
from .planned_requests import PlannedRequests
from .requests import part_request, request


class Deletions:
    """Plans the deletions of one deployment to `stack`."""

    def __init__(self, stack: CurrentStack, requests: PlannedRequests) -> None:
        self._stack, self._requests = stack, requests

    def removed(self, name: str, before: CurrentConfiguration) -> Change:
        """Plan the deletion of a resource that the new template lacks. The stack's previous template is known."""
        assert self._stack.old is not None
        if rejection := update_rejection(self._stack, name, before):
            return Change(name, Action.REFUSED, before.arn, reason=rejection)
        change = self._plan(name, before, self._stack.old.one.policies(name)[0], self._stack.old.one.type(name))
        unreadable = self._stack.unreadable(self._stack.old, name) if change.action is Action.UNKNOWN else ""
        return change._replace(reason=unreadable or change.reason)

    def not_in_template(self, name: str, before: CurrentConfiguration) -> Change:
        """The change of a configuration whose ownership tags name a resource that the template lacks."""
        if name not in self._stack.new.one.order:
            return self._plan(name, before, "Delete")
        type_ = self._stack.new.one.type(name)
        reason = f"{before.arn} has its ownership tags, but in this template its type is {type_}"
        return Change(name, Action.UNKNOWN, reason=f"{reason}: CloudFormation rejects that if it is still in the stack")

    def replaced(self, name: str, before: CurrentConfiguration) -> Change:
        """The change of the configuration that a resource has before it gets another one."""
        return self._plan(name, before, self._stack.new.one.policies(name)[1], self._stack.new.one.type(name))

    def withdrawn(self, name: str, before: CurrentConfiguration) -> Change:
        """The change of a recorded part whose resource the template lacks."""
        return self._plan(name, before, "Delete", CONTRIBUTION)

    def _plan(
        self, name: str, before: CurrentConfiguration, policy: str, type_name: str = DISTRIBUTION_CONFIGURATION
    ) -> Change:
        """The change of a replaced configuration, or that of a removed resource, under CloudFormation's policy."""
        change = Change(name, Action.UNKNOWN, before.arn, type_name=type_name)
        if policy.startswith("Retain"):
            reason = f"its policy is {policy}, so CloudFormation sends no Delete"
            return change._replace(action=Action.RETAIN, reason=reason)
        if not before.arn:
            return change._replace(reason=DEPENDS_ON_DEPLOYMENT)
        try:
            return self._request(change, before)
        except UnreadableError as error:
            return change._replace(reason=str(error))
        except ProviderError as rejection:
            reason = "; ".join(filter(None, (str(rejection), before.condition)))
            return change._replace(action=Action.REFUSED, reason=reason)

    def _request(self, change: Change, before: CurrentConfiguration) -> Change:
        """The change that a Delete causes. Raises ProviderError if the handler rejects it."""
        name = change.logical_id
        if change.type_name == CONTRIBUTION:
            delete = part_request("Delete", self._stack.part_owner(name), before.arn, before.properties)
            from .recorded_changes import recorded_change

            effect = self._requests.execute(
                delete, expand(before.properties, resource_type(CONTRIBUTION).schema).parameters
            )
            return recorded_change(change._replace(reason=before.condition), effect, Plan())
        live = self._stack.live_state.read(before.arn, self._stack.locations(before.properties))
        delete = request("Delete", self._stack.owner(name, live), before.arn, before.properties)
        desired = expand(before.properties, resource_type().schema).parameters
        plan = self._requests.decide(delete, desired)
        if self._stack.ledger:
            plan = plan._replace(steps=self._requests.execute(delete, desired).steps)
        if any(isinstance(step, DeleteConfiguration) for step in plan.steps):
            return change._replace(action=Action.DELETE, reason=before.condition)
        if live is None:
            reason = f"{before.arn} no longer exists, so nothing is deleted"
            return change._replace(action=Action.NONE, arn="", reason=reason)
        return change._replace(action=Action.RETAIN, warnings=plan.warnings)


def update_rejection(
    stack: CurrentStack, name: str, before: CurrentConfiguration | None, properties: Mapping[str, Any] | None = None
) -> str:
    """CloudFormation's message about an update that it does not allow; empty for other updates."""
    if before is None or stack.old is None or name not in stack.new.one.template.resources:
        return ""
    if stack.new.one.type(name) != stack.old.one.type(name):
        return "Update of resource type is not permitted. Give the resource another logical ID"
    if properties and before.properties and properties["ServiceToken"] != before.properties["ServiceToken"]:
        return "Modifying service token is not allowed."
    return ""
