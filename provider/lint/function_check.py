"""Findings about calls of CloudFormation's intrinsic functions in properties."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..schema.finding import Finding, Path
from ..template.function_calls import LOOP, call_in
from ..template.intrinsics import FUNCTIONS, UNSUPPORTED_FUNCTIONS, unknown_function
from ..template.reader import children

_LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
_ADD_KEYS: Final = ("Fn::Transform", LOOP)
"""The functions that add keys to the mapping in which they are, so that it can have other keys."""


def is_call(node: Mapping[Any, Any]) -> bool:
    """Whether a mapping is a call, or has keys that a macro or a loop replaces."""
    return call_in(node) is not None or any(str(key).startswith("Fn::") for key in node)


def spelled(call: Mapping[Any, Any]) -> str:
    """A call for people, in YAML's short form: `!GetAtt Images.Arn`."""
    (name, argument), *_ = call.items()
    text = ".".join(map(str, argument)) if name == "Fn::GetAtt" and isinstance(argument, list) else argument
    return f"!{str(name).removeprefix('Fn::')} {text}"


def function_findings(node: Any, path: Path = ()) -> Iterator[Finding]:
    """The errors of function calls in a value at `path`: unknown functions, and additional keys next to a function."""
    for key, child in children(node):
        if isinstance(node, dict) and str(key).startswith("Fn::") and (message := _mistake(str(key), node)):
            yield Finding((*path, key), message, "function")
        yield from function_findings(child, (*path, key))


def _mistake(name: str, node: Mapping[Any, Any]) -> str:
    if name not in FUNCTIONS and name not in UNSUPPORTED_FUNCTIONS and not name.startswith(LOOP):
        return unknown_function(name)
    if len(node) > 1 and not name.startswith(_ADD_KEYS):
        others = ", ".join(str(key) for key in node if key != name)
        return f"a function must be the only key of its mapping, but this one is beside {others}"
    return ""


def may_have_loops(template: Mapping[str, Any]) -> bool:
    """Whether a template has the transform that expands `Fn::ForEach`."""
    return _LANGUAGE_EXTENSIONS in str(template.get("Transform"))
