"""Generates the reference page of all properties, in Markdown."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..resources import resource_type
from ..schema.flatten import flatten_value
from ..schema.model import ALIASES, HINTS, NAME, REFUSED, TARGET, Schema, pascal_case
from ..schema.return_values import ATTRIBUTES
from ..schema.rules import RULES
from .block import OF_CLOUDFORMATION, RESOURCE_TYPE, as_yaml
from .documentation import kind, limits, of_member
from .native import NATIVE_TYPE, NativeMembers, native_name
from .samples import consistent, sample
from .starter_template import StarterTemplate

_OF_CLOUDFORMATION: Final = {
    "ServiceToken": "Where the provider is: the ARN of its function, which its stack exports. Required.",
    "ServiceTimeout": "How many seconds CloudFormation waits if nobody answers at all; left out, an hour.",
}

_INTRODUCTION: Final = f"""\
# Properties

All properties of `{RESOURCE_TYPE}`. This page is generated (`make docs`): from the
service model of EC2 Image Builder that the provider is pinned to, whose documentation it quotes, and from the
provider's own tables.

Names are written as in CloudFormation; the API's own spelling (`kmsKeyId`) works as well. Booleans and numbers may be
given as text. *Native* says whether `{NATIVE_TYPE}` has the property, as cfn-lint
knows its schema. *Checked* are the provider's checks beyond the service model, by the IDs under which they are told: an
E fails, a W only warns.

What no configuration can do without:
"""


@dataclass(frozen=True)
class Property:
    """A property: its structure, its API name in it, and its path by API names, with `[]` for list entries."""

    structure: Schema
    name: str
    path: str
    native: str | None
    below: NativeMembers

    @property
    def type(self) -> Schema:
        """The property's type."""
        return self.structure.members[self.name]

    @property
    def inner(self) -> tuple[Schema, str]:
        """The type and the path of the property's value, or of its entries if it is a list."""
        type_, path = self.type, self.path
        while type_.type_name == "list" and type_.item is not None:
            type_, path = type_.item, f"{path}[]"
        return type_, path


def page(native: NativeMembers, checks: Mapping[str, str]) -> str:
    """The page. `checks` has the cfn-lint ID and title of each rule in `rules.RULES`, by rule ID."""
    root = resource_type().schema
    properties = list(_properties(root, "", native))
    parts = [
        _INTRODUCTION,
        _example(StarterTemplate(required=True).as_template()),
        "## Overview\n",
        _table(("property", "type", "required", "native"), map(_row, properties)),
        "## Attributes\n",
        _table(("`Fn::GetAtt`", ""), ((f"`{name}`", said) for name, said in ATTRIBUTES.items())),
        "## The resource\n",
        *_checked("", checks),
        *(_section(property_, checks) for property_ in properties),
        *(f"### `{name}`\n\n{_OF_CLOUDFORMATION[name]}\n" for name in OF_CLOUDFORMATION),
        *(f"### `{pascal_case(name)}`\n\nNot to be given: {why}.\n" for name, why in REFUSED.items()),
    ]
    return "\n".join(parts)


def _properties(structure: Schema, path: str, native: NativeMembers) -> Iterator[Property]:
    for name in structure.members:
        called = native_name(structure, name, native)
        property_ = Property(structure, name, f"{path}.{name}" if path else name, called, native.get(called or "", {}))
        yield property_
        inner, below = property_.inner
        if inner.type_name == "structure":
            yield from _properties(inner, below, property_.below)


def _row(property_: Property) -> tuple[str, ...]:
    required = "yes" if property_.name in property_.structure.required else ""
    either = "one of two" if property_.path in (NAME, TARGET) else ""
    link = f"[`{_spelled(property_.path)}`](#{_anchor(property_.path)})"
    return link, kind(property_.type), required or either, "yes" if property_.native else "no"


def _section(property_: Property, checks: Mapping[str, str]) -> str:
    said = of_member(property_.structure, property_.name)
    facts = [f"- {fact}" for fact in _facts(property_)]
    type_, inner = property_.inner
    return "\n".join(
        [
            f'<a id="{_anchor(property_.path)}"></a>\n\n### `{_spelled(property_.path)}`\n',
            *([said, ""] if said else []),
            *facts,
            "",
            *_checked(property_.path, checks),
            *(_checked(inner, checks) if inner != property_.path else ()),
            *([_example(_alone(property_))] if type_.type_name == "structure" else ()),
        ]
    )


def _facts(property_: Property) -> Iterator[str]:
    type_ = property_.type
    yield ", ".join(filter(None, (f"Type: {kind(type_)}", limits(type_))))
    yield from _constraints(type_)
    yield from _inner_facts(type_.key, "Each key")
    yield from _inner_facts(type_.item, "Each value" if type_.key else "Each entry")
    if property_.name in property_.structure.required:
        yield "Required"
    if (default := property_.structure.default(property_.name)) is not None:
        yield f"Left out, the service takes `{str(default).lower()}`"
    if alias := ALIASES.get((property_.structure.shape, property_.name)):
        yield f"Also written `{pascal_case(alias)}`"
    if property_.native is None:
        yield "The native resource lacks it"
    elif property_.native != pascal_case(property_.name):
        yield f"Native: `{property_.native}`"


def _inner_facts(type_: Schema | None, subject: str) -> Iterator[str]:
    if type_ is not None and type_.is_scalar:
        facts = filter(None, (limits(type_), *_constraints(type_)))
        yield from (f"{subject}: {fact[:1].lower() + fact[1:]}" for fact in facts)


def _constraints(type_: Schema) -> Iterator[str]:
    if type_.enum:
        yield f"One of {', '.join(f'`{value}`' for value in type_.enum)}"
    if type_.pattern:
        yield f"Pattern: `{type_.pattern}`"
    if hint := HINTS.get(type_.shape):
        yield hint[:1].upper() + hint[1:]


def _checked(path: str, checks: Mapping[str, str]) -> list[str]:
    found = [f"- {checks[rule.id]} ({rule.severity.value}; {rule.source})" for rule in RULES if rule.path == path]
    where = "Checked for each entry" if path.endswith("[]") else "Checked"
    return [f"{where}:\n", *found, ""] if found else []


def _alone(property_: Property) -> Any:
    value = consistent(sample(property_.type, property_.structure.shape, property_.name), property_.type)
    return {pascal_case(property_.name): flatten_value(value, property_.type)}


def _example(value: Any) -> str:
    return f"```yaml\n{as_yaml(value)}```\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _spelled(path: str) -> str:
    return ".".join(pascal_case(name) for name in path.split("."))


def _anchor(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.replace("[]", "-each").lower())
