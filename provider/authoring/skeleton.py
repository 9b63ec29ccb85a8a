"""The properties as a resource block to start from: plausible values, each with a comment on what it is."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..resources import resource_type
from ..schema.flatten import flatten, flatten_value
from ..schema.model import NAME, ON_DELETE, TARGET, Type, pascal_case
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
"""What a configuration is of no use without although the model does not ask for it, by shape and member."""

SET_ASIDE: Final = {
    ("Properties", TARGET): "Instead of Name, to take over a configuration that exists.",
    ("Properties", ON_DELETE): "To leave the configuration in place.",
    ("Distribution", "containerDistributionConfiguration"): "For a container image, instead of the AMI.",
    ("LaunchPermissionConfiguration", "userGroups"): "To make the image public.",
    ("FastLaunchLaunchTemplateSpecification", "launchTemplateName"): "Instead of the ID.",
}
"""Properties that a skeleton has only as comments, by shape and member: when to take them up."""

_INDENT: Final = 6
_WIDTH: Final = 110


@dataclass(frozen=True)
class Skeleton:
    """Which properties a skeleton has: all, or the required ones; a name of its own, or the ARN `adopt`."""

    required: bool = False
    adopt: str = ""

    def as_template(self) -> dict[str, Any]:
        """A Resources section without comments, and so without what is set aside."""
        return template(
            LOGICAL_ID, flatten(self._chosen(resource_type().schema, self._values()), resource_type().schema)
        )

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

    def _members(self, type_: Type, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """The API names of the members to show, each with why it is set aside; empty where it is not."""
        for name in values:
            here = (type_.shape, name)
            if self.required and name not in type_.required and here not in ESSENTIAL:
                continue
            aside = SET_ASIDE.get(here, "")
            if self.adopt and here[0] == resource_type().schema.shape and name in (NAME, TARGET):
                aside = "Instead, to own it." if name == NAME else ""
            if not (self.required and aside):
                yield name, aside

    def _chosen(self, type_: Type, value: Any) -> Any:
        if type_.kind == "structure":
            names = [name for name, aside in self._members(type_, value) if not aside]
            return {name: self._chosen(type_.members[name], value[name]) for name in names}
        if type_.kind == "list" and type_.item is not None:
            return [self._chosen(type_.item, entry) for entry in value]
        return value

    def _lines(self, type_: Type, value: Any, column: int) -> list[str]:
        if type_.kind == "structure":
            members = self._members(type_, value)
            return [line for name, aside in members for line in self._entry(type_, name, aside, value[name], column)]
        if type_.kind == "list" and type_.item is not None:
            return [line for entry in value for line in item_lines(self._lines(type_.item, entry, column + 2))]
        return lines(value)

    def _entry(self, structure: Type, name: str, aside: str, value: Any, column: int) -> list[str]:
        member = structure.members[name]
        about = textwrap.wrap(f"{aside} {_about(structure, name)}".strip(), _WIDTH - column, break_on_hyphens=False)
        below = lines(flatten_value(value, member)) if aside else self._lines(member, value, column + 2)
        entry = entry_lines(pascal_case(name), below, value)
        return [f"# {line}" for line in (*about, *(entry if aside else ()))] + (entry if not aside else [])


def _about(structure: Type, name: str) -> str:
    """A member in a sentence, and in brackets what the model asks of it."""
    member = structure.members[name]
    facts = (
        "required" if name in structure.required else "",
        kind(member) if member.kind != "structure" else "",
        limits(member),
        f"one of {', '.join(member.enum)}" if member.enum else "",
    )
    said = ", ".join(filter(None, facts))
    return (
        f"{first_sentence(of_member(structure, name))} ({said})" if said else first_sentence(of_member(structure, name))
    )
