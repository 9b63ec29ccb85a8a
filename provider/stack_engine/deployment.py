"""A template with its parameter values, in one stack: its resources, their order, and their properties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..resources import RESOURCE_TYPES
from ..template.external_values import ExternalValues
from ..template.function_calls import calls, names_in
from ..template.intrinsics import Evaluator, text
from ..template.parameters import bind, is_stored
from ..template.placeholders import Placeholders
from ..template.sections import Template
from ..template.structure import (
    depends_on,
    depends_on_errors,
    missing_token,
    null_errors,
    properties_errors,
    service_errors,
)
from ..template.template_error import TemplateError, TreePath, describe, raise_all
from .records import Resource, StackLocation


class AttributeMissingError(TemplateError):
    """A resource did not return an attribute that the template uses. Only a deployment shows it."""


class _NotYetError(TemplateError):
    """A value that is unknown until a resource responds."""


@dataclass
class Deployment:
    """One template as one stack would deploy it.

    The constructor raises TemplateError for everything that CloudFormation rejects before it changes a resource.
    """

    template: Template
    given: Mapping[str, str]
    place: StackLocation
    live: Mapping[str, Resource]
    """The stack's resources, read whenever a `Ref` or `Fn::GetAtt` is evaluated."""
    notes: list[str] = field(default_factory=list)
    salt: str = ""
    """The salt of the placeholders, see Placeholders."""
    outside: ExternalValues = field(default_factory=ExternalValues)

    def __post_init__(self) -> None:
        self.placeholders = Placeholders(self.place.region, self.place.account, self.salt)
        values = bind(self.template, self.given, self.placeholders, self._note)
        names = {**values, **self._pseudo()}
        self.evaluator = Evaluator(self.template, names, self, self.placeholders, self.outside, self._note)
        raise_all(self._unknown_names())
        for name in self.template.conditions:
            self.evaluator.holds(name, ("Conditions", name))
        self.order = self._ordered()
        self._check_values()

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _pseudo(self) -> dict[str, Any]:
        suffix = "amazonaws.com.cn" if self.placeholders.partition == "aws-cn" else "amazonaws.com"
        return {
            "AWS::AccountId": self.place.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": self.placeholders.partition,
            "AWS::Region": self.place.region,
            "AWS::StackId": self.place.stack_id,
            "AWS::StackName": self.place.stack_name,
            "AWS::URLSuffix": suffix,
        }

    # resources

    def backed(self, logical_id: str) -> bool:
        """Whether this is a resource of the provider; all others are skipped."""
        return self.type(logical_id) in RESOURCE_TYPES and logical_id not in self.template.foreign

    def type(self, logical_id: str) -> str:
        """The resource's Type."""
        return str(self.template.resources[logical_id]["Type"])

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
        sent = _as_sent(evaluated, path)
        own = evaluated if isinstance(evaluated, dict) else {}
        missing = () if "ServiceToken" in own else (missing_token(path),)
        invalid = service_errors(own, path, lambda name: self._is_placeholder(properties.get(name), (*path, name)))
        raise_all((*missing, *invalid))
        assert isinstance(sent, dict)
        return sent

    def _is_placeholder(self, node: Any, path: TreePath) -> bool:
        """Whether a value contains a placeholder, which can have another format than the real value."""
        if "{{resolve:" in str(node):
            return True
        return any(
            call.function == "Fn::ImportValue" or any(map(self._is_elsewhere, names_in(call)))
            for call in calls(node, path, self.evaluator.holds)
        )

    def _is_elsewhere(self, name: str) -> bool:
        if name in self.template.parameters:
            return is_stored(self.template.parameters[name])
        return name not in self.evaluator.names and name not in self.live

    def outputs(self) -> dict[str, str]:
        """The stack's outputs. Raises TemplateError, or AttributeMissingError for a missing attribute."""
        return {name: self._output(name, output) for name, output in self._active_outputs()}

    def check_outputs(self) -> None:
        """Evaluate the outputs that do not depend on a resource that is not deployed yet. Raises TemplateError."""
        for name, output in self._active_outputs():
            with suppress(_NotYetError, AttributeMissingError):
                self._output(name, output)

    def _output(self, name: str, output: Mapping[str, Any]) -> str:
        if "Value" not in output:
            raise TemplateError("a Value is needed", ("Outputs", name))
        return self.evaluator.text(output["Value"], ("Outputs", name, "Value"))

    def _active_outputs(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, output in self.template.outputs.items():
            condition = output.get("Condition")
            if condition is None or self.evaluator.holds(condition, ("Outputs", name, "Condition")):
                yield name, output

    # Ref and Fn::GetAtt of resources

    def reference(self, name: str, path: TreePath) -> str:
        """The value of `Ref` of a resource: its physical ID, or a placeholder."""
        if name in self.live:
            return self.live[name].physical_id
        value = self.placeholders.reference(self._skipped_type(name, path), name)
        fitting = self.outside.fit(path, value)
        # A declared resource has an event that it is skipped, with the first value.
        has_event = name in self.template.resources and fitting == value
        return value if has_event else self._noted(name, path, fitting)

    def attribute(self, name: str, attribute: str, path: TreePath) -> Any:
        """The value of `Fn::GetAtt` of a resource: from its response's Data, or a placeholder."""
        if name not in self.live:
            value = self.placeholders.attribute(self._skipped_type(name, path), name, attribute)
            return self._noted(f"{name}.{attribute}", path, self.outside.fit(path, value))
        data = self.live[name].data
        if attribute not in data:
            known = f"; it has {', '.join(data)}" if data else ""
            raise AttributeMissingError(
                f"CustomResource attribute error: Vendor response doesn't contain {attribute} attribute "
                f"of {name}{known}",
                path,
            )
        return data[attribute]

    def _skipped_type(self, name: str, path: TreePath) -> str:
        resource = self.template.resources.get(name)
        if resource and not self.backed(name):
            return str(resource["Type"])
        if resource is None and self.template.transformed:
            return "AWS::Serverless::Function" if path[-1] == "Fn::GetAtt" else ""
        raise _NotYetError(f"{name} is not deployed yet", path)

    def _noted(self, what: str, path: TreePath, value: str) -> str:
        if path[0] != "Outputs":
            self._note(f"{what} is not deployed here and is taken to be {value!r}")
        return value

    # order

    def _unknown_names(self) -> Iterator[TemplateError]:
        if self.template.transformed:
            return
        known = {*self.template.resources, *self.evaluator.names, "AWS::NoValue"}
        for section, entries in (
            ("Resources", self.template.resources),
            ("Outputs", self.template.outputs),
            ("Conditions", self.template.conditions),
        ):
            for call in calls(entries, (section,)):
                for name in names_in(call):
                    if _is_name(name) and name not in known:
                        yield TemplateError(f"there is no resource or parameter {name} in this template", call.path)
        for logical_id, resource in self.template.resources.items():
            yield from depends_on_errors(resource, ("Resources", logical_id), self.template.resources)

    def _check_values(self) -> None:
        # Evaluate once what does not depend on a response, so that mistakes show before anything is sent.
        live, self.live = self.live, {}
        try:
            raise_all(error for name in filter(self.backed, self.order) for error in self._property_errors(name))
            self.check_outputs()
        finally:
            self.live = live

    def _property_errors(self, name: str) -> tuple[TemplateError, ...]:
        try:
            self.properties(name)
        except _NotYetError:
            return ()
        except TemplateError as error:
            return error.all
        return ()

    def _active(self) -> list[str]:
        return [
            logical_id
            for logical_id, resource in self.template.resources.items()
            if resource.get("Condition") is None
            or self.evaluator.holds(resource["Condition"], ("Resources", logical_id, "Condition"))
        ]

    def _ordered(self) -> tuple[str, ...]:
        active = self._active()
        needs = {logical_id: self._needs(logical_id, active) for logical_id in active}
        for name, output in self._active_outputs():
            self._named(output, ("Outputs", name), active)
        for logical_id in filter(self.backed, active):
            self.policies(logical_id)
        try:
            return tuple(TopologicalSorter(needs).static_order())
        except CycleError as error:
            cycle = error.args[1]
            raise TemplateError(f"circular dependency between resources: {' -> '.join(cycle)}") from error

    def _needs(self, logical_id: str, active: list[str]) -> list[str]:
        resource = self.template.resources[logical_id]
        path: TreePath = ("Resources", logical_id)
        named = list(self._named(resource.get("Properties", {}), (*path, "Properties"), active))
        # As in CloudFormation, DependsOn is ignored for a resource whose condition is false.
        named += [name for name in depends_on(resource) if name in active]
        return list(dict.fromkeys(named))

    def _named(self, node: Any, path: TreePath, active: list[str]) -> list[str]:
        found = []
        for call in calls(node, path, self.evaluator.holds):
            for name in names_in(call):
                if name in active:
                    found.append(name)
                elif name in self.template.resources:
                    raise TemplateError(f"{name} is not created, as its condition is false", call.path)
        return found


def refuse_type_changes(types: Mapping[str, str], template: Template) -> None:
    """Raise TemplateError if an update to `template` would give a resource another type than it has in `types`."""
    changed = [name for name, kind in types.items() if template.resources.get(name, {}).get("Type", kind) != kind]
    if changed:
        raise TemplateError(
            "Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{', '.join(changed)}]. Give the resource another logical ID"
        )


def _is_name(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9:]+", name))


def _as_sent(value: Any, path: TreePath) -> Any:
    if isinstance(value, dict):
        return {key: _as_sent(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_sent(item, (*path, index)) for index, item in enumerate(value)]
    raise_all(null_errors(value, path) if value is None else ())
    return text(value, path)
