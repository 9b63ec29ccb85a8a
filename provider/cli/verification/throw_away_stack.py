"""A stack with one configuration that is deployed to try the provider, and always deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from ...stack_engine.records import StackEvent

LOGICAL_ID: Final = "Verification"
SERVICE_TIMEOUT: Final = 600
"""Seconds that CloudFormation waits for a response. A provider has at most 900, but by default 120."""
_MAX_SECONDS: Final = 1500.0
"""How long an operation of the stack may take: longer than CloudFormation waits for two responses."""
_PAUSE: Final = 1.0
_ABSENT: Final = "ValidationError"
"""The error code of DescribeStacks for a stack that does not exist."""


class Response(NamedTuple):
    """The provider's response, as the stack shows it. Only a FAILED one has a reason, and only a SUCCESS attributes."""

    status: str
    physical_id: str
    reason: str
    attributes: Mapping[str, str]
    seconds: float

    @property
    def succeeded(self) -> bool:
        """Whether the stack was created."""
        return self.status == "SUCCESS"


class ThrowAwayStack:
    """A stack by its name. `notify` receives its events while they happen."""

    def __init__(self, client: Any, name: str, notify: Callable[[StackEvent], None]) -> None:
        self.name, self.stack_id = name, ""
        self._client, self._notify = client, notify
        self._seen: set[str] = set()
        self._reasons: list[str] = []
        self._physical_id = ""

    def create(self, template: str) -> Response:
        """Create the stack and wait. If it fails, CloudFormation deletes it itself.

        Raises botocore's errors if CloudFormation cannot be called, and TimeoutError.
        """
        started = time.monotonic()
        created = self._client.create_stack(
            StackName=self.name, TemplateBody=template, OnFailure="DELETE", ClientRequestToken=self.name
        )
        self.stack_id = created["StackId"]
        stack = self._settled() or {}
        seconds = round(time.monotonic() - started, 1)
        if stack.get("StackStatus") != "CREATE_COMPLETE":
            reason = next(iter(self._reasons), str(stack.get("StackStatusReason", "")))
            return Response("FAILED", self._physical_id, reason, {}, seconds)
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}
        return Response("SUCCESS", self._physical_id, "", outputs, seconds)

    def delete(self, *, is_creating: bool = False) -> str:
        """Delete the stack and wait; return what remains and why, or nothing.

        With `is_creating`, wait until its creation has ended: if CloudFormation cancels it, the provider's Create may
        finish after the Delete has found nothing.
        """
        name = self.stack_id or self.name
        try:
            if is_creating:
                self._settled()
            self._client.delete_stack(StackName=name)
            stack = self._settled()
        except (BotoCoreError, ClientError, TimeoutError) as error:
            return f"stack {name}: {error}"
        if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
            return ""
        return f"stack {name}: {stack['StackStatus']}: {stack.get('StackStatusReason', '')}".rstrip(": ")

    def abandon(self) -> str:
        """Let CloudFormation delete the stack without waiting; return what remains."""
        name = self.stack_id or self.name
        try:
            self._client.delete_stack(StackName=name)
        except (BotoCoreError, ClientError) as error:
            return f"stack {name}: {error}"
        return f"stack {name}: CloudFormation is still deleting it"

    def _settled(self) -> Mapping[str, Any] | None:
        """Wait until no operation is in progress; return the stack, or None if it does not exist."""
        end = time.monotonic() + _MAX_SECONDS
        while True:
            try:
                (stack,) = self._client.describe_stacks(StackName=self.stack_id or self.name)["Stacks"]
            except ClientError as error:
                if error.response["Error"]["Code"] == _ABSENT:
                    return None
                raise
            self._show_events()
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                found: Mapping[str, Any] = stack
                return found
            if time.monotonic() > end:
                raise TimeoutError(f"still {stack['StackStatus']} after {_MAX_SECONDS:.0f} seconds")
            time.sleep(_PAUSE)

    def _show_events(self) -> None:
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self.stack_id or self.name)
        for event in reversed([event for page in pages for event in page["StackEvents"]]):
            if event["EventId"] in self._seen:
                continue
            self._seen.add(event["EventId"])
            self._notify(_shown(event))
            if event["LogicalResourceId"] == LOGICAL_ID:
                self._physical_id = event.get("PhysicalResourceId") or self._physical_id
                if event["ResourceStatus"] == "CREATE_FAILED":
                    self._reasons.append(event.get("ResourceStatusReason", ""))


def _shown(event: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        event["Timestamp"],
        event["LogicalResourceId"],
        event.get("PhysicalResourceId", ""),
        event.get("ResourceType", ""),
        event["ResourceStatus"],
        event.get("ResourceStatusReason", ""),
    )
