"""What a template asks of the provider's resources by `Fn::GetAtt`, held against the attributes that they have."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..schema.finding import Path, Severity
from .catalog import id_of
from .diagnostic import Diagnostic
from .resource_matching import type_of
from .texts import SUB, substituted

_GET_ATT: Final = "Fn::GetAtt"
_SECTIONS: Final = ("Resources", "Outputs")
"""Where a template may ask for attributes."""


def check_attributes(template: Mapping[str, Any], ours: Mapping[Path, Mapping[str, Any]]) -> list[Diagnostic]:
    """All calls that ask a resource of the provider's, of those at the paths `ours`, for what it has not."""
    attributes = {str(path[-1]): type_of(one).attributes for path, one in ours.items()}
    return [
        Diagnostic(
            path, id_of("attribute"), Severity.ERROR, _message(path, name, attribute, attributes[name]), _resource(path)
        )
        for section in _SECTIONS
        for path, name, attribute in _asked(template.get(section), (section,))
        if name in attributes and attribute not in attributes[name]
    ]


def _asked(node: Any, path: Path) -> Iterator[tuple[Path, str, str]]:
    """The resources and attributes for which the calls within a value ask, with the paths of the calls."""
    if isinstance(node, Mapping):
        for name, attribute in _pairs(node):
            yield (*path, _GET_ATT if _GET_ATT in node else SUB), name, attribute
    children = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from _asked(child, (*path, key))


def _pairs(node: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    argument = node.get(_GET_ATT)
    names = [argument] if isinstance(argument, str) else substituted(node)
    yield from (tuple(name.split(".", 1)) for name in names if "." in name)  # type: ignore[misc] # two, as split once
    if isinstance(argument, list) and len(argument) == 2 and all(isinstance(part, str) for part in argument):
        yield argument[0], argument[1]


def _message(path: Path, name: str, attribute: str, attributes: Mapping[str, str]) -> str:
    from difflib import get_close_matches  # only a mistake needs it

    lower = {known.lower(): known for known in attributes}
    (nearest,) = get_close_matches(attribute.lower(), lower, n=1, cutoff=0)
    return f"{path[-1]}: {name} has no attribute {attribute}; the nearest is {lower[nearest]}"


def _resource(path: Path) -> str:
    """The logical ID of the resource that asks, empty for an output."""
    return str(path[1]) if path[0] == "Resources" else ""
