"""`Ref`, `Fn::Sub` and `Fn::Join` -> text, as far as it is known what the names in them stand for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..template.function_calls import VARIABLE, variables
from .functions import REF

Value = str | list[str]
"""What a name stands for."""

JOIN: Final = "Fn::Join"
SUB: Final = "Fn::Sub"
DYNAMIC_REFERENCE: Final = "{{resolve:"
_LOOP_VARIABLE: Final = "&{"


@dataclass(frozen=True)
class Texts:
    """Works texts out where `names` has what `Ref` gives of each name that is known.

    With `in_loop`, an `Fn::ForEach` may put something for `${...}` and `&{...}` in any text.
    """

    names: Mapping[str, Value] = field(default_factory=dict)
    in_loop: bool = False

    def is_open(self, text: str) -> bool:
        """Whether only a deployment knows what a text comes to that stands for itself."""
        return self._is_filled_in(text) or (self.in_loop and "${" in text)

    def of(self, node: Any) -> Value | None:
        """The value of a scalar or a call; None if it is not known."""
        if isinstance(node, Mapping):
            return self._call(*next(iter(node.items()))) if len(node) == 1 else None
        if isinstance(node, list) or node is None:
            return None
        text = str(node).lower() if isinstance(node, bool) else str(node)
        return None if self.is_open(text) else text

    def _call(self, function: object, argument: Any) -> Value | None:
        if function == REF:
            return self.names.get(str(argument))
        if function == SUB:
            return self._sub(*_parts(argument))
        if function == JOIN and isinstance(argument, list) and len(argument) == 2:
            return self._join(*argument)
        return None

    def _is_filled_in(self, text: str) -> bool:
        return DYNAMIC_REFERENCE in text or (self.in_loop and _LOOP_VARIABLE in text)

    def _sub(self, pattern: str, own: Mapping[str, Any]) -> str | None:
        if self._is_filled_in(pattern):
            return None
        values = {name: self.of(own.get(name, {REF: name})) for name in variables(pattern)}
        if not all(isinstance(value, str) for value in values.values()):
            return None
        return VARIABLE.sub(lambda found: str(values.get(found[1], f"${{{found[1][1:]}}}")), pattern)

    def _join(self, delimiter: Any, items: Any) -> str | None:
        values = [self.of(item) for item in items] if isinstance(items, list) else self.of(items)
        if not isinstance(delimiter, str) or not isinstance(values, list):
            return None
        texts = [value for value in values if isinstance(value, str)]
        return delimiter.join(texts) if len(texts) == len(values) else None


def substituted(node: Mapping[Any, Any]) -> list[str]:
    """The variables of a call of `Fn::Sub` that it does not give itself."""
    pattern, own = _parts(node.get(SUB))
    return [name for name in variables(pattern) if name not in own]


def mentioned(node: Any) -> Iterator[str]:
    """The names of which a value speaks by `Ref` and `Fn::Sub`."""
    if isinstance(node, Mapping):
        if isinstance(node.get(REF), str):
            yield node[REF]
        yield from substituted(node)
    for child in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
        yield from mentioned(child)


def _parts(argument: Any) -> tuple[str, Mapping[str, Any]]:
    """The text of an `Fn::Sub` and its own variables; one that is not written as it should be has an open text."""
    pattern, own = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    return (pattern, own) if isinstance(pattern, str) and isinstance(own, Mapping) else ("${}", {})
