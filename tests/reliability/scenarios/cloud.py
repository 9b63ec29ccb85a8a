"""A small model of CloudFormation: stacks, their operations, rollbacks, and cleanups, event by event.

It shares no code with the provider's own stack engine, so that it can find faults in it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provider.stack_engine.sink import Put, RejectedResponseError, read
from tests.reliability.scenarios.deliveries import RequestFaults, Response, Sent
from tests.reliability.scenarios.facts import Properties, is_arn, short, target_of

if TYPE_CHECKING:
    from tests.reliability.scenarios.world import World

_DELETE_ATTEMPTS: Final = 3
_ROLLBACK_ATTEMPTS: Final = 2
_SERVICE_TOKEN: Final = "arn:aws:lambda:us-east-1:123456789012:function:provider"


class Declared(NamedTuple):
    """A resource as a template declares it."""

    properties: Properties
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"


class Recorded(NamedTuple):
    """A resource as CloudFormation has recorded it."""

    declared: Declared
    physical_id: str


@dataclass
class Stack:
    """A stack. After a failed creation it can only be deleted."""

    name: str
    number: int = 1
    resources: dict[str, Recorded] = field(default_factory=dict)
    exists: bool = False
    stuck: bool = False

    @property
    def stack_id(self) -> str:
        """The ID; a recreated stack has another one."""
        unique = f"{self.number:08x}-0000-4000-8000-{sum(map(ord, self.name)):012x}"
        return f"arn:aws:cloudformation:us-east-1:123456789012:stack/{self.name}/{unique}"


class Change(NamedTuple):
    """The effect of an operation on one resource. `after` is None if the change failed."""

    logical_id: str
    before: Recorded | None
    attempted: Declared
    after: Recorded | None
    failed_id: str = ""
    settled: bool = False
    """Whether a cancellation has rolled it back already."""


@dataclass
class Conduct:
    """The faults of an operation: those of its requests, and whether something else in the stack fails."""

    chance: random.Random
    faults: Callable[[random.Random], RequestFaults]
    fails_elsewhere: bool = False
    keeps_failed: bool = False
    skips_rollback: bool = False

    def next_faults(self) -> RequestFaults:
        """The faults of the next request."""
        return self.faults(self.chance)

    def pause(self) -> float:
        """Seconds between a failure and the rollback."""
        return self.chance.choice((0.5, 2.0, 8.0, 30.0))


class CloudFormation:
    """Plays stack operations in a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deploy(self, stack: Stack, template: Mapping[str, Declared], conduct: Conduct) -> bool:
        """Create or update a stack. Returns whether that succeeded."""
        creation = not stack.exists
        stack.exists = True
        journal: list[Change] = []
        for logical_id, declared in template.items():
            change = self._bring(stack, logical_id, declared, conduct)
            if change:
                journal.append(change)
            if change and change.after is None:
                break
        failed = any(change.after is None for change in journal) or conduct.fails_elsewhere
        if not failed:
            self._finish(stack, template, journal, conduct)
        elif conduct.keeps_failed:
            self._keep(stack, journal)
        else:
            self._world.note(f"{stack.name} rolls back")
            self._world.clock.advance(conduct.pause())
            for change in reversed(journal):
                self._roll_back(stack, change, conduct)
            stack.stuck = creation
        return not failed

    def delete(self, stack: Stack, conduct: Conduct | None = None) -> bool:
        """Delete a stack. Returns whether nothing of it is left."""
        for logical_id, recorded in list(stack.resources.items()):
            if recorded.declared.deletion_policy == "Retain":
                self._world.note(f"{stack.name}.{logical_id} is retained")
                self._retain(recorded)
                del stack.resources[logical_id]
                continue
            faults = conduct.next_faults() if conduct else RequestFaults()
            response = self._delete(stack, logical_id, recorded.physical_id, recorded.declared.properties, faults)
            if response and response.succeeded:
                del stack.resources[logical_id]
        if not stack.resources:
            stack.exists = stack.stuck = False
            stack.number += 1
        return not stack.resources

    def _retain(self, recorded: Recorded) -> None:
        """Forget a resource without a Delete."""
        failed = "" if is_arn(recorded.physical_id) else target_of(recorded.declared.properties)
        self._world.oracle.excuse(failed or recorded.physical_id, "retained")

    def _bring(self, stack: Stack, logical_id: str, declared: Declared, conduct: Conduct) -> Change | None:
        current = stack.resources.get(logical_id)
        if current is None:
            return self._create(stack, logical_id, declared, conduct)
        if current.declared.properties == declared.properties:
            stack.resources[logical_id] = Recorded(declared, current.physical_id)
            return None
        return self._update(stack, logical_id, current, declared, conduct)

    def _create(self, stack: Stack, logical_id: str, declared: Declared, conduct: Conduct) -> Change:
        canceled: list[bool] = []

        def cancel() -> None:
            canceled.append(True)
            self._until_deleted(
                stack, logical_id, self._generated_id(stack, logical_id), declared.properties, RequestFaults()
            )

        response = self._request(stack, logical_id, "Create", declared.properties, conduct.next_faults(), cancel=cancel)
        if canceled:
            return Change(logical_id, None, declared, None, settled=True)
        if response and response.succeeded:
            recorded = stack.resources[logical_id] = Recorded(declared, response.physical_id)
            return Change(logical_id, None, declared, recorded)
        return Change(logical_id, None, declared, None, response.physical_id if response else "")

    def _update(self, stack: Stack, logical_id: str, current: Recorded, declared: Declared, conduct: Conduct) -> Change:
        canceled: list[bool] = []

        def cancel() -> None:
            canceled.append(True)
            self._undo_update(stack, Change(logical_id, current, declared, None), conduct)
            for arn in (current.physical_id, target_of(declared.properties)):
                self._world.oracle.unsettled(arn)

        response = self._request(
            stack,
            logical_id,
            "Update",
            declared.properties,
            conduct.next_faults(),
            old=current.declared.properties,
            physical_id=current.physical_id,
            cancel=cancel,
        )
        if canceled:
            return Change(logical_id, current, declared, None, settled=True)
        if response and response.succeeded:
            recorded = stack.resources[logical_id] = Recorded(declared, response.physical_id)
            return Change(logical_id, current, declared, recorded)
        return Change(logical_id, current, declared, None)

    def _finish(self, stack: Stack, template: Mapping[str, Declared], journal: list[Change], conduct: Conduct) -> None:
        """Clean up after a success: delete old physical IDs and resources that the template no longer has."""
        for change in journal:
            before, after = change.before, change.after
            if before and after and before.physical_id != after.physical_id:
                if before.declared.replace_policy == "Retain":
                    self._retain(before)
                else:
                    self._clean_up(stack, change.logical_id, before, conduct)
        for logical_id in [each for each in stack.resources if each not in template]:
            removed = stack.resources.pop(logical_id)
            if removed.declared.deletion_policy == "Retain":
                self._retain(removed)
            else:
                self._clean_up(stack, logical_id, removed, conduct)

    def _keep(self, stack: Stack, journal: list[Change]) -> None:
        """Keep the resources that succeeded. Failed ones keep their state, a failed Create its marker."""
        self._world.note(f"{stack.name} fails and is not rolled back")
        for change in journal:
            if change.after is None and change.before is None and change.failed_id:
                stack.resources[change.logical_id] = Recorded(change.attempted, change.failed_id)
            elif change.after is None and change.before is None and not change.settled:
                self._clean_up_failed(stack, change, RequestFaults())
            elif change.after and change.before and change.after.physical_id != change.before.physical_id:
                self._world.oracle.excuse(change.before.physical_id, "retained")

    def _roll_back(self, stack: Stack, change: Change, conduct: Conduct) -> None:
        if change.settled:
            return
        if change.before:
            self._undo_update(stack, change, conduct)
        elif change.after:
            stack.resources.pop(change.logical_id, None)
            self._clean_up(stack, change.logical_id, change.after, conduct)
        else:
            self._clean_up_failed(stack, change, conduct.next_faults())

    def _clean_up_failed(self, stack: Stack, change: Change, faults: RequestFaults) -> None:
        if change.failed_id:
            self._until_deleted(stack, change.logical_id, change.failed_id, change.attempted.properties, faults)
        else:
            self._until_deleted(
                stack,
                change.logical_id,
                self._generated_id(stack, change.logical_id),
                change.attempted.properties,
                faults,
            )

    def _undo_update(self, stack: Stack, change: Change, conduct: Conduct) -> None:
        """Send the Update with old and new properties swapped."""
        before = change.before
        assert before
        current = change.after or before
        if conduct.skips_rollback:
            self._skip(stack, change, current)
            return
        for attempt in range(_ROLLBACK_ATTEMPTS):
            response = self._request(
                stack,
                change.logical_id,
                "Update",
                before.declared.properties,
                conduct.next_faults() if attempt == 0 else RequestFaults(),
                old=change.attempted.properties,
                physical_id=current.physical_id,
            )
            if response and response.succeeded:
                stack.resources[change.logical_id] = Recorded(before.declared, response.physical_id)
                if response.physical_id != current.physical_id:
                    obsolete = Recorded(change.attempted, current.physical_id)
                    self._clean_up(stack, change.logical_id, obsolete, conduct)
                return
            self._world.clock.advance(conduct.pause())
        self._skip(stack, change, current)

    def _skip(self, stack: Stack, change: Change, current: Recorded) -> None:
        """Continue the rollback without this resource."""
        before = change.before
        assert before
        self._world.note(f"the rollback of {stack.name}.{change.logical_id} is skipped")
        stack.resources[change.logical_id] = Recorded(before.declared, before.physical_id)
        for arn in {current.physical_id, target_of(change.attempted.properties)} - {before.physical_id}:
            self._world.oracle.excuse(arn, "retained")
        for arn in (current.physical_id, before.physical_id, target_of(change.attempted.properties)):
            self._world.oracle.unsettled(arn)

    def _generated_id(self, stack: Stack, logical_id: str) -> str:
        return f"{stack.name}-{logical_id}-{len(self._world.history):012X}"

    def _clean_up(self, stack: Stack, logical_id: str, obsolete: Recorded, conduct: Conduct) -> None:
        declared = obsolete.declared
        self._until_deleted(stack, logical_id, obsolete.physical_id, declared.properties, conduct.next_faults())

    def _until_deleted(
        self, stack: Stack, logical_id: str, physical_id: str, properties: Properties, faults: RequestFaults
    ) -> None:
        """Delete a resource. CloudFormation tries a few times and then forgets it."""
        for attempt in range(_DELETE_ATTEMPTS):
            response = self._delete(
                stack, logical_id, physical_id, properties, faults if attempt == 0 else RequestFaults()
            )
            if response and response.succeeded:
                return
            self._world.clock.advance(30.0)
        if self._world.is_used(physical_id):
            self._world.oracle.excuse(physical_id, "retained")
        else:
            self._world.record_violation(
                f"CloudFormation gives up deleting {short(physical_id)} of {stack.name}.{logical_id}"
            )

    def _delete(
        self, stack: Stack, logical_id: str, physical_id: str, properties: Properties, faults: RequestFaults
    ) -> Response | None:
        return self._request(stack, logical_id, "Delete", properties, faults, physical_id=physical_id)

    def _request(
        self,
        stack: Stack,
        logical_id: str,
        kind: str,
        properties: Properties,
        faults: RequestFaults,
        *,
        old: Properties | None = None,
        physical_id: str = "",
        cancel: Callable[[], None] | None = None,
    ) -> Response | None:
        """Send one request and return its response; None without one in time."""
        event: dict[str, Any] = {
            "RequestType": kind,
            "ServiceToken": _SERVICE_TOKEN,
            "StackId": stack.stack_id,
            "LogicalResourceId": logical_id,
            "ResourceType": "Custom::ImageBuilderDistributionConfiguration",
            "ResourceProperties": {"ServiceToken": _SERVICE_TOKEN, **properties},
        }
        if physical_id:
            event["PhysicalResourceId"] = physical_id
        if old is not None:
            event["OldResourceProperties"] = {"ServiceToken": _SERVICE_TOKEN, **old}
        sent = self._world.request(event)
        self._world.deliveries.send(sent, faults, self._interruption(sent, faults, cancel))
        return self._response(sent)

    def _interruption(
        self, sent: Sent, faults: RequestFaults, cancel: Callable[[], None] | None
    ) -> Callable[[], None] | None:
        if not faults.interruption:
            return None
        if faults.interruption != "cancel":
            return self._world.disturb(faults.interruption, sent)
        if cancel is None:
            return None
        follow_up = cancel

        def canceled() -> None:
            sent.open = False
            self._world.note(f"    #{sent.number} is canceled")
            self._world.clock.advance(1.0)
            self._world.meanwhile(follow_up)

        return canceled

    def _response(self, sent: Sent) -> Response | None:
        """Return the first response if it arrived in time and is readable."""
        was_open, sent.open = sent.open, False
        if not was_open:
            return None
        if not sent.mailbox.bodies or self._world.clock.time() > sent.date + sent.timeout:
            self._world.clock.set(max(self._world.clock.time(), sent.date + sent.timeout))
            self._world.note(f"    CloudFormation gets no response to #{sent.number}")
            self._world.oracle.no_response(sent)
            return None
        try:
            response = read(Put(sent.mailbox.bodies[0], ""), sent.event)
        except RejectedResponseError as error:
            return Response(False, sent.physical_id, str(error))
        self._world.oracle.recorded(sent, response.succeeded, response.physical_id)
        if not response.succeeded and sent.kind != "Create" and is_arn(sent.physical_id):
            self._world.oracle.unsettled(sent.physical_id)
        return Response(response.succeeded, response.physical_id, response.reason)
