"""Shapes -> the reference page of all properties, in Markdown."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..resources import resource_type
from ..schema.attributes import ATTRIBUTES
from ..schema.flatten import flatten_value
from ..schema.model import ALIASES, HINTS, NAME, REFUSED, TARGET, Type, pascal_case
from ..schema.rules import RULES
from .block import OF_CLOUDFORMATION, RESOURCE_TYPE, as_yaml
from .documentation import kind, limits, of_member
from .native import NATIVE_TYPE, NativeMembers, native_name
from .samples import consistent, sample
from .skeleton import Skeleton

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
class Place:
    """A property's place: its structure, its API name there, and the path to it by API names, with `[]` for entries."""

    structure: Type
    name: str
    path: str
    native: str | None
    below: NativeMembers

    @property
    def type(self) -> Type:
        """The property's own type."""
        return self.structure.members[self.name]

    @property
    def inner(self) -> tuple[Type, str]:
        """The type of what the property holds, lists passed through, and the path to it."""
        type_, path = self.type, self.path
        while type_.kind == "list" and type_.item is not None:
            type_, path = type_.item, f"{path}[]"
        return type_, path


def page(native: NativeMembers, checks: Mapping[str, str]) -> str:
    """The page. `checks` says what each rule of `rules.RULES` is told as, by its ID there."""
    root = resource_type().schema
    places = list(_places(root, "", native))
    parts = [
        _INTRODUCTION,
        _example(Skeleton(required=True).as_template()),
        "## Overview\n",
        _table(("property", "type", "required", "native"), map(_row, places)),
        "## Attributes\n",
        _table(("`Fn::GetAtt`", ""), ((f"`{name}`", said) for name, said in ATTRIBUTES.items())),
        "## The resource\n",
        *_checked("", checks),
        *(_section(place, checks) for place in places),
        *(f"### `{name}`\n\n{_OF_CLOUDFORMATION[name]}\n" for name in OF_CLOUDFORMATION),
        *(f"### `{pascal_case(name)}`\n\nNot to be given: {why}.\n" for name, why in REFUSED.items()),
    ]
    return "\n".join(parts)


def _places(structure: Type, path: str, native: NativeMembers) -> Iterator[Place]:
    for name in structure.members:
        called = native_name(structure, name, native)
        place = Place(structure, name, f"{path}.{name}" if path else name, called, native.get(called or "", {}))
        yield place
        inner, below = place.inner
        if inner.kind == "structure":
            yield from _places(inner, below, place.below)


def _row(place: Place) -> tuple[str, ...]:
    required = "yes" if place.name in place.structure.required else ""
    either = "one of two" if place.path in (NAME, TARGET) else ""
    link = f"[`{_spelled(place.path)}`](#{_anchor(place.path)})"
    return link, kind(place.type), required or either, "yes" if place.native else "no"


def _section(place: Place, checks: Mapping[str, str]) -> str:
    said = of_member(place.structure, place.name)
    facts = [f"- {fact}" for fact in _facts(place)]
    type_, inner = place.inner
    return "\n".join(
        [
            f'<a id="{_anchor(place.path)}"></a>\n\n### `{_spelled(place.path)}`\n',
            *([said, ""] if said else []),
            *facts,
            "",
            *_checked(place.path, checks),
            *(_checked(inner, checks) if inner != place.path else ()),
            *([_example(_alone(place))] if type_.kind == "structure" else ()),
        ]
    )


def _facts(place: Place) -> Iterator[str]:
    type_ = place.type
    yield ", ".join(filter(None, (f"Type: {kind(type_)}", limits(type_))))
    yield from _constraints(type_)
    inner = ((type_.key, "Each key"), (type_.item, "Each value" if type_.key else "Each entry"))
    for part, what in inner:
        if part is not None and part.is_scalar:
            told = filter(None, (limits(part), *_constraints(part)))
            yield from (f"{what}: {fact[:1].lower() + fact[1:]}" for fact in told)
    if place.name in place.structure.required:
        yield "Required"
    if (default := place.structure.default(place.name)) is not None:
        yield f"Left out, the service takes `{str(default).lower()}`"
    if alias := ALIASES.get((place.structure.shape, place.name)):
        yield f"Also written `{pascal_case(alias)}`"
    if place.native is None:
        yield "The native resource lacks it"
    elif place.native != pascal_case(place.name):
        yield f"Native: `{place.native}`"


def _constraints(type_: Type) -> Iterator[str]:
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


def _alone(place: Place) -> Any:
    value = consistent(sample(place.type, place.structure.shape, place.name), place.type)
    return {pascal_case(place.name): flatten_value(value, place.type)}


def _example(value: Any) -> str:
    return f"```yaml\n{as_yaml(value)}```\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _spelled(path: str) -> str:
    return ".".join(pascal_case(name) for name in path.split("."))


def _anchor(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.replace("[]", "-each").lower())
