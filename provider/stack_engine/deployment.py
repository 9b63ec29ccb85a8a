"""A template with its parameter values, in one stack: its resources, their order, and their properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..template.external_values import ExternalValues
from ..template.function_calls import calls, names_in, references
from ..template.intrinsics import Evaluator, UnknownValueError, text
from ..template.rule_assertions import rule_problems
from ..template.sections import Template
from ..template.structure import (
    depends_on,
    depends_on_errors,
    missing_token,
    name_errors,
    null_errors,
    properties_errors,
    service_errors,
)
from ..template.template_error import TemplateError, TreePath, describe, raise_all
from .deployed_values import AttributeMissingError, DeployedValues
from .records import DeployedResource, StackLocation

__all__ = ["AttributeMissingError", "Deployment", "refuse_type_changes"]


@dataclass
class Deployment:
    """One template as one stack would deploy it.

    The constructor raises TemplateError for everything that CloudFormation rejects before it changes a resource.
    `live` and `salt` are described in DeployedValues.
    """

    template: Template
    given: InitVar[Mapping[str, str]]
    location: StackLocation
    live: InitVar[Mapping[str, DeployedResource]]
    salt: InitVar[str] = ""
    external: ExternalValues = field(default_factory=ExternalValues)

    def __post_init__(self, given: Mapping[str, str], live: Mapping[str, DeployedResource], salt: str) -> None:
        self.values = values = DeployedValues(self.template, given, self.location, live, salt, self.external)
        self.type, self.is_provider_resource, self.notes = values.type, values.is_provider_resource, values.notes
        self.evaluator = Evaluator(self.template.mappings, self.template.conditions, self.values)
        raise_all(self._unknown_names())
        raise_all(self._false_rules())
        for name in self.template.conditions:
            self.evaluator.holds(name, ("Conditions", name))
        self.order = self._ordered()
        self._check_values()

    @property
    def types(self) -> dict[str, str]:
        """The types of all resources that the stack would have, by logical ID."""
        return {name: self.type(name) for name in self.order}

    def policies(self, logical_id: str) -> tuple[str, str]:
        """The resource's DeletionPolicy and UpdateReplacePolicy. Raises TemplateError for unknown ones."""
        resource = self.template.resources[logical_id]
        found = []
        for key in ("DeletionPolicy", "UpdateReplacePolicy"):
            path: TreePath = ("Resources", logical_id, key)
            policy = self.evaluator.evaluate(resource.get(key, "Delete"), path)
            allowed = ["Delete", "Retain", "Snapshot"] + ["RetainExceptOnCreate"] * (key == "DeletionPolicy")
            if policy not in allowed:
                shown = repr(policy) if isinstance(policy, str) else describe(resource[key])
                raise TemplateError(f"{shown} is not one of {', '.join(allowed)}", path)
            found.append(policy)
        return found[0], found[1]

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The resource's properties as CloudFormation sends them: scalars as text. Raises TemplateError."""
        path: TreePath = ("Resources", logical_id, "Properties")
        properties = self.template.resources[logical_id].get("Properties", {})
        raise_all(properties_errors(properties, path))
        evaluated = self.evaluator.evaluate(properties, path)
        sent: dict[str, Any] = _as_sent(evaluated, path)

        def is_unknown(name: str) -> bool:
            return self.values.has_placeholder(properties.get(name), (*path, name), self.evaluator.holds)

        missing = () if "ServiceToken" in sent else (missing_token(path),)
        raise_all((*missing, *service_errors(evaluated, path, is_unknown)))
        return sent

    def outputs(self) -> dict[str, str]:
        """The stack's outputs. Raises TemplateError, or AttributeMissingError for a missing attribute."""
        return {name: self._output(name) for name in self._active("Outputs", self.template.outputs)}

    def exports(self, outputs: Mapping[str, str]) -> dict[str, str]:
        """The values of these outputs that are exported, by the names of the exports. Raises TemplateError."""
        found = {}
        for name, value in outputs.items():
            export = self.template.outputs[name].get("Export")
            if isinstance(export, Mapping) and "Name" in export:
                found[self.evaluator.text(export["Name"], ("Outputs", name, "Export", "Name"))] = value
        return found

    def check_outputs(self) -> None:
        """Evaluate the outputs that do not depend on a resource that is not deployed yet. Raises TemplateError."""
        for name in self._active("Outputs", self.template.outputs):
            with suppress(UnknownValueError, AttributeMissingError):
                self._output(name)

    def _output(self, name: str) -> str:
        if "Value" not in self.template.outputs[name]:
            raise TemplateError("Value is required", ("Outputs", name))
        return self.evaluator.text(self.template.outputs[name]["Value"], ("Outputs", name, "Value"))

    def _active(self, section: str, entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """The names of a section's entries whose condition is true."""
        return [
            name
            for name, entry in entries.items()
            if entry.get("Condition") is None or self.evaluator.holds(entry["Condition"], (section, name, "Condition"))
        ]

    def _unknown_names(self) -> Iterator[TemplateError]:
        if self.template.transformed:
            return
        known = {*self.template.resources, *self.values.names, "AWS::NoValue"}
        for section in ("resources", "outputs", "conditions"):
            yield from name_errors(getattr(self.template, section), (section.capitalize(),), known)
        for logical_id, resource in self.template.resources.items():
            yield from depends_on_errors(resource, ("Resources", logical_id), self.template.resources)

    def _false_rules(self) -> Iterator[TemplateError]:
        """The problems with Rules. A rule that depends on a value that only AWS knows is noted instead."""
        rules, known = self.template.rules, {}
        for name, rule in rules.items():
            if any(self.values.is_assumed(parameter) for parameter in names_in(rule)):
                self.values.note(f"rule {name} is not evaluated: it depends on an SSM parameter whose value is unknown")
            else:
                known[name] = rule
        for one in rule_problems(known, self.evaluator, self.values.names):
            if isinstance(one, UnknownValueError):
                self.values.note(f"rule {one.path[1]} is not evaluated: {one.message}")
            else:
                yield one

    def _check_values(self) -> None:
        # Evaluate all values that do not depend on a response, to find mistakes before anything is sent.
        live, self.values.live = self.values.live, {}
        try:
            names = filter(self.is_provider_resource, self.order)
            raise_all(error for name in names for error in self._property_errors(name))
            self.check_outputs()
        finally:
            self.values.live = live

    def _property_errors(self, name: str) -> tuple[TemplateError, ...]:
        try:
            self.properties(name)
        except TemplateError as error:
            return () if isinstance(error, UnknownValueError) else error.all
        return ()

    def _ordered(self) -> tuple[str, ...]:
        active = self._active("Resources", self.template.resources)
        needs = {logical_id: self._needs(logical_id, active) for logical_id in active}
        for name in self._active("Outputs", self.template.outputs):
            self._used(self.template.outputs[name], ("Outputs", name), active)
        for logical_id in filter(self.is_provider_resource, active):
            self.policies(logical_id)
        try:
            return tuple(TopologicalSorter(needs).static_order())
        except CycleError as error:
            cycle = error.args[1]
            raise TemplateError(f"circular dependency between resources: {' -> '.join(cycle)}") from error

    def _needs(self, logical_id: str, active: list[str]) -> list[str]:
        resource = self.template.resources[logical_id]
        used = self._used(resource.get("Properties", {}), ("Resources", logical_id, "Properties"), active)
        # As in CloudFormation, DependsOn is ignored for a resource whose condition is false.
        return list(dict.fromkeys([*used, *(name for name in depends_on(resource) if name in active)]))

    def _used(self, node: Any, path: TreePath, active: list[str]) -> list[str]:
        """The resources that a value refers to. Raises TemplateError for a resource that is not active."""
        found = []
        for call in calls(node, path, self.evaluator.holds):
            for name, _ in references(call):
                if name in active:
                    found.append(name)
                elif name in self.template.resources:
                    raise TemplateError(f"{name} is not created, because its condition is false", call.path)
        return found


def refuse_type_changes(types: Mapping[str, str], template: Template) -> None:
    """Raise TemplateError if an update to `template` would give a resource another type than it has in `types`."""
    changed = [name for name, type_ in types.items() if template.resources.get(name, {}).get("Type", type_) != type_]
    if changed:
        raise TemplateError(
            "Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{', '.join(changed)}]. Give the resource another logical ID"
        )


def _as_sent(value: Any, path: TreePath) -> Any:
    if isinstance(value, dict):
        return {key: _as_sent(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_sent(item, (*path, index)) for index, item in enumerate(value)]
    raise_all(null_errors(value, path) if value is None else ())
    return text(value, path)
