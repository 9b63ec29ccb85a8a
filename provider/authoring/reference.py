"""Generates the reference page of each resource type, in Markdown."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.account_sources import ACCOUNT_SOURCE
from ..schema.flatten import flatten_value
from ..schema.model import ALIASES, HINTS, NAME, REFUSED, TARGET, Schema, pascal_case
from ..schema.return_values import ATTRIBUTES
from .block import as_yaml, of_cloudformation
from .documentation import description, limits, type_name
from .native import NATIVE_TYPE, NativeMembers, native_name
from .samples import all_samples, as_example, sample
from .starter_template import StarterTemplate
from .variants import variants

_OF_CLOUDFORMATION: Final = {
    "ServiceToken": "The ARN of the provider's function. The provider's stack exports it. Required.",
    "ServiceTimeout": "How many seconds CloudFormation waits for a response. The default is 3600.",
}

_CONFIGURATION_PAGE: Final = "distribution-configuration.md"

_INTRODUCTION: Final = f"""\
# {DISTRIBUTION_CONFIGURATION}

A distribution configuration of EC2 Image Builder. This page is generated (`make docs`) from the provider's own tables
and from the service model of EC2 Image Builder in the pinned botocore, including its documentation.

[Arguments](#arguments) · [Blocks](#block-distributions) · [Account sources](#account-sources) ·
[Attributes](#attributes) · [Adopting and importing](#adopting-and-importing)

Property names are CloudFormation's; the API's spelling (`kmsKeyId`) also works. Booleans and numbers can be strings.
*Native* shows whether the schema of `{NATIVE_TYPE}` in cfn-lint has the property.
*Checked* lists the provider's checks beyond the service model: E is an error, W is a warning.

The smallest useful configuration:
"""

_CONTRIBUTION: Final = f"""\
# {CONTRIBUTION}

A part of a configuration that another resource owns; see [Contributions](../contributions.md). It requires the
provider's [ledger](../ledger.md). This page is generated (`make docs`).

A contribution has only what the owner's [`Contributions`]({_CONFIGURATION_PAGE}#contributions)
allow; its entries can lack what the owner's entries have. [Use it](../contributions.md#use-it) has a longer example.
This one has only what is required:
"""

_ADOPTING_A_CONTRIBUTION: Final = """\
## Adopting and importing

A contribution cannot be imported: deploy it, and the provider adds its part. If the configuration already contains the
same entries, nothing changes.
"""

_ADOPTING: Final = """\
## Adopting and importing

CloudFormation cannot import custom resources. Adopt a configuration instead: specify its ARN. The resource then manages
its content, and a Delete leaves it in place. If the content is the same, nothing changes.
"""

_AFTER_ADOPTING: Final = """\
The command `export ARN` writes this resource from a live configuration. To own the configuration afterward, so that a
Delete deletes it, specify `Name` instead of the ARN in a later update. [Migrating](../migrating.md) has the steps from
the native resource, another custom resource, and Terraform, and back.
"""

_SOURCES: Final = """\
## Account sources

An entry of a list of account IDs can also be one of these sources. The provider resolves them when a deployment changes
the resource. See [account sources](../account-sources.md).
"""


@dataclass(frozen=True)
class Property:
    """A property: its structure, its API name there, and its path by API names, with `[]` for list entries.

    `native` is its name in the native resource, if any, and `below` are the names that the native resource has in it.
    """

    structure: Schema
    name: str
    path: str
    native: str | None
    below: NativeMembers

    @property
    def schema(self) -> Schema:
        """The property's schema."""
        return self.structure.members[self.name]

    @property
    def block(self) -> str:
        """The path of the structure that has the property; empty at the top level."""
        return self.path.rpartition(".")[0]

    @property
    def inner(self) -> tuple[Schema, str]:
        """The schema and the path of the property's value, or of its entries if it is a list."""
        schema, path = self.schema, self.path
        while schema.type_name == "list" and schema.item is not None:
            schema, path = schema.item, f"{path}[]"
        return schema, path


def page(native: NativeMembers, checks: Mapping[str, str]) -> str:
    """The page of a distribution configuration.

    `native` are the native resource's properties, and `checks` the lint ID and title of each rule.
    """
    properties = list(_properties(resource_type().schema, "", native))
    blocks: dict[str, list[Property]] = {}
    for property_ in properties:
        blocks.setdefault(property_.block, []).append(property_)
    own = blocks.pop("")
    parts = [
        _INTRODUCTION,
        _example(StarterTemplate(required=True).as_template()),
        "## Arguments\n",
        *_block(own, checks),
        *_checked("", checks),
        *(f"### `{name}`\n\n{_OF_CLOUDFORMATION[name]}\n" for name in of_cloudformation()),
        *(f"### `{pascal_case(name)}`\n\nNot supported: {why}.\n" for name, why in REFUSED.items()),
        *(part for path, members in blocks.items() for part in (_block_heading(path), *_block(members, checks))),
        *_source_section(),
        "## Attributes\n",
        _table(("`Fn::GetAtt`", ""), ((f"`{name}`", text) for name, text in ATTRIBUTES.items())),
        _ADOPTING,
        _example(StarterTemplate(required=True, adopt=all_samples()[TARGET]).as_template()),
        _AFTER_ADOPTING,
    ]
    return "\n".join(parts)


def contribution_page() -> str:
    """The page of a contribution."""
    type_ = resource_type(CONTRIBUTION)
    arguments = (
        (
            f"`{pascal_case(name)}`",
            type_name(type_.schema.members[name]),
            "yes" if name in type_.schema.required else "",
            description(type_.schema, name) if name == TARGET else f"as in [the configuration]({_linked(name)})",
        )
        for name in _required_first(type_.schema)
    )
    parts = [
        _CONTRIBUTION,
        _example(StarterTemplate(required=True, type_name=CONTRIBUTION).as_template()),
        "## Arguments\n",
        _table(("argument", "type", "required", ""), arguments),
        "## Attributes\n",
        "`Ref` returns an ID that is unique to the part. It is not an ARN.\n",
        _table(("`Fn::GetAtt`", ""), ((f"`{name}`", text) for name, text in type_.attributes.items())),
        _ADOPTING_A_CONTRIBUTION,
    ]
    return "\n".join(parts)


def _linked(name: str) -> str:
    return f"{_CONFIGURATION_PAGE}#{_anchor(name)}"


def _block_heading(path: str) -> str:
    return f"## Block `{_spelled(path)}`\n"


def _block(members: list[Property], checks: Mapping[str, str]) -> Iterator[str]:
    """The table of a structure's members, and the section of each."""
    yield _table(("argument", "type", "required", "native"), map(_row, members))
    yield from (_section(member, checks) for member in members)


def _required_first(structure: Schema) -> list[str]:
    """The members of a structure: those that are required, the two of which one is, and the others."""
    return sorted(structure.members, key=lambda name: (name not in structure.required, name != NAME, name != TARGET))


def _properties(structure: Schema, path: str, native: NativeMembers) -> Iterator[Property]:
    for name in _required_first(structure):
        native_one = native_name(structure, name, native)
        below = native.get(native_one or "", {})
        property_ = Property(structure, name, f"{path}.{name}" if path else name, native_one, below)
        yield property_
        inner, inner_path = property_.inner
        if inner.type_name == "structure":
            yield from _properties(inner, inner_path, below)


def _source_section() -> Iterator[str]:
    """The section about account sources."""
    yield _SOURCES
    for name, variant in variants(ACCOUNT_SOURCE).items():
        yield f"### `{name}`\n"
        for member, schema in variant.members.items():
            type_ = ", ".join(filter(None, (f"Type: {type_name(schema)}", limits(schema))))
            facts = [type_, *_constraints(schema), *_inner_facts(schema.item, "Each entry")]
            facts += ["Required"] if member in variant.required else []
            yield f"`{pascal_case(member)}`: {description(variant, member)}\n"
            yield "\n".join(f"- {fact}" for fact in facts) + "\n"
        yield _example([flatten_value(sample(variant), variant)])


def _row(property_: Property) -> tuple[str, ...]:
    required = "yes" if property_.name in property_.structure.required else ""
    either = "one of two" if property_.path in (NAME, TARGET) else ""
    link = f"[`{pascal_case(property_.name)}`](#{_anchor(property_.path)})"
    return link, type_name(property_.schema), required or either, "yes" if property_.native else "no"


def _section(property_: Property, checks: Mapping[str, str]) -> str:
    text = description(property_.structure, property_.name)
    schema, inner = property_.inner
    return "\n".join(
        [
            f"### `{_spelled(property_.path)}`\n",
            *([text, ""] if text else []),
            *(f"- {fact}" for fact in _facts(property_)),
            "",
            *_checked(property_.path, checks),
            *(_checked(inner, checks) if inner != property_.path else ()),
            *([_example(_sample(property_))] if schema.type_name == "structure" else ()),
        ]
    )


def _facts(property_: Property) -> Iterator[str]:
    schema = property_.schema
    yield ", ".join(filter(None, (f"Type: {type_name(schema)}", limits(schema))))
    yield from _constraints(schema)
    yield from _inner_facts(schema.key, "Each key")
    yield from _inner_facts(schema.item, "Each value" if schema.key else "Each entry")
    if property_.name in property_.structure.required:
        yield "Required"
    if property_.inner[0].type_name == "structure":
        path = property_.inner[1]
        yield f"Arguments: [block `{_spelled(path)}`](#block-{_anchor(path)})"
    if (default := property_.structure.default(property_.name)) is not None:
        yield f"Default: `{str(default).lower()}`"
    if alias := ALIASES.get((property_.structure.shape, property_.name)):
        yield f"Also written `{pascal_case(alias)}`"
    if property_.native is None:
        yield "The native resource lacks it"
    elif property_.native != pascal_case(property_.name):
        yield f"Native: `{property_.native}`"


def _inner_facts(schema: Schema | None, subject: str) -> Iterator[str]:
    if schema is not None and schema.is_scalar:
        facts = filter(None, (limits(schema), *_constraints(schema)))
        yield from (f"{subject}: {fact[:1].lower() + fact[1:]}" for fact in facts)


def _constraints(schema: Schema) -> Iterator[str]:
    if schema.enum:
        yield f"One of {', '.join(f'`{value}`' for value in schema.enum)}"
    if schema.pattern:
        yield f"Pattern: `{schema.pattern}`"
    if hint := HINTS.get(schema.shape):
        yield hint[:1].upper() + hint[1:]


def _checked(path: str, checks: Mapping[str, str]) -> list[str]:
    found = [
        f"- {checks[rule.id]} ({rule.severity.value}; {rule.source})"
        for rule in resource_type().rules
        if rule.path == path
    ]
    title = "Checked for each entry" if path.endswith("[]") else "Checked"
    return [f"{title}:\n", *found, ""] if found else []


def _sample(property_: Property) -> Any:
    schema = property_.schema
    value = as_example(sample(schema, property_.structure.shape, property_.name), schema)
    return {pascal_case(property_.name): flatten_value(value, schema)}


def _example(value: Any) -> str:
    return f"```yaml\n{as_yaml(value)}```\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _spelled(path: str) -> str:
    return ".".join(pascal_case(name) for name in path.split("."))


def _anchor(path: str) -> str:
    """The anchor that GitHub and the site give the heading with this path."""
    return re.sub(r"[^a-z0-9]", "", path.lower())
