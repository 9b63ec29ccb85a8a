"""Generates Python types for the properties: a TypedDict for each structure, and a StrEnum for each enum.

Names are in snake_case, as in the CDK for Python. Types allow a token where the CDK does.
provider/construct/properties.py is a copy, which `make docs` regenerates.
"""

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from keyword import iskeyword
from typing import Final

from botocore import xform_name

from ..resources import CONTRIBUTION, resource_type
from ..schema.model import ROLE, TARGET, Schema, pascal_case
from .documentation import description, limits, plain
from .variants import variants

ROOT: Final = "DistributionConfigurationProperties"
"""The name of the type of all properties."""
_CONTRIBUTION_ROOT: Final = "DistributionContributionProperties"

RENAMED: Final = {TARGET: "adopt", ROLE: "role"}
"""The construct's own names for properties. The construct's attribute for its own ARN already has the API's name, and
a role can be a construct.
"""

_SOURCE: Final = "An account source: an entry of a list of account IDs that the provider resolves at deployment."
_WIDTH: Final = 112
_HEAD: Final = '''\
"""The properties of a distribution configuration, by the service model of EC2 Image Builder.

This file is generated (`make docs`). The descriptions of the properties are the API's own documentation.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NotRequired, TypedDict

from aws_cdk import IResolvable
from aws_cdk.aws_iam import IRole
'''
_OR_IRESOLVABLE: Final = " | IResolvable"
_SCALARS: Final = {
    "string": "str",
    "boolean": f"bool{_OR_IRESOLVABLE}",
    "integer": f"int | float{_OR_IRESOLVABLE}",
    "long": f"int | float{_OR_IRESOLVABLE}",
}
"""Python's types. A number token is a float, and a string token is a str."""


@cache
def properties_by_name(structure: Schema) -> Mapping[str, str]:
    """The CloudFormation names of a structure's members by their names in Python, including other spellings."""
    known = {xform_name(spelling): pascal_case(spelling) for spelling in structure.spellings}
    return known | {_name(structure, member): pascal_case(member) for member in structure.members}


def snake_case(name: str) -> str:
    """A property's name in Python's spelling."""
    return xform_name(name)


def module() -> str:
    """The source code of the Python module."""
    classes: dict[str, str] = {}
    _define(resource_type().schema, ROOT, "All properties, as arguments of the construct.", classes)
    text = "All properties of a contribution, as arguments of its construct."
    _define(resource_type(CONTRIBUTION).schema, _CONTRIBUTION_ROOT, text, classes)
    return "\n\n".join([_HEAD, *classes.values()])


def _define(schema: Schema, name: str, text: str, classes: dict[str, str]) -> None:
    """Add the classes that a schema needs, each after those that it depends on."""
    if name in classes:
        return
    if schema.item is not None:
        _define(schema.item, schema.item.shape, text, classes)
        for name, variant in variants(schema.item.source).items():
            _define(variant, name, _SOURCE, classes)
    elif schema.enum:
        classes[name] = f"class {name}(StrEnum):\n{_docstring(text)}\n{_indented(_values(schema))}"
    elif schema.type_name == "structure":
        for member, inner in schema.members.items():
            _define(inner, inner.shape, description(schema, member), classes)
        classes[name] = f"class {name}(TypedDict):\n{_docstring(text)}\n{_indented(_members(schema))}"


def _values(schema: Schema) -> Iterator[str]:
    for value in schema.enum:
        yield f'{re.sub(r"[^A-Za-z0-9]+", "_", value).upper()} = "{value}"\n'


def _members(structure: Schema) -> Iterator[str]:
    for member, schema in structure.members.items():
        annotation = "IRole | str" if member == ROLE else _annotation(schema)
        annotation = annotation if member in structure.required else f"NotRequired[{annotation}]"
        yield f"{_name(structure, member)}: {annotation}\n"
        size = f"\n\nSize: {limits(schema)}." if limits(schema) else ""
        if text := f"{description(structure, member)}{size}".strip():
            yield f"{_quoted(text)}\n"


def _annotation(schema: Schema) -> str:
    if schema.item is not None:
        collection = "Sequence[" if schema.type_name == "list" else "Mapping[str, "
        entry = " | ".join([_annotation(schema.item), *variants(schema.item.source)])
        return f"{collection}{entry}]{_OR_IRESOLVABLE}"
    if schema.type_name == "structure":
        return f"{schema.shape}{_OR_IRESOLVABLE}"
    return f"{schema.shape} | str" if schema.enum else _SCALARS[schema.type_name]


def _name(structure: Schema, member: str) -> str:
    name: str = xform_name(member)
    if structure is resource_type().schema:
        return RENAMED.get(member, name)
    return f"{name}_" if iskeyword(name) else name


def _docstring(markdown: str) -> str:
    return f"{_indented([_quoted(markdown)])}\n"


def _quoted(markdown: str) -> str:
    """A text as a docstring with wrapped lines."""
    paragraphs = (textwrap.fill(plain(line), _WIDTH, break_long_words=False) for line in markdown.splitlines())
    text = "\n".join(paragraphs).replace("\\", "\\\\").replace('"""', "'''")
    ending = "\n" if "\n" in text else ""
    return f'"""{text}{ending}"""'


def _indented(parts: Iterator[str] | list[str]) -> str:
    return textwrap.indent("".join(parts), "    ")


if __name__ == "__main__":
    sys.stdout.write(module())
