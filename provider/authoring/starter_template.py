"""A template to start from: all properties with sample values, each with a comment that describes it."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..resources import resource_type
from ..schema.flatten import flatten, flatten_value
from ..schema.model import CONTRIBUTIONS, NAME, ON_DELETE, REGION, ROLE, TARGET, Schema, pascal_case
from .block import OF_CLOUDFORMATION, entry_lines, item_lines, lines, template
from .documentation import description, first_sentence, limits, type_name
from .samples import all_samples

LOGICAL_ID: Final = "GoldenImage"

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
    """A template with all properties or only the `required` ones; it creates a configuration or adopts `adopt`."""

    required: bool = False
    adopt: str = ""

    def as_template(self) -> dict[str, Any]:
        """A Resources section without comments and without properties that are commented out."""
        schema = resource_type().schema
        return template(LOGICAL_ID, flatten(self._chosen(schema, self._values()), schema))

    def as_yaml(self) -> str:
        """A Resources section with comments, in YAML."""
        head = lines(template(LOGICAL_ID, {}))[: -len(OF_CLOUDFORMATION)]
        below = [
            "# The provider's stack exports it, with the stack's name as the prefix.",
            *lines({"ServiceToken": OF_CLOUDFORMATION["ServiceToken"]}),
            "# How many seconds CloudFormation waits for a response.",
            *lines({"ServiceTimeout": OF_CLOUDFORMATION["ServiceTimeout"]}),
            *self._lines(resource_type().schema, self._values(), _INDENT),
        ]
        return "\n".join([*head, *(" " * _INDENT + line for line in below)]) + "\n"

    def _values(self) -> dict[str, Any]:
        found = all_samples()
        first = {name: found[name] for name in (NAME, TARGET)}
        return {**first, **found, **({TARGET: self.adopt} if self.adopt else {})}

    def _members(self, schema: Schema, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """The API names of the members to show, each with the reason to comment it out; empty if it is not."""
        for name in values:
            is_needed = name in schema.required or (schema.shape, name) in ESSENTIAL
            reason = self._reason_to_comment_out(schema, name)
            if not self.required or (is_needed and not reason):
                yield name, reason

    def _reason_to_comment_out(self, schema: Schema, name: str) -> str:
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
            return [line for entry in value for line in item_lines(self._lines(schema.item, entry, column + 2))]
        return lines(value)

    def _entry(self, structure: Schema, name: str, reason: str, value: Any, column: int) -> list[str]:
        """The lines of a member with its comment; all are comments if there is a `reason` to comment it out."""
        member = structure.members[name]
        text = f"{reason} {_summary(structure, name)}".strip()
        comment = [f"# {line}" for line in textwrap.wrap(text, _WIDTH - column, break_on_hyphens=False)]
        below = lines(flatten_value(value, member)) if reason else self._lines(member, value, column + 2)
        entry = entry_lines(pascal_case(name), below, value)
        return [*comment, *(f"# {line}" if reason else line for line in entry)]


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
