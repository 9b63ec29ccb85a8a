"""The values of a template's functions in a deployment, with placeholders for those that only AWS knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..resources import RESOURCE_TYPES
from ..template.external_values import ExternalValues
from ..template.function_calls import calls, references
from ..template.intrinsics import DYNAMIC_REFERENCE, UnknownValueError
from ..template.parameters import bind, stored_reference
from ..template.partitions import partition_of
from ..template.placeholders import Placeholders
from ..template.sections import Template
from ..template.template_error import TemplateError, TreePath
from .records import DeployedResource, StackLocation

_DYNAMIC_REFERENCE = re.compile(re.escape(DYNAMIC_REFERENCE) + r"([a-z-]+):([^}]+)\}\}")


class AttributeMissingError(TemplateError):
    """A resource did not return an attribute that the template uses. Only a deployment can detect this."""


@dataclass
class DeployedValues:
    """The values in one deployment of a template with the parameters `given`.

    The constructor raises TemplateError for parameters that CloudFormation rejects.
    """

    template: Template
    given: Mapping[str, str]
    location: StackLocation
    live: Mapping[str, DeployedResource]
    """The stack's resources, read whenever a `Ref` or `Fn::GetAtt` is evaluated."""
    salt: str
    """The salt of the placeholders, see Placeholders."""
    external: ExternalValues
    notes: list[str] = field(default_factory=list)
    """One sentence for each value that was replaced by a placeholder."""
    imports: set[str] = field(default_factory=set)
    """The names of the exports that were evaluated."""

    def __post_init__(self) -> None:
        location = self.location
        self._placeholders = Placeholders(location.region, location.account, self.salt)
        self.names: dict[str, Any] = {
            **bind(self.template, self.given, self._placeholders, self.note, self.external.references),
            "AWS::AccountId": location.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": self._placeholders.partition,
            "AWS::Region": location.region,
            "AWS::StackId": location.stack_id,
            "AWS::StackName": location.stack_name,
            "AWS::URLSuffix": partition_of(location.region).url_suffix,
        }

    def note(self, note: str) -> None:
        """Add a note, once."""
        if note not in self.notes:
            self.notes.append(note)

    def type(self, logical_id: str) -> str:
        """The resource's Type."""
        return str(self.template.resources[logical_id]["Type"])

    def is_provider_resource(self, logical_id: str) -> bool:
        """Whether this is a resource of this provider; all others are skipped."""
        return self.type(logical_id) in RESOURCE_TYPES and logical_id not in self.template.foreign

    def reference(self, name: str, path: TreePath) -> Any:
        """The value of a parameter or pseudo parameter, or a resource's physical ID; else a placeholder."""
        if name in self.names:
            return self._parameter(name, path)
        if name in self.live:
            return self.live[name].physical_id
        value = self._placeholders.reference(self._skipped_type(name, path), name)
        fitting = self.external.fit(path, value)
        # The event that says that a declared resource is skipped shows the first value.
        is_shown = name in self.template.resources and fitting == value
        return value if is_shown else self._noted(name, path, fitting)

    def _parameter(self, name: str, path: TreePath) -> Any:
        value, fit = self.names[name], self.external.fit
        if not self.is_assumed(name):
            return value
        fitting = [fit(path, one) for one in value] if isinstance(value, list) else fit(path, value)
        if fitting != value:
            self.note(f"parameter {name} is assumed to be {fitting!r} where another value would be rejected")
        return fitting

    def attribute(self, name: str, attribute: str, path: TreePath) -> Any:
        """An attribute from the Data of a resource's response, or a placeholder."""
        if name not in self.live:
            value = self._placeholders.attribute(self._skipped_type(name, path), name, attribute)
            return self._noted(f"{name}.{attribute}", path, self.external.fit(path, value))
        data = self.live[name].data
        if attribute not in data:
            known = f"; it has {', '.join(data)}" if data else ""
            raise AttributeMissingError(
                f"CustomResource attribute error: Vendor response doesn't contain {attribute} attribute "
                f"of {name}{known}",
                path,
            )
        return data[attribute]

    def exported(self, name: str, path: TreePath) -> str:
        """The value of another stack's export, or a placeholder."""
        self.imports.add(name)
        if name in self.external.deployed:
            return self.external.deployed[name]
        if name in self.external.exports:
            return self.external.exports[name]
        value = self._placeholders.imported(name, as_function="ServiceToken" in path)
        value = self.external.fit(path, value)
        self.note(f"the export {name} of another stack is assumed to be {value!r}")
        return value

    def resolve(self, text: str, path: TreePath) -> str:
        """The text with the values of its dynamic references, or placeholders for them."""

        def value(match: re.Match[str]) -> str:
            known = self.external.references.get(f"{match[1]}:{match[2]}")
            if known is not None:
                return known
            value = self._placeholders.resolved(match[2].split(":")[0])
            # A part of a text has no property whose rules it must satisfy.
            value = self.external.fit(path if match[0] == text else (), value)
            self.note(f"{match[0]} is assumed to be {value!r}")
            return value

        return _DYNAMIC_REFERENCE.sub(value, text)

    def has_placeholder(self, node: Any, path: TreePath, holds: Callable[[Any, TreePath], bool]) -> bool:
        """Whether a value contains a placeholder, which can have another format than the real value."""
        return DYNAMIC_REFERENCE in str(node) or any(
            call.function == "Fn::ImportValue" or any(self._is_placeholder(name) for name, _ in references(call))
            for call in calls(node, path, holds)
        )

    def _is_placeholder(self, name: str) -> bool:
        if name in self.template.parameters:
            return self.is_assumed(name)
        return name not in self.names and name not in self.live

    def is_assumed(self, name: str) -> bool:
        """Whether the value of a parameter is a placeholder: it is stored in an SSM parameter and was not given."""
        reference = stored_reference(name, self.template.parameters.get(name, {}), self.given)
        return bool(reference) and reference not in self.external.references

    def _skipped_type(self, name: str, path: TreePath) -> str:
        if name in self.template.resources and not self.is_provider_resource(name):
            return self.type(name)
        if name not in self.template.resources and self.template.transformed:
            return "AWS::Serverless::Function" if path[-1] == "Fn::GetAtt" else ""
        raise UnknownValueError(f"{name} is not deployed yet", path)

    def _noted(self, what: str, path: TreePath, value: str) -> str:
        if path[0] != "Outputs":
            self.note(f"{what} is not deployed here and is assumed to be {value!r}")
        return value
