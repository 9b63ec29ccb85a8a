"""What the handler does with a request: its decision, and with the ledger also the effect of executing it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...cloudformation.request import Request
from ...errors import ProviderError
from ...plan import Configuration, CreateConfiguration, NeedsRead, Plan, PutTags, RemoveTags, Target
from ...resources import CONTRIBUTION, resource_type
from ...resources.locations import Locations
from ...resources.ownership import Owner, is_released_to
from ...schema.expand import Expanded, expand
from ...schema.model import TARGET
from .changes import Action, Change, CurrentConfiguration
from .current_stack import CurrentStack
from .requests import part_request, request, target_of
from .sources import PlannedProperties

if TYPE_CHECKING:
    from .recorded_requests import Accounts, Effect, RecordedRequests


class PlannedRequests:
    """The requests of one plan. With the ledger, each one sees the effects of those before it."""

    def __init__(self, stack: CurrentStack) -> None:
        self._stack, self._live_state = stack, stack.live_state

    @property
    def _ledger(self) -> "RecordedRequests | None":
        return self._stack.ledger

    def request(
        self, name: str, desired: Mapping[str, Any], properties: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> Request:
        """The request that CloudFormation sends."""
        if self._stack.new.one.type(name) == CONTRIBUTION:
            return self._part_request(name, desired[TARGET], properties, before)
        if before:
            live = self._live_state.read(before.arn, self._stack.locations(before.properties))
            return request("Update", self._stack.owner(name, live), before.arn, properties, before.properties)
        live = self._live_state.read(target_of(desired), self._stack.locations(properties))
        owner = self._stack.owner(name, live)
        if live and not self._stack.old and (self._stack.owns(name, live) or self._has(owner, live)):
            return request("Update", owner, live.arn, properties)
        return request("Create", owner, "", properties)

    def _has(self, owner: Owner, live: Configuration) -> bool:
        """Whether a resource has a configuration without its ownership tags, according to the ledger or a release."""
        return is_released_to(live.tags, owner) or self._stack.is_recorded(owner, live.arn)

    def _part_request(
        self, name: str, arn: str, properties: Mapping[str, Any], before: CurrentConfiguration | None
    ) -> Request:
        owner = self._stack.part_owner(name)
        if before:
            return part_request("Update", owner, before.arn, properties, before.properties)
        if not self._stack.old and self._stack.is_recorded(owner, arn):
            return part_request("Update", owner, arn, properties)
        return part_request("Create", owner, "", properties)

    def plan(
        self, change: Change, request: Request, planned: PlannedProperties, expanded: Expanded
    ) -> tuple[Change, Plan]:
        """Return the change that a Create or Update causes. Raises ProviderError if the handler rejects it.

        With the ledger, the returned plan has nothing left to do.
        """
        if self._ledger is None:
            plan = self.decide(request, planned.desired)
            locations = self._locations(request, planned.desired)
            arn = plan.subject.arn if plan.subject else self._live_state.arn(target_of(planned.desired), locations)
            return change._replace(
                action=_action(plan),
                arn=arn,
                reason=_reason(plan),
                differences=plan.differences,
                warnings=plan.warnings,
            ), plan
        plan, rejection = Plan(), None
        try:
            # As it was before the request.
            plan = self.decide(request, planned.desired)
        except ProviderError as error:
            rejection = error
        effect = self.execute(request, expanded.parameters, planned.accounts)
        if rejection is not None:
            self._ledger.undo()
            raise rejection
        from .recorded_changes import recorded_change

        return recorded_change(change, effect, plan), Plan()

    def is_certain(
        self, rejection: ProviderError, request: Request, planned: PlannedProperties, twin: Expanded
    ) -> bool:
        """Return whether the handler rejects a request for the same reason whatever the placeholders stand for."""
        if self._ledger is None or planned.desired == planned.other:
            return True
        try:
            self.execute(request, twin.parameters, planned.other_accounts)
        except ProviderError as other:
            return str(other) == str(rejection)
        self._ledger.undo()
        return False

    def execute(self, request: Request, desired: Mapping[str, Any], accounts: "Accounts | None" = None) -> "Effect":
        """Execute a request on the copy of the ledger. Raises ProviderError if the handler rejects it."""
        assert self._ledger is not None, "only the ledger has effects"
        old = expand(request.old_properties, resource_type(request.resource_type).schema).parameters
        return self._ledger.execute(request, desired, old, self._locations(request, desired), accounts or None)

    def decide(self, request: Request, desired: Mapping[str, Any]) -> Plan:
        """Return the handler's plan for the properties alone. Raises ProviderError if it rejects them."""
        if request.resource_type == CONTRIBUTION:
            return Plan()
        type_ = resource_type(request.resource_type)
        old = expand(request.old_properties, type_.schema).parameters
        locations = self._locations(request, desired)
        observed: dict[Target, Configuration | None] = {}
        if request.request_type != "Delete":
            # If the service rejects a name because it exists, the handler reads the configuration, too.
            target = target_of(desired)
            observed[target] = self._read(target, locations)
        while True:
            if self._ledger is not None:
                request = request._replace(date=self._ledger.now())
            decision = type_.decide(request, desired, old, locations, observed, request.date)
            if not isinstance(decision, NeedsRead):
                return decision
            observed[decision.target] = self._read(decision.target, locations)

    def _locations(self, request: Request, desired: Mapping[str, Any]) -> Locations:
        old = expand(request.old_properties, resource_type(request.resource_type).schema).parameters
        return Locations.of(request, desired, old, self._live_state.location)

    def _read(self, target: Target, locations: Locations) -> Configuration | None:
        live = self._live_state.read(target, locations)
        return live if self._ledger is None else self._ledger.seen(live)


def _reason(plan: Plan) -> str:
    """Why a configuration is changed although no property differs; otherwise empty."""
    only_tags = all(isinstance(step, (PutTags, RemoveTags)) for step in plan.steps)
    return "only its ownership tags change" if plan.steps and only_tags and not plan.differences else ""


def _action(plan: Plan) -> Action:
    if any(isinstance(step, CreateConfiguration) for step in plan.steps):
        return Action.CREATE
    return Action.UPDATE if plan.steps else Action.NONE
