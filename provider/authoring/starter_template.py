"""A template to start from: all properties with sample values, each with a comment that describes it."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ..resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.flatten import flatten, flatten_value
from ..schema.model import CONTRIBUTIONS, NAME, ON_DELETE, REGION, ROLE, TARGET, Schema, pascal_case
from .block import SERVICE_TIMEOUT, SERVICE_TOKEN, entry_lines, item_lines, lines, of_cloudformation, template
from .documentation import description, first_sentence, limits, type_name
from .samples import all_samples, sample
from .variants import variants

LOGICAL_ID: Final = "GoldenImage"
_LOGICAL_ID_OF_A_CONTRIBUTION: Final = "Contribution"

ESSENTIAL: Final = {
    ("Properties", NAME),
    ("Properties", TARGET),
    ("Distribution", "amiDistributionConfiguration"),
    ("AmiDistributionConfiguration", "name"),
}
"""Members that every useful configuration needs but the model does not require, by shape and member."""

COMMENTED_OUT: Final = {
    ("Properties", TARGET): "Instead of Name, to adopt an existing configuration.",
    ("Properties", ON_DELETE): "To retain the configuration.",
    ("Properties", REGION): "For a configuration in another Region than the stack's.",
    ("Properties", ROLE): "For a configuration in another account.",
    ("Properties", CONTRIBUTIONS): "To let other stacks contribute; requires the provider's ledger.",
    ("Distribution", "containerDistributionConfiguration"): "For a container image, instead of the AMI.",
    ("LaunchPermissionConfiguration", "userGroups"): "To make the image public.",
    ("FastLaunchLaunchTemplateSpecification", "launchTemplateName"): "Instead of the ID.",
}
"""Properties that are commented out, by shape and member, and when to use them."""

_INDENT: Final = 6
_WIDTH: Final = 110


@dataclass(frozen=True)
class StarterTemplate:
    """A template with all properties or only the `required` ones; it creates a configuration or adopts `adopt`.

    It can also be of a contribution, whose properties are never commented out in favor of others. `service_token` is an
    ARN or a function call.
    """

    required: bool = False
    adopt: str = ""
    type_name: str = DISTRIBUTION_CONFIGURATION
    service_token: Any = field(default_factory=lambda: SERVICE_TOKEN)

    def as_template(self) -> dict[str, Any]:
        """A Resources section without comments and without properties that are commented out."""
        return self._template(flatten(self._chosen(self._schema, self._values()), self._schema))

    def as_yaml(self) -> str:
        """A Resources section with comments, in YAML."""
        head = lines(self._template({}))[: -len(of_cloudformation())]
        below = [
            "# The provider's stack exports it, with the stack's name as the prefix.",
            *lines({"ServiceToken": self.service_token}),
            "# How many seconds CloudFormation waits for a response.",
            *lines({"ServiceTimeout": SERVICE_TIMEOUT}),
            *self._lines(self._schema, self._values(), _INDENT),
        ]
        return "\n".join([*head, *(" " * _INDENT + line for line in below)]) + "\n"

    @property
    def _schema(self) -> Schema:
        return resource_type(self.type_name).schema

    def _template(self, properties: dict[str, Any]) -> dict[str, Any]:
        logical_id = _LOGICAL_ID_OF_A_CONTRIBUTION if self.type_name == CONTRIBUTION else LOGICAL_ID
        return template(logical_id, properties, self.type_name, self.service_token)

    def _values(self) -> dict[str, Any]:
        found = all_samples(self.type_name)
        first: dict[str, Any] = {name: found[name] for name in (NAME, TARGET) if name in found}
        return {**first, **found, **({TARGET: self.adopt} if self.adopt else {})}

    def _members(self, schema: Schema, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """The API names of the members to show, each with the reason to comment it out; empty if it is not."""
        for name in values:
            is_essential = self.type_name != CONTRIBUTION and (schema.shape, name) in ESSENTIAL
            is_needed = name in schema.required or is_essential
            reason = self._reason_to_comment_out(schema, name)
            if not self.required or (is_needed and not reason):
                yield name, reason

    def _reason_to_comment_out(self, schema: Schema, name: str) -> str:
        if name in schema.required:
            return ""
        if self.adopt and schema.shape == resource_type().schema.shape and name in (NAME, TARGET):
            return "To create and own a configuration instead of adopting one." if name == NAME else ""
        return COMMENTED_OUT.get((schema.shape, name), "")

    def _chosen(self, schema: Schema, value: Any) -> Any:
        """The value without members that are not shown or are commented out."""
        if schema.type_name == "structure":
            names = [name for name, reason in self._members(schema, value) if not reason]
            return {name: self._chosen(schema.members[name], value[name]) for name in names}
        if schema.type_name == "list" and schema.item is not None:
            return [self._chosen(schema.item, entry) for entry in value]
        return value

    def _lines(self, schema: Schema, value: Any, column: int) -> list[str]:
        if schema.type_name == "structure":
            members = self._members(schema, value)
            return [line for name, reason in members for line in self._entry(schema, name, reason, value[name], column)]
        if schema.type_name == "list" and schema.item is not None:
            entries = [line for entry in value for line in item_lines(self._lines(schema.item, entry, column + 2))]
            return [*entries, *(f"# {line}" for line in _source_lines(schema.item))]
        return lines(value)

    def _entry(self, structure: Schema, name: str, reason: str, value: Any, column: int) -> list[str]:
        """The lines of a member with its comment; all are comments if there is a `reason` to comment it out."""
        member = structure.members[name]
        text = f"{reason} {_summary(structure, name)}".strip()
        comment = [f"# {line}" for line in textwrap.wrap(text, _WIDTH - column, break_on_hyphens=False)]
        below = lines(flatten_value(value, member)) if reason else self._lines(member, value, column + 2)
        entry = entry_lines(pascal_case(name), below, value)
        return [*comment, *(f"# {line}" if reason else line for line in entry)]


def _source_lines(item: Schema) -> list[str]:
    """The lines of a sample entry for each account source that a list accepts."""
    samples = [(one, sample(one)) for one in variants(item.source).values()]
    return [line for one, value in samples for line in item_lines(lines(flatten_value(value, one)))]


def _summary(structure: Schema, name: str) -> str:
    """A sentence about a member, with the model's constraints in parentheses."""
    member = structure.members[name]
    facts = (
        "required" if name in structure.required else "",
        type_name(member) if member.type_name != "structure" else "",
        limits(member),
        f"one of {', '.join(member.enum)}" if member.enum else "",
    )
    constraints = ", ".join(filter(None, facts))
    sentence = first_sentence(description(structure, name))
    return f"{sentence} ({constraints})" if constraints else sentence
