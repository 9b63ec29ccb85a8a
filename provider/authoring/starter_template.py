"""A template to start from: all properties with sample values, each with a comment that describes it."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..resources import resource_type
from ..schema.flatten import flatten, flatten_value
from ..schema.model import NAME, ON_DELETE, TARGET, Schema, pascal_case
from .block import OF_CLOUDFORMATION, entry_lines, item_lines, lines, template
from .documentation import first_sentence, kind, limits, of_member
from .samples import whole

LOGICAL_ID: Final = "GoldenImage"

ESSENTIAL: Final = {
    ("Properties", NAME),
    ("Properties", TARGET),
    ("Distribution", "amiDistributionConfiguration"),
    ("AmiDistributionConfiguration", "name"),
}
"""Members that every useful configuration needs although the model does not require them, by shape and member."""

COMMENTED_OUT: Final = {
    ("Properties", TARGET): "Instead of Name, to take over a configuration that exists.",
    ("Properties", ON_DELETE): "To leave the configuration in place.",
    ("Distribution", "containerDistributionConfiguration"): "For a container image, instead of the AMI.",
    ("LaunchPermissionConfiguration", "userGroups"): "To make the image public.",
    ("FastLaunchLaunchTemplateSpecification", "launchTemplateName"): "Instead of the ID.",
}
"""Properties that are commented out, by shape and member: when to use them."""

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
            "# The provider's stack exports it, with that stack's name before the hyphen.",
            *lines({"ServiceToken": OF_CLOUDFORMATION["ServiceToken"]}),
            "# How many seconds CloudFormation waits if nobody answers at all.",
            *lines({"ServiceTimeout": OF_CLOUDFORMATION["ServiceTimeout"]}),
            *self._lines(resource_type().schema, self._values(), _INDENT),
        ]
        return "\n".join([*head, *(" " * _INDENT + line for line in below)]) + "\n"

    def _values(self) -> dict[str, Any]:
        found = whole()
        first = {name: found[name] for name in (NAME, TARGET)}
        return {**first, **found, **({TARGET: self.adopt} if self.adopt else {})}

    def _members(self, type_: Schema, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """The API names of the members to show, each with the reason to comment it out; empty if it is not."""
        for name in values:
            is_needed = name in type_.required or (type_.shape, name) in ESSENTIAL
            reason = self._reason_to_comment_out(type_, name)
            if not self.required or (is_needed and not reason):
                yield name, reason

    def _reason_to_comment_out(self, type_: Schema, name: str) -> str:
        if self.adopt and type_.shape == resource_type().schema.shape and name in (NAME, TARGET):
            return "Instead, to own it." if name == NAME else ""
        return COMMENTED_OUT.get((type_.shape, name), "")

    def _chosen(self, type_: Schema, value: Any) -> Any:
        if type_.type_name == "structure":
            names = [name for name, aside in self._members(type_, value) if not aside]
            return {name: self._chosen(type_.members[name], value[name]) for name in names}
        if type_.type_name == "list" and type_.item is not None:
            return [self._chosen(type_.item, entry) for entry in value]
        return value

    def _lines(self, type_: Schema, value: Any, column: int) -> list[str]:
        if type_.type_name == "structure":
            members = self._members(type_, value)
            return [line for name, aside in members for line in self._entry(type_, name, aside, value[name], column)]
        if type_.type_name == "list" and type_.item is not None:
            return [line for entry in value for line in item_lines(self._lines(type_.item, entry, column + 2))]
        return lines(value)

    def _entry(self, structure: Schema, name: str, aside: str, value: Any, column: int) -> list[str]:
        member = structure.members[name]
        about = textwrap.wrap(f"{aside} {_about(structure, name)}".strip(), _WIDTH - column, break_on_hyphens=False)
        below = lines(flatten_value(value, member)) if aside else self._lines(member, value, column + 2)
        entry = entry_lines(pascal_case(name), below, value)
        return [f"# {line}" for line in (*about, *(entry if aside else ()))] + (entry if not aside else [])


def _about(structure: Schema, name: str) -> str:
    """A sentence about a member, with the model's constraints in parentheses."""
    member = structure.members[name]
    facts = (
        "required" if name in structure.required else "",
        kind(member) if member.type_name != "structure" else "",
        limits(member),
        f"one of {', '.join(member.enum)}" if member.enum else "",
    )
    said = ", ".join(filter(None, facts))
    return (
        f"{first_sentence(of_member(structure, name))} ({said})" if said else first_sentence(of_member(structure, name))
    )
