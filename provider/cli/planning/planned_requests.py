"""What the handler does with a request: its decision, and with the ledger also the effect of executing it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...cloudformation.request import Request
from ...errors import ProviderError
from ...plan import Configuration, CreateConfiguration, NeedsRead, Plan, Target
from ...resources import CONTRIBUTION, resource_type
from ...resources.locations import Locations
from ...schema.expand import Expanded, expand
from .changes import Action, Change
from .live_state import LiveState
from .requests import target_of
from .sources import PlannedProperties

if TYPE_CHECKING:
    from .recorded_requests import Accounts, Effect, RecordedRequests


class PlannedRequests:
    """The requests of one plan. With `ledger`, each one sees the effects of those before it."""

    def __init__(self, live_state: LiveState, ledger: "RecordedRequests | None") -> None:
        self._live_state, self._ledger = live_state, ledger

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
                action=_action(plan), arn=arn, differences=plan.differences, warnings=plan.warnings
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
        while isinstance(decision := type_.decide(request, desired, old, locations, observed, request.date), NeedsRead):
            observed[decision.target] = self._read(decision.target, locations)
        return decision

    def _locations(self, request: Request, desired: Mapping[str, Any]) -> Locations:
        old = expand(request.old_properties, resource_type(request.resource_type).schema).parameters
        return Locations.of(request, desired, old, self._live_state.location)

    def _read(self, target: Target, locations: Locations) -> Configuration | None:
        live = self._live_state.read(target, locations)
        return live if self._ledger is None else self._ledger.seen(live)


def _action(plan: Plan) -> Action:
    if any(isinstance(step, CreateConfiguration) for step in plan.steps):
        return Action.CREATE
    return Action.UPDATE if plan.steps else Action.NONE
