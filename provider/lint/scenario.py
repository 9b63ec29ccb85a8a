"""A resource's properties under one outcome of the template's conditions, as CloudFormation would send them.

`Fn::If` and `AWS::NoValue` are worked out, and texts as far as their names are known; scalars become text, and what
only a deployment can know is `Unknown`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..schema.finding import Path
from .conditions import Outcome
from .functions import IF, REF, is_call, spelled
from .texts import Texts

_NO_VALUE: Final = {REF: "AWS::NoValue"}
_AS_THEY_STAND: Final = Texts()


class _Removed:
    """What `AWS::NoValue` leaves: nothing."""


_REMOVED: Final = _Removed()


@dataclass(frozen=True)
class Unknown:
    """A value that the template does not show; equal to every other that is written alike."""

    written: str

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True)
class Scenario:
    """Properties as they would be sent, and where in the template each of their places comes from."""

    properties: Any
    origins: Mapping[Path, Path]

    def origin(self, path: Path) -> Path:
        """Where in the template a place in the properties is; of one that is missing, where it is missing from."""
        while path not in self.origins:
            path = path[:-1]
        return self.origins[path]


def scenario(properties: Any, path: Path, outcome: Outcome, texts: Texts = _AS_THEY_STAND) -> Scenario:
    """The properties that stand at `path` in a template, under `outcome`."""
    resolution = _Resolution(outcome, texts)
    value = resolution.value(properties, path, ())
    return Scenario({} if value is _REMOVED or value is None else value, {(): path, **resolution.origins})


def conditions_in(node: Any) -> Iterator[str]:
    """The names of the conditions on which a value hangs."""
    branches = _branches(node)
    if branches:
        yield branches[0]
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for child in children:
        yield from conditions_in(child)


@dataclass
class _Resolution:
    """Works out one scenario."""

    outcome: Outcome
    texts: Texts
    origins: dict[Path, Path] = field(default_factory=dict)

    def value(self, node: Any, path: Path, place: Path) -> Any:
        """What stands at `path` in the template, to be put at `place` in the properties."""
        if branches := _branches(node):
            chosen = 1 if self.outcome[branches[0]] else 2
            return self.value(branches[chosen], (*path, IF, chosen), place)
        if node == _NO_VALUE:
            return _REMOVED
        self.origins[place] = path
        if isinstance(node, Mapping):
            return self._call(node) if is_call(node) else self._mapping(node, path, place)
        if isinstance(node, list):
            return self._list(node, path, place)
        if node is None:
            return None
        known = self.texts.of(node)
        return Unknown(str(node)) if known is None else known

    def _call(self, node: Mapping[Any, Any]) -> Any:
        known = self.texts.of(node)
        return Unknown(spelled(node)) if known is None else known

    def _mapping(self, node: Mapping[Any, Any], path: Path, place: Path) -> dict[str, Any]:
        entries = ((str(key), self.value(entry, (*path, key), (*place, str(key)))) for key, entry in node.items())
        return {key: entry for key, entry in entries if entry is not _REMOVED}

    def _list(self, node: list[Any], path: Path, place: Path) -> list[Any]:
        found: list[Any] = []
        for index, entry in enumerate(node):
            value = self.value(entry, (*path, index), (*place, len(found)))
            if value is not _REMOVED:
                found.append(value)
        return found


def _branches(node: Any) -> tuple[str, Any, Any] | None:
    """The condition's name and the two values of an `Fn::If` that is written as it should be."""
    argument = node.get(IF) if isinstance(node, Mapping) and len(node) == 1 else None
    if isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str):
        return (argument[0], argument[1], argument[2])
    return None
