"""Runs a rehearsal: the steps of the lifecycle of one stack or several, and checks after each step."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..emulator.emulator import Emulator
from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.check import validate_properties
from ..schema.diff import Difference
from ..schema.expand import expand
from ..schema.finding import Path, Spelling
from ..schema.model import TARGET
from ..stack_engine.deployment import refuse_type_changes
from ..stack_engine.operation import STACK_TYPE
from ..stack_engine.records import DeployedResource
from ..stack_engine.sink import ResponseSink
from ..stack_engine.stacks import Stack, StackEngine, StackEvent
from ..template.external_values import ExternalValues
from ..template.sections import Template, TemplateError
from .emulated_sources import EmulatedSources
from .emulation import EmulatedLocation, seed_placeholder
from .files import UserError
from .inventory import Inventory, Problem, content_drift, drift
from .placeholder_samples import PlaceholderSamples
from .screen import WARNING, Screen
from .template_files import provider_logical_ids, template_rejected
from .warning_log import WarningLog

_STEPS = {False: ("creation", "CREATE_COMPLETE"), True: ("update", "UPDATE_COMPLETE")}
"""By whether the stack exists: the step, and the stack's status if it succeeds."""


class Step(NamedTuple):
    """A stack that is created from a template, or updated to it if it exists, with these parameters."""

    stack: str
    template: Template
    parameters: Mapping[str, str]


