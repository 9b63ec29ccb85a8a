"""A template with its parameters bound, in one stack: its resources, their order and properties."""

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
from ..template.placeholders import Plausible
from ..template.refusal import TemplateError, TreePath, described, refuse
from ..template.sections import NO_NULL, Template
from .records import Place, Resource

BACKED_TYPES = RESOURCE_TYPES
LONGEST_TIMEOUT = 3600
"""Seconds, the most that ServiceTimeout may be."""
_TOKEN = re.compile(r"arn:aws[a-z-]*:(lambda|sns):[a-z0-9-]+:[0-9]{12}:.+")


class AttributeMissingError(TemplateError):
    """A resource did not answer the attribute that the template asks for: known only while deploying."""


class _NotYetError(TemplateError):
    """A value that only a resource's answer will give."""


@dataclass
class Deployment:
    """One template as one stack would deploy it.

    Raises TemplateError while it is made, for all that CloudFormation refuses before it touches a resource.
    """

    template: Template
    given: Mapping[str, str]
    place: Place
    live: Mapping[str, Resource]
    """The stack's resources, read whenever a `Ref` or `Fn::GetAtt` is worked out."""
    notes: list[str] = field(default_factory=list)
    salt: str = ""
    """Of the stand-ins, see Plausible."""
    outside: ExternalValues = field(default_factory=ExternalValues)

    def __post_init__(self) -> None:
        self.plausible = Plausible(self.place.region, self.place.account, self.salt)
        values = bind(self.template, self.given, self.plausible, self._note)
        names = {**values, **self._pseudo()}
        self.evaluator = Evaluator(self.template, names, self, self.plausible, self.outside, self._note)
        refuse(self._unknown_names())
        for name in self.template.conditions:
            self.evaluator.holds(name, ("Conditions", name))
        self.order = self._ordered()
        self._check_values()

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _pseudo(self) -> dict[str, Any]:
        suffix = "amazonaws.com.cn" if self.plausible.partition == "aws-cn" else "amazonaws.com"
        return {
            "AWS::AccountId": self.place.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": self.plausible.partition,
            "AWS::Region": self.place.region,
            "AWS::StackId": self.place.stack_id,
            "AWS::StackName": self.place.stack_name,
            "AWS::URLSuffix": suffix,
        }

    # what there is

    def backed(self, logical_id: str) -> bool:
        """Whether the provider stands behind this resource; all others are skipped."""
        return self.type(logical_id) in BACKED_TYPES and logical_id not in self.template.foreign

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
                shown = repr(policy) if isinstance(policy, str) else described(resource[key])
                raise TemplateError(f"{shown} is none of {', '.join(allowed)}", path)
            found.append(policy)
        return found[0], found[1]

    def properties(self, logical_id: str) -> dict[str, Any]:
        """The resource's properties as CloudFormation sends them: scalars as text. Raises TemplateError."""
        path: TreePath = ("Resources", logical_id, "Properties")
        properties = self.template.resources[logical_id].get("Properties", {})
        if not isinstance(properties, dict):
            raise TemplateError(f"must be a mapping, not {described(properties)}", path)
        worked_out = self.evaluator.evaluate(properties, path)
        sent = _as_sent(worked_out, path)
        refuse(self._wrong(properties, worked_out, path))
        assert isinstance(sent, dict)
        return sent

    def _wrong(self, written: Mapping[str, Any], worked_out: Any, path: TreePath) -> Iterator[TemplateError]:
        """What CloudFormation refuses in the two properties that are its own."""
        own = worked_out if isinstance(worked_out, dict) else {}
        token, timeout = own.get("ServiceToken"), own.get("ServiceTimeout", 1)
        here, there = (*path, "ServiceToken"), (*path, "ServiceTimeout")
        if token is None:
            yield TemplateError("a ServiceToken is needed: the ARN of the provider's function", path)
        elif not _TOKEN.fullmatch(str(token)) and not self._is_made_up(written.get("ServiceToken"), here):
            what = f"the ARN of the provider's Lambda function, or of an SNS topic, not {described(token)}"
            yield TemplateError(f"must be {what}", here)
        is_in_time = re.fullmatch("[0-9]{1,9}", str(timeout)) and 1 <= int(timeout) <= LONGEST_TIMEOUT
        if not is_in_time and not self._is_made_up(written.get("ServiceTimeout"), there):
            what = f"whole seconds from 1 to {LONGEST_TIMEOUT}, not {described(timeout)}"
            yield TemplateError(f"must be {what}", there)

    def _is_made_up(self, node: Any, path: TreePath) -> bool:
        """Whether a value rests on a stand-in, which need not have the real one's form."""
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
        """The stack's outputs. Raises TemplateError, AttributeMissingError for what a resource did not answer."""
        return {name: self._output(name, output) for name, output in self._active_outputs()}

    def check_outputs(self) -> None:
        """Work out those outputs that do not hang on an answer still to come. Raises TemplateError."""
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
        """What `Ref` of a resource gives: its physical ID, or a stand-in's."""
        if name in self.live:
            return self.live[name].physical_id
        value = self.plausible.reference(self._skipped_type(name, path), name)
        fitting = self.outside.fit(path, value)
        # A declared resource is told as skipped, with the first value.
        is_told = name in self.template.resources and fitting == value
        return value if is_told else self._stand_in(name, path, fitting)

    def attribute(self, name: str, attribute: str, path: TreePath) -> Any:
        """What `Fn::GetAtt` of a resource gives: from its answer's Data, or a stand-in's."""
        if name not in self.live:
            value = self.plausible.attribute(self._skipped_type(name, path), name, attribute)
            return self._stand_in(f"{name}.{attribute}", path, self.outside.fit(path, value))
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

    def _stand_in(self, what: str, path: TreePath, value: str) -> str:
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
            for name in _depends_on(resource):
                path = ("Resources", logical_id, "DependsOn")
                if not isinstance(name, str):
                    yield TemplateError("must be a logical ID, or a list of them", path)
                elif name not in self.template.resources:
                    yield TemplateError(f"there is no resource {name} in this template", path)

    def _check_values(self) -> None:
        # What does not hang on an answer is worked out once, so that a mistake shows before anything is sent.
        live, self.live = self.live, {}
        try:
            refuse(error for name in filter(self.backed, self.order) for error in self._refused(name))
            self.check_outputs()
        finally:
            self.live = live

    def _refused(self, name: str) -> tuple[TemplateError, ...]:
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
            circle = error.args[1]
            raise TemplateError(f"circular dependency between resources: {' -> '.join(circle)}") from error

    def _needs(self, logical_id: str, active: list[str]) -> list[str]:
        resource = self.template.resources[logical_id]
        path: TreePath = ("Resources", logical_id)
        named = list(self._named(resource.get("Properties", {}), (*path, "Properties"), active))
        # DependsOn of a resource whose condition is false falls away, as in CloudFormation.
        named += [name for name in _depends_on(resource) if name in active]
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


def _depends_on(resource: Mapping[str, Any]) -> list[Any]:
    explicit = resource.get("DependsOn", [])
    return explicit if isinstance(explicit, list) else [explicit]


def _is_name(name: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9:]+", name))


def _as_sent(value: Any, path: TreePath) -> Any:
    if isinstance(value, dict):
        return {key: _as_sent(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_sent(item, (*path, index)) for index, item in enumerate(value)]
    if value is None:
        raise TemplateError(NO_NULL, path)
    return text(value, path)
