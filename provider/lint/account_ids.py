"""Findings about account IDs that need quotes, because they begin with zero: only the text shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..resources import resource_type
from ..schema.finding import Path, Severity
from ..schema.model import NAME, Schema, pascal_case
from ..template.function_calls import Call, calls, references
from ..template.reader import children
from .catalog import id_of
from .diagnostic import Diagnostic
from .resource_matching import provider_resources
from .template_structure import shown

if TYPE_CHECKING:
    from ..template.reader import Source

_ACCOUNT_ID: Final = re.compile("0[0-9]{11}")
_HERE: Final = {"Ref": "AWS::AccountId"}
_VALUES: Final = ("Default", "AllowedValues")
_KEYS: Final = ("map", "first key", "second key")
"""The operands of Fn::FindInMap."""


def check_account_ids(source: Source) -> list[Diagnostic]:
    """A warning for each account ID without quotes, at its line, that the provider's resources use."""
    unquoted = {path: value for path, value in source.plain_scalars() if _ACCOUNT_ID.fullmatch(value)}
    if not unquoted or not isinstance(source.tree, Mapping):
        return []
    places = [*_places(source.tree)]
    return [
        Diagnostic(path, id_of("account-id"), Severity.WARNING, f"{shown(path)}: {_message(value)}", _resource(path))
        for path, value in unquoted.items()
        if any(path[: len(place)] == place for place in places) and not (_user_data() & {*map(str, path)})
    ]


def _message(value: str) -> str:
    problem = "CloudFormation can read it as a number" if re.search("[89]", value) else "it is an octal number"
    return f'an account ID that begins with zero needs quotes, "{value}"; without them, {problem}'


def _resource(path: Path) -> str:
    return str(path[1]) if path[0] == "Resources" else ""


def _user_data() -> set[str]:
    """The names of properties that are text of the user, not account IDs."""
    return {spelling for name in _texts(resource_type().schema) for spelling in (name, pascal_case(name))}


def _texts(schema: Schema) -> Iterator[str]:
    for name, member in schema.members.items():
        if member.type_name == "map" or name in (NAME, "description"):
            yield name
        yield from _texts(member.item or member)


def _places(tree: Mapping[str, Any]) -> Iterator[Path]:
    """The paths beneath which a template has account IDs: in the resources, and in what they refer to."""
    ours = provider_resources(tree)
    if "Resources" not in tree:
        yield ()
    for path, resource in ours.items():
        yield (*path, "Properties")
        for call in calls(resource.get("Properties"), ()):
            if _user_data().isdisjoint(map(str, call.path)):
                yield from _declared(call)
                yield from _mapped(tree.get("Mappings"), call)
    compared = calls(tree.get("Conditions") if ours else None, ("Conditions",))
    yield from (call.path for call in compared if call.function == "Fn::Equals" and _HERE in _list(call.argument))


def _declared(call: Call) -> Iterator[Path]:
    """The paths of the values that the template has for the parameters in a call."""
    return (("Parameters", name, key) for name, _ in references(call) for key in _VALUES)


def _mapped(mappings: Any, call: Call) -> Iterator[Path]:
    """The paths of the values that a call can find in the Mappings, and of the keys that are compared with accounts."""
    keys = _list(call.argument)[: len(_KEYS)]
    if call.function != "Fn::FindInMap" or len(keys) < len(_KEYS):
        return
    for name, entries in _chosen(mappings, keys[0]):
        if keys[1] == _HERE:
            yield from (("Mappings", name, key) for key, _ in children(entries))
            continue
        for key, inner in _chosen(entries, keys[1]):
            yield from (("Mappings", name, key, one) for one, _ in _chosen(inner, keys[2]))


def _chosen(node: Any, key: Any) -> Iterator[tuple[Any, Any]]:
    """The entries that an operand can choose: one if it is text, else all."""
    return (entry for entry in children(node) if entry[0] == key or not isinstance(key, str))


def _list(argument: Any) -> list[Any]:
    return argument if isinstance(argument, list) else []