class Rehearsal:
    """The lifecycle of one stack or several on the embedded engine. Call `run` once."""

    def __init__(
        self,
        screen: Screen,
        emulator: Emulator,
        sink: ResponseSink,
        location: EmulatedLocation,
        function: Callable[[dict[str, Any]], None],
        warnings: WarningLog,
        external: ExternalValues,
        sources: EmulatedSources,
    ) -> None:
        self._screen = screen
        self._emulator = emulator
        self._location = location
        self._function, self._warnings, self._sources = function, warnings, sources
        self._samples = PlaceholderSamples(location.region, location.account)
        external = external._replace(fit=self._samples)
        self._engine = StackEngine(
            self._invoke, sink, location.region, location.account, self._on_event, external=external
        )
        self._events: list[StackEvent] = []
        self._inventory = Inventory(emulator.configurations)
        self._placeholders: dict[str, dict[str, Any]] = {}
        self._stacks: dict[str, Stack] = {}
        self._mistake: UserError | None = None
        """A mistake in the command that appeared when a request needed a value. It is no failure of the function."""
        self._is_alone = True
        """Whether there is one stack. Otherwise, its configuration also has what other stacks contribute."""

    def run(self, steps: Sequence[Step]) -> list[str]:
        """Create or update a stack in each step, and delete the stacks, the last one first.

        Returns summaries of the problems. Raises UserError, before anything is deployed, for a template that
        CloudFormation would reject, and after the step that needs it, for an invalid --resolve.
        """
        self._check(steps)
        provider_logical_ids([step.template for step in steps], "rehearse")
        names = list(dict.fromkeys(step.stack for step in steps))
        self._is_alone = len(names) == 1
        source = f" (from {self._location.source})" if self._location.source else ""
        self._screen.print(
            f"Rehearsing {'stack' if self._is_alone else 'the stacks'} {', '.join(names)} in {self._location.region}, "
            f"account {self._location.account}{source}. Nothing leaves this machine."
        )
        for step in steps:
            if problems := self._deploy(step):
                return [*problems, *self._leftovers()]
        for name in reversed(names):
            if problems := self._delete(self._stacks[name]):
                return [*problems, *self._leftovers()]
        return self._leftovers()

    def _deploy(self, step: Step) -> list[str]:
        previous, before = self._stacks.get(step.stack), self._emulator.configurations
        self._screen.heading(f"{'Update' if previous else 'Create'} {step.stack} from {step.template.name}")
        others = self._others(step.stack)
        try:
            if previous is None:
                stack = self._engine.create(step.stack, step.template, step.parameters, others)
            else:
                stack = self._engine.update(previous, step.template, step.parameters, others)
        except TemplateError as error:
            raise template_rejected(step.template.name, error) from error
        if self._mistake:
            raise self._mistake
        self._stacks[step.stack] = stack
        before = self._show(before, stack)
        verb, success = _STEPS[previous is not None]
        failures = self._failures(f"{verb} from {step.template.name}", stack, success)
        return [*failures, *self._losses(), *self._drifted(previous, stack, before)]

    def _delete(self, stack: Stack) -> list[str]:
        self._screen.heading(f"Delete {stack.name}")
        before = self._emulator.configurations
        stack = self._stacks[stack.name] = self._engine.delete(stack)
        self._show(before, stack)
        deletion = "deletion" if self._is_alone else f"deletion of {stack.name}"
        return [*self._failures(deletion, stack, "DELETE_COMPLETE"), *self._losses()]

    def _others(self, name: str) -> list[Stack]:
        return [stack for stack in self._stacks.values() if stack.name != name]

    def _check(self, steps: Sequence[Step]) -> None:
        types: dict[str, Mapping[str, str]] = {}
        for step in steps:
            try:
                refuse_type_changes(types.get(step.stack, {}), step.template)
                types[step.stack] = self._engine.check(step.stack, step.template, step.parameters).types
            except TemplateError as error:
                raise template_rejected(step.template.name, error) from error

    # During a step

    def _on_event(self, event: StackEvent) -> None:
        self._events.append(event)
        self._screen.event(event)
        if event.status == "DELETE_SKIPPED":
            self._inventory.deletion_skipped(event.physical_id, self._emulator.configurations)

    def _invoke(self, event: dict[str, Any]) -> None:
        type_ = resource_type(event["ResourceType"])
        properties = expand(event["ResourceProperties"], type_.schema).parameters
        target = properties.get(TARGET)
        existing = self._emulator.configurations
        self._inventory.observe(existing)
        if event["RequestType"] == "Delete":
            self._inventory.deletion_requested(event["PhysicalResourceId"], properties, existing)
        elif self._adopts(event["ResourceType"]) and isinstance(target, str) and not self._inventory.has_seen(target):
            self._seed_placeholder(target)
        try:
            self._sources.seed(event["ResourceProperties"], type_.schema, type_.rules)
        except UserError as error:
            self._mistake = error
            raise
        try:
            self._function(event)
        finally:
            self._show_warnings(event)

    def _show_warnings(self, event: Mapping[str, Any]) -> None:
        name, physical_id = event["LogicalResourceId"], event.get("PhysicalResourceId", "")
        texts = self._warnings.take()
        ignored = self._about_placeholders(event) if texts else set()
        for text in (one for one in texts if one not in ignored):
            self._screen.event(StackEvent(datetime.now(UTC), name, physical_id, event["ResourceType"], WARNING, text))

    @staticmethod
    def _adopts(type_name: str) -> bool:
        """Whether a target of this type is adopted, and not only contributed to."""
        return resource_type(type_name) is resource_type(DISTRIBUTION_CONFIGURATION)

    def _about_placeholders(self, event: Mapping[str, Any]) -> set[str]:
        """The texts of the findings about placeholders, which say nothing about the real values."""
        properties, type_ = event["ResourceProperties"], resource_type(event["ResourceType"])
        expanded, spelling = expand(properties, type_.schema), Spelling(properties, type_.schema)
        found = validate_properties(expanded, type_.rules)
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
        now = self._emulator.configurations
        self._screen.changes(before, now)
        if not self._is_alone:
            changed = [arn for arn, one in now.items() if arn in before and before[arn] != one]
            for arn in changed:
                self._screen.content(arn, now[arn])
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

    def _losses(self) -> list[str]:
        return self._report(self._inventory.losses(self._stacks.values(), self._emulator.configurations))

    def _leftovers(self) -> list[str]:
        return self._report(self._inventory.leftovers(self._stacks.values(), self._emulator.configurations))

    def _report(self, problems: Sequence[Problem]) -> list[str]:
        """Print the problems, and return their summaries."""
        for problem in problems:
            self._screen.print(f"  {problem.line}", fg="red")
        return list(dict.fromkeys(problem.summary for problem in problems))

    def _drifted(self, previous: Stack | None, stack: Stack, before: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """After a rollback, compare the live configurations with what they should be again."""
        if "ROLLBACK" not in stack.status:
            return []
        found = []
        for name, arn, differing in self._differing(previous, stack, before):
            what = "from the template" if self._is_alone else "from what it was before"
            self._screen.print(f"  {name}: {arn} differs {what} after the rollback", fg="yellow")
            found.append(f"{name}'s configuration differs {what} after the rollback")
            for difference in differing:
                self._screen.difference(difference)
        return found

    def _differing(
        self, previous: Stack | None, stack: Stack, before: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[tuple[str, str, Sequence[Difference]]]:
        """Logical IDs, ARNs, and how the configurations differ.

        A stack that is alone is compared with what it recorded before the update, and all stacks that share
        configurations with what was live before the step.
        """
        found = self._drifts_alone(previous, stack, before) if self._is_alone else self._shared_drifts(before)
        return (one for one in found if one[2])

    def _drifts_alone(
        self, previous: Stack | None, stack: Stack, before: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[tuple[str, str, Sequence[Difference]]]:
        now = self._emulator.configurations
        for name, recorded in (previous.resources if previous else {}).items():
            arn = stack.resources[name].physical_id
            if arn in now:
                yield name, arn, self._drift(recorded, before.get(arn, {}), now[arn])

    def _shared_drifts(
        self, before: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[tuple[str, str, Sequence[Difference]]]:
        now = self._emulator.configurations
        for one in (one for stack in self._stacks.values() for one in stack.resources.values()):
            arn = one.physical_id
            if arn in before and arn in now:
                yield one.logical_id, arn, content_drift(before[arn], now[arn])

    def _drift(
        self, recorded: DeployedResource, before: Mapping[str, Any], now: Mapping[str, Any]
    ) -> Sequence[Difference]:
        """How a configuration differs from what the stack recorded."""
        schema = resource_type(recorded.type).schema
        desired = self._sources.resolved(expand(recorded.properties, schema).parameters, schema)
        return drift(desired, before, now, schema)


def _value_at(value: Any, path: Path) -> Any:
    """The value at a path; None if there is none."""
    for element in path:
        try:
            value = value[element]
        except (LookupError, TypeError):
            return None
    return value
