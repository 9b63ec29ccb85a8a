"""CloudFormation's intrinsic functions as they may stand in properties, and what is wrong where they are called."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..schema.finding import Finding, Path

IF: Final = "Fn::If"
REF: Final = "Ref"
FUNCTIONS: Final = frozenset(
    f"Fn::{name}"
    for name in (
        *("Base64", "Cidr", "FindInMap", "GetAZs", "GetAtt", "GetStackOutput", "If", "ImportValue", "Join", "Length"),
        *("Select", "Split", "Sub", "ToJsonString", "Transform"),
    )
)
"""Those that give a value, besides `Ref` and the loops; And, Equals, Not and Or belong in Conditions."""

LOOP: Final = "Fn::ForEach::"
"""How the keys begin that stand for many resources, or many members."""
_LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
_MAY_HAVE_COMPANY: Final = ("Fn::Transform", LOOP)
"""What adds members to the mapping in which it stands."""


def is_call(node: Mapping[Any, Any]) -> bool:
    """Whether a mapping is a call, or has members that a macro or a loop will add."""
    names = [str(key) for key in node]
    return names == [REF] or any(name.startswith("Fn::") for name in names)


def spelled(node: Mapping[Any, Any]) -> str:
    """A call as YAML's short form has it, for a person to read."""
    (name, argument), *_ = node.items()
    text = ".".join(map(str, argument)) if name == "Fn::GetAtt" and isinstance(argument, list) else argument
    return f"!{str(name).removeprefix('Fn::')} {text}"


def faults(node: Any, path: Path = ()) -> Iterator[Finding]:
    """What CloudFormation refuses in the calls within a value at `path`: unknown functions, and such with company."""
    if isinstance(node, Mapping):
        for name, argument in node.items():
            here = (*path, name)
            if str(name).startswith("Fn::") and (message := _fault(str(name), node)):
                yield Finding(here, message, "function")
            yield from faults(argument, here)
    elif isinstance(node, list):
        for index, entry in enumerate(node):
            yield from faults(entry, (*path, index))


def _fault(name: str, node: Mapping[Any, Any]) -> str:
    if name not in FUNCTIONS and not name.startswith(LOOP):
        from difflib import get_close_matches  # only a mistake needs it

        nearest = get_close_matches(name, sorted(FUNCTIONS), n=1, cutoff=0.8)
        return f"there is no such function here{f'; the nearest is {nearest[0]}' if nearest else ''}"
    if len(node) > 1 and not name.startswith(_MAY_HAVE_COMPANY):
        others = ", ".join(str(key) for key in node if key != name)
        return f"a function stands alone, this one beside {others}; give each property a function of its own"
    return ""


def may_have_loops(template: Mapping[str, Any]) -> bool:
    """Whether a template has the transform that expands `Fn::ForEach`."""
    return _LANGUAGE_EXTENSIONS in str(template.get("Transform"))
