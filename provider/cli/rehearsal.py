"""Runs a rehearsal: the steps of a stack's lifecycle, and checks after each step."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..emulator.emulator import Emulator
from ..resources import resource_type
from ..schema.check import validate_properties
from ..schema.expand import expand
from ..schema.finding import Path, Spelling
from ..schema.model import TARGET
from ..stack_engine.deployment import refuse_type_changes
from ..stack_engine.operation import STACK_TYPE
from ..stack_engine.sink import ResponseSink
from ..stack_engine.stacks import Stack, StackEngine, StackEvent
from ..template.external_values import ExternalValues
from ..template.sections import Template, TemplateError
from .emulation import EmulatedLocation, seed_placeholder
from .inventory import Inventory, Problem, drift
from .placeholder_samples import PlaceholderSamples
from .screen import WARNING, Screen
from .template_files import provider_logical_ids, template_rejected
from .warning_log import WarningLog

_STEPS = {False: ("creation", "CREATE_COMPLETE"), True: ("update", "UPDATE_COMPLETE")}
"""By whether the stack exists: the step, and the stack's status if it succeeds."""


class Rehearsal:
    """One stack's lifecycle on the embedded engine. Call `run` once."""

    def __init__(
        self,
        screen: Screen,
        emulator: Emulator,
        sink: ResponseSink,
        location: EmulatedLocation,
        function: Callable[[dict[str, Any]], None],
        warnings: WarningLog,
        external: ExternalValues,
    ) -> None:
        self._screen = screen
        self._emulator = emulator
        self._location = location
        self._function, self._warnings = function, warnings
        self._samples = PlaceholderSamples(location.region, location.account)
        external = external._replace(fit=self._samples)
        self._engine = StackEngine(
            self._invoke, sink, location.region, location.account, self._on_event, external=external
        )
        self._events: list[StackEvent] = []
        self._inventory = Inventory(emulator.configurations)
        self._placeholders: dict[str, dict[str, Any]] = {}

    def run(self, name: str, templates: Sequence[Template], parameters: Sequence[Mapping[str, str]]) -> list[str]:
        """Create the stack, update it to each further template, and delete it; return summaries of the problems.

        Raises UserError, before anything is deployed, for a template that CloudFormation would reject.
        """
        self._check(name, templates, parameters)
        provider_logical_ids(templates, "rehearse")
        source = f" (from {self._location.source})" if self._location.source else ""
        self._screen.print(
            f"Rehearsing stack {name} in {self._location.region}, account {self._location.account}{source}. "
            "Nothing leaves this machine."
        )
        stack: Stack | None = None
        for template, values in zip(templates, parameters, strict=True):
            self._screen.heading(f"{'Update' if stack else 'Create'} {name} from {template.name}")
            previous, before = stack, self._emulator.configurations
            try:
                if previous is None:
                    stack = self._engine.create(name, template, values)
                else:
                    stack = self._engine.update(previous, template, values)
            except TemplateError as error:
                raise template_rejected(template.name, error) from error
            before = self._show(before, stack)
            step, success = _STEPS[previous is not None]
            failures = self._failures(f"{step} from {template.name}", stack, success)
            losses = [*self._losses(stack), *(self._drifted(previous, stack, before) if previous else [])]
            if failures or losses:
                return [*failures, *losses, *self._leftovers(stack)]
        return self._delete(stack) if stack else []

    def _delete(self, stack: Stack) -> list[str]:
        self._screen.heading(f"Delete {stack.name}")
        before = self._emulator.configurations
        stack = self._engine.delete(stack)
        self._show(before, stack)
        failures = self._failures("deletion", stack, "DELETE_COMPLETE")
        return [*failures, *self._losses(stack), *self._leftovers(stack)]

    def _check(self, name: str, templates: Sequence[Template], parameters: Sequence[Mapping[str, str]]) -> None:
        types: Mapping[str, str] = {}
        for template, values in zip(templates, parameters, strict=True):
            try:
                refuse_type_changes(types, template)
                types = self._engine.check(name, template, values).types
            except TemplateError as error:
                raise template_rejected(template.name, error) from error

    # During a step

    def _on_event(self, event: StackEvent) -> None:
        self._events.append(event)
        self._screen.event(event)
        if event.status == "DELETE_SKIPPED":
            self._inventory.deletion_skipped(event.physical_id, self._emulator.configurations)

    def _invoke(self, event: dict[str, Any]) -> None:
        properties = expand(event["ResourceProperties"], resource_type(event["ResourceType"]).schema).parameters
        target = properties.get(TARGET)
        existing = self._emulator.configurations
        self._inventory.observe(existing)
        if event["RequestType"] == "Delete":
            self._inventory.deletion_requested(event["PhysicalResourceId"], properties, existing)
        elif isinstance(target, str) and not self._inventory.has_seen(target):
            self._seed_placeholder(target)
        try:
            self._function(event)
        finally:
            self._show_warnings(event)

    def _show_warnings(self, event: Mapping[str, Any]) -> None:
        name, physical_id = event["LogicalResourceId"], event.get("PhysicalResourceId", "")
        texts = self._warnings.take()
        ignored = self._about_placeholders(event["ResourceProperties"]) if texts else set()
        for text in (one for one in texts if one not in ignored):
            self._screen.event(StackEvent(datetime.now(UTC), name, physical_id, event["ResourceType"], WARNING, text))

    def _about_placeholders(self, properties: Mapping[str, Any]) -> set[str]:
        """The texts of the findings about placeholders, which say nothing about the real values."""
        schema = resource_type().schema
        expanded, spelling = expand(properties, schema), Spelling(properties, schema)
        found = validate_properties(expanded, resource_type().rules)
        values = ((one, _value_at(expanded.parameters, one.path)) for one in found)
        return {
            spelling.render(one)
            for one, value in values
            if isinstance(value, (str, int)) and self._samples.occur_in(str(value))
        }

    def _seed_placeholder(self, arn: str) -> None:
        if seed_placeholder(self._emulator, arn):
            self._inventory.add_existing(arn)
            self._placeholders[arn] = self._emulator.configurations[arn]
            self._screen.print(
                f"  {arn} is adopted, but its content is unknown: using placeholder content. "
                "To use the real content, pass --existing FILE.",
                fg="yellow",
            )

    # After a step

    def _show(self, before: dict[str, dict[str, Any]], stack: Stack) -> dict[str, dict[str, Any]]:
        """Show the changes of a step; return the configurations before it, including placeholders added during it."""
        before = {**self._placeholders, **before}
        self._placeholders.clear()
        self._screen.print()
        self._screen.changes(before, self._emulator.configurations)
        for name, value in stack.outputs.items():
            self._screen.print(f"  Output {name}: {value}", dim=True)
        return before

    def _failures(self, step: str, stack: Stack, success: str) -> list[str]:
        failed = dict.fromkeys(
            one.logical_id for one in self._events if one.status.endswith("_FAILED") and one.type != STACK_TYPE
        )
        self._events.clear()
        if stack.status == success and not failed:
            return []
        resources = f" ({', '.join(failed)} failed)" if failed else ""
        return [f"the {step} ended in {stack.status}{resources}"]

    def _losses(self, stack: Stack) -> list[str]:
        return self._report(self._inventory.losses(stack, self._emulator.configurations))

    def _leftovers(self, stack: Stack) -> list[str]:
        return self._report(self._inventory.leftovers(stack, self._emulator.configurations))

    def _report(self, problems: Sequence[Problem]) -> list[str]:
        """Print the problems, and return their summaries."""
        for problem in problems:
            self._screen.print(f"  {problem.line}", fg="red")
        return list(dict.fromkeys(problem.summary for problem in problems))

    def _drifted(self, previous: Stack, stack: Stack, before: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """After a rollback, compare the live configurations with what the stack recorded before the update."""
        if not stack.status.startswith("UPDATE_ROLLBACK"):
            return []
        now, found = self._emulator.configurations, []
        for name, recorded in previous.resources.items():
            arn = stack.resources[name].physical_id
            schema = resource_type(recorded.type).schema
            differing = drift(recorded.properties, before.get(arn, {}), now[arn], schema) if arn in now else ()
            if differing:
                self._screen.print(f"  {name}: {arn} differs from the template after the rollback", fg="yellow")
                found.append(f"{name}'s configuration differs from the template after the rollback")
            for difference in differing:
                self._screen.difference(difference)
        return found


def _value_at(value: Any, path: Path) -> Any:
    """The value at a path; None if there is none."""
    for element in path:
        try:
            value = value[element]
        except (LookupError, TypeError):
            return None
    return value
