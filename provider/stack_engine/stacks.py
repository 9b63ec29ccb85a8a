"""Stack operations: sends the provider the requests that CloudFormation would send."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from ..template.external_values import ExternalValues
from ..template.placeholders import Placeholders
from ..template.sections import Template
from .deployment import Deployment, refuse_type_changes
from .exchange import Event, Exchange
from .operation import Operation
from .records import Stack, StackEvent, StackLocation
from .sink import ResponseSink

__all__ = ["Stack", "StackEngine", "StackEvent"]


@dataclass(frozen=True)
class StackEngine:
    """Creates, updates, and deletes stacks of one Region (`us-east-1`) and account (12 digits).

    `invoke` runs the provider's function on one event; responses arrive at `sink`. `on_event` is called with each event
    as it happens. The engine waits at most `max_wait_seconds` for a response, even if the ServiceTimeout is longer.
    `external` has the known exports of other stacks and dynamic references; the others get placeholders.

    The stacks do not know each other. `others` are those that exist beside a stack: it can import what they export.
    """

    invoke: Callable[[Event], object]
    sink: ResponseSink
    region: str
    account: str
    on_event: Callable[[StackEvent], None]
    max_wait_seconds: float = 90.0
    external: ExternalValues = field(default_factory=ExternalValues)

    def check(self, name: str, template: Template, parameters: Mapping[str, str]) -> Deployment:
        """The deployment of `template`. Raises TemplateError if CloudFormation would reject it."""
        return Deployment(template, parameters, self._location(name, self._stack_id(name)), {}, external=self.external)

    def create(
        self, name: str, template: Template, parameters: Mapping[str, str], others: Collection[Stack] = ()
    ) -> Stack:
        """Create a stack. Raises TemplateError before anything is sent if the template is wrong."""
        stack = Stack(name, self._stack_id(name), "CREATE_IN_PROGRESS", {}, {})
        return self._operation(stack, others).create(template, parameters)

    def update(
        self, stack: Stack, template: Template, parameters: Mapping[str, str], others: Collection[Stack] = ()
    ) -> Stack:
        """Update a stack to `template`. Raises TemplateError as `create` does."""
        refuse_type_changes(stack.types, template)
        return self._operation(stack, others).update(template, parameters)

    def continue_update_rollback(self, stack: Stack, resources_to_skip: Collection[str] = ()) -> Stack:
        """Continue a failed rollback. A skipped resource gets no request and is recorded as it was before.

        Raises ValueError if no rollback of the stack failed, or if one of the resources does not need it.
        """
        if stack.rollback is None:
            raise ValueError(f"Stack {stack.name} is in {stack.status} state and can not be rolled back.")
        if unknown := sorted(set(resources_to_skip) - set(stack.rollback.pending)):
            raise ValueError(f"Cannot skip resources that need no rollback: [{', '.join(unknown)}].")
        return self._operation(stack).continue_rollback(resources_to_skip)

    def delete(self, stack: Stack) -> Stack:
        """Delete a stack. Resources whose deletion failed stay in it."""
        return self._operation(stack).delete()

    def _stack_id(self, name: str) -> str:
        partition = Placeholders(self.region, self.account).partition
        return f"arn:{partition}:cloudformation:{self.region}:{self.account}:stack/{name}/{uuid4()}"

    def _operation(self, stack: Stack, others: Collection[Stack] = ()) -> Operation:
        exchange = Exchange(self.invoke, self.sink, self.max_wait_seconds)
        return Operation(stack, self._location(stack.name, stack.id), exchange, self.on_event, self.external, others)

    def _location(self, name: str, stack_id: str) -> StackLocation:
        return StackLocation(self.region, self.account, name, stack_id)
