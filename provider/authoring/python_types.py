"""Generates Python types for the properties: a TypedDict for each structure, and a StrEnum for each enum.

Names are in snake_case, as in the CDK for Python. Types allow a token where the CDK does.
provider/construct/properties.py is a copy, which `make docs` regenerates.
"""

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from botocore import xform_name

from ..resources import resource_type
from ..schema.model import TARGET, Type, pascal_case
from .documentation import limits, of_member, plain

ROOT: Final = "DistributionConfigurationProperties"
"""The name of the type of all properties."""

RENAMED: Final = {TARGET: "adopt"}
"""The construct's names for properties, if they differ: its own ARN already has the API's name."""

_WIDTH: Final = 112
_HEAD: Final = '''\
"""The properties of a distribution configuration, by the service model of EC2 Image Builder.

This file is generated: `make docs`. What is said of each property is the API's own documentation.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NotRequired, TypedDict

from aws_cdk import IResolvable
'''
_OR_DEFERRED: Final = " | IResolvable"
_SCALARS: Final = {
    "string": "str",
    "boolean": f"bool{_OR_DEFERRED}",
    "integer": f"int | float{_OR_DEFERRED}",
    "long": f"int | float{_OR_DEFERRED}",
}
"""Python's types by kind. A number token is a float, and a string token is a str."""


@cache
def properties_by_name(structure: Type) -> Mapping[str, str]:
    """A structure's members: name in Python -> CloudFormation property, including alternative spellings."""
    known = {xform_name(spelling): pascal_case(spelling) for spelling in structure.spellings}
    return known | {_name(structure, member): pascal_case(member) for member in structure.members}


def module() -> str:
    """The source code of the Python module."""
    classes: dict[str, str] = {}
    _define(resource_type().schema, ROOT, "All properties, as arguments of the construct.", classes)
    return "\n\n".join([_HEAD, *classes.values()])


def _define(type_: Type, name: str, said: str, classes: dict[str, str]) -> None:
    """Add the classes that a type needs, each after those that it depends on."""
    if name in classes:
        return
    if type_.item is not None:
        _define(type_.item, type_.item.shape, said, classes)
    elif type_.enum:
        classes[name] = f"class {name}(StrEnum):\n{_docstring(said)}\n{_indented(_values(type_))}"
    elif type_.kind == "structure":
        for member, inner in type_.members.items():
            _define(inner, inner.shape, of_member(type_, member), classes)
        classes[name] = f"class {name}(TypedDict):\n{_docstring(said)}\n{_indented(_members(type_))}"


def _values(type_: Type) -> Iterator[str]:
    for value in type_.enum:
        yield f'{re.sub(r"[^A-Za-z0-9]+", "_", value).upper()} = "{value}"\n'


def _members(structure: Type) -> Iterator[str]:
    for member, type_ in structure.members.items():
        annotation = _annotation(type_)
        annotation = annotation if member in structure.required else f"NotRequired[{annotation}]"
        yield f"{_name(structure, member)}: {annotation}\n"
        said = filter(None, (of_member(structure, member), limits(type_) and f"\n\nSize: {limits(type_)}."))
        if text := "".join(said).strip():
            yield f"{_quoted(text)}\n"


def _annotation(type_: Type) -> str:
    if type_.item is not None:
        holder = "Sequence[" if type_.kind == "list" else "Mapping[str, "
        return f"{holder}{_annotation(type_.item)}]{_OR_DEFERRED}"
    if type_.kind == "structure":
        return f"{type_.shape}{_OR_DEFERRED}"
    return f"{type_.shape} | str" if type_.enum else _SCALARS[type_.kind]


def _name(structure: Type, member: str) -> str:
    return RENAMED.get(member, xform_name(member)) if structure is resource_type().schema else xform_name(member)


def _docstring(said: str) -> str:
    return f"{_indented([_quoted(said)])}\n"


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
