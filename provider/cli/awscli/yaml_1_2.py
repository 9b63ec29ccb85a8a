"""YAML 1.2, as the AWS CLI, version 2, reads and writes it. PyYAML by itself reads YAML 1.1."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml

_TAG: Final = "tag:yaml.org,2002:"
_RESOLVERS: Final = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (
        "float",
        r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("int", r"[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+", "-+0123456789"),
    ("merge", r"<<", "<"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (
        "timestamp",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
        r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
        r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
        "0123456789",
    ),
    ("value", r"=", "="),
)
"""Type, pattern, and first characters of plain scalars: those of ruamel.yaml, which the AWS CLI uses."""
_BASES: Final = {"0b": 2, "0o": 8, "0x": 16}


class _Loader(yaml.SafeLoader):
    """Reads YAML 1.2 and rejects duplicate keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML reads it from the class

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Construct a mapping. Keys that a merge adds are overridden, and are no duplicates."""
        if isinstance(node, yaml.MappingNode):
            self._reject_duplicates(node)
        return super().construct_mapping(node, deep)

    def _reject_duplicates(self, node: yaml.MappingNode) -> None:
        lines: dict[Hashable, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            name = key.value if key.tag == f"{_TAG}merge" else self.construct_object(key, deep=True)
            if name in lines:
                problem = f'found duplicate key "{key.value}", which is also on line {lines[name]}'
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            lines[name] = key.start_mark.line + 1


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]  # the two have the same interface
    """Writes YAML 1.2: `yes` and `12:30:45` need no quotes."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML reads it from the class


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    text = str(value)
    return dumper.represent_scalar(f"{_TAG}float", text) if "e" in text else dumper.represent_float(value)


_Dumper.add_representer(float, _represent_float)


for _name, _pattern, _first in _RESOLVERS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _integer(_: yaml.Loader, node: yaml.ScalarNode) -> int:
    text = node.value.replace("_", "")
    digits = text.lstrip("+-")
    base = _BASES.get(digits[:2], 10)
    value = int(digits if base == 10 else digits[2:], base)
    return -value if text.startswith("-") else value


_Loader.add_constructor(f"{_TAG}int", _integer)


def load(text: str) -> Any:
    """Read one YAML 1.2 document. Raises YAMLError."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except ValueError as error:
        raise yaml.YAMLError(str(error)) from error


def dump(value: Any) -> str:
    """Write a list or a mapping as YAML 1.2 in block style, with sorted keys."""
    text: str = yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True)
    return text
