"""Findings about calls of CloudFormation's intrinsic functions in properties."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..schema.finding import Finding, Path
from ..template.function_calls import LOOP, SUB_VARIABLE, call_in
from ..template.intrinsics import (
    FUNCTIONS,
    SCALARS,
    UNSUPPORTED_FUNCTIONS,
    Evaluator,
    UnknownValueError,
    unknown_function,
)
from ..template.parameters import TYPES, is_list
from ..template.reader import children
from ..template.template_error import TemplateError
from .shown_values import GUESSES, NOTHING_SHOWN

_LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
_ADD_KEYS: Final = ("Fn::Transform", LOOP)
"""The functions that add keys to the mapping in which they are, so that it can have other keys."""

TEXT: Final = "text"
LIST: Final = "a list"
_RETURNS: Final = {
    **dict.fromkeys(("Fn::Cidr", "Fn::GetAZs", "Fn::Split"), LIST),
    **dict.fromkeys(("Fn::Base64", "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Sub", "Fn::ToJsonString"), TEXT),
}
_INSTEAD: Final = {TEXT: "combine its items with Fn::Join", LIST: "separate its items with Fn::Split"}
"""How to get text, and how to get a list."""


def is_call(node: Mapping[Any, Any]) -> bool:
    """Whether a mapping is a call, or has keys that a macro or a loop replaces."""
    return call_in(node) is not None or any(str(key).startswith("Fn::") for key in node)


def spelled(call: Mapping[Any, Any]) -> str:
    """A call for people, in YAML's short form: `!GetAtt Images.Arn`."""
    (name, argument), *_ = call.items()
    text = ".".join(map(str, argument)) if name == "Fn::GetAtt" and isinstance(argument, list) else argument
    return f"!{str(name).removeprefix('Fn::')} {text}"


def kinds_of_names(template: Mapping[str, Any]) -> dict[str, str]:
    """Whether `Ref` of a name returns TEXT or a LIST, for each name that a template declares."""
    parameters, resources = template.get("Parameters"), template.get("Resources")
    kinds = dict.fromkeys((*GUESSES[0], *(resources if isinstance(resources, Mapping) else ())), TEXT)
    for name, parameter in parameters.items() if isinstance(parameters, Mapping) else ():
        if isinstance(parameter, Mapping) and parameter.get("Type") in TYPES:
            kinds[name] = LIST if is_list(parameter["Type"]) else TEXT
    return {**kinds, "AWS::NotificationARNs": LIST}


def kind_of(node: Any, kinds: Mapping[str, str]) -> str:
    """Whether a value is TEXT or a LIST; empty if that is unknown. `kinds` are those of `Ref`, by name."""
    if isinstance(node, (*SCALARS, list)):
        return LIST if isinstance(node, list) else TEXT
    function, argument = call_in(node) or ("", None)
    if function == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
        found = {kind_of(branch, kinds) for branch in argument[1:]}
        return found.pop() if len(found) == 1 else ""
    return kinds.get(str(argument), "") if function == "Ref" else _RETURNS.get(function, "")


def function_findings(properties: Any, template: Mapping[str, Any]) -> Iterator[Finding]:
    """What CloudFormation rejects in the calls within properties."""
    mappings = None if "Transform" in template else template.get("Mappings", {})
    yield from _FunctionCheck(kinds_of_names(template), mappings, may_have_loops(template)).findings(properties, ())


class _Form(Evaluator):
    """Evaluates a single call. What it contains in other calls is unknown."""

    def call(self, function: str, argument: Any, path: Path) -> Any:  # noqa: ARG002 - the signature is the evaluator's
        raise UnknownValueError(function, path)

    def holds(self, name: Any, path: Path) -> bool:
        raise UnknownValueError(str(name), path)


@dataclass(frozen=True)
class _FunctionCheck:
    """Checks calls in a template. `kinds` are those of `Ref`. `mappings` are None if a transform can change them."""

    kinds: Mapping[str, str]
    mappings: Mapping[str, Any] | None
    in_loop: bool

    def findings(self, node: Any, path: Path) -> Iterator[Finding]:
        for key, child in children(node):
            is_function = isinstance(node, dict) and (str(key).startswith("Fn::") or (key == "Ref" and len(node) == 1))
            if is_function and (message := self._mistake(str(key), node)):
                yield Finding((*path, key), message, "function")
            yield from self.findings(child, (*path, key))

    def _mistake(self, name: str, node: Mapping[Any, Any]) -> str:
        if name not in FUNCTIONS and name not in UNSUPPORTED_FUNCTIONS and not name.startswith(LOOP):
            return unknown_function(name)
        if len(node) > 1 and not name.startswith(_ADD_KEYS):
            others = ", ".join(str(key) for key in node if key != name)
            return f"a function must be the only key of its mapping, but this one is beside {others}"
        return self._wrong_form(name, node[name]) or self._wrong_kind(name, node[name])

    def _wrong_form(self, name: str, argument: Any) -> str:
        if name not in FUNCTIONS or (self.mappings is None and name == "Fn::FindInMap"):
            return ""
        # A loop can change any text, such as an index.
        if self.in_loop and name != "Fn::Sub":
            return ""
        try:
            FUNCTIONS[name](_Form(self.mappings or {}, {}, NOTHING_SHOWN), argument, ())
        except UnknownValueError:
            return ""
        except TemplateError as error:
            return error.message
        return ""

    def _wrong_kind(self, name: str, argument: Any) -> str:
        for node, kind in _operands(name, argument):
            actual = kind_of(node, self.kinds)
            if actual and actual != kind:
                shown = spelled(node) if isinstance(node, Mapping) else "the value"
                return f"{shown} is {actual}, but must be {kind}; {_INSTEAD[kind]}"
        return ""


def _sub_values(argument: list[Any]) -> Iterator[Any]:
    pattern, variables = argument
    names = (name for name in SUB_VARIABLE.findall(pattern) if not name.startswith("!") and "." not in name)
    return (variables.get(name, {"Ref": name}) for name in names)


def _with_kind(kind: str, nodes: Iterable[Any]) -> Iterator[tuple[Any, str]]:
    return ((node, kind) for node in nodes)


def _operands(name: str, argument: Any) -> Iterator[tuple[Any, str]]:
    """The operands of a call in the right form that must be text or a list, each with what it must be."""
    if name == "Fn::Sub":
        yield from _with_kind(TEXT, _sub_values(argument if isinstance(argument, list) else [argument, {}]))
    elif name == "Fn::Join" and isinstance(argument[1], list):
        yield from _with_kind(TEXT, argument[1])
    elif name in ("Fn::Join", "Fn::Select", "Fn::Split"):
        yield argument[1], TEXT if name == "Fn::Split" else LIST
    elif name in ("Fn::Base64", "Fn::GetAZs", "Fn::ImportValue", "Fn::Length"):
        yield argument, LIST if name == "Fn::Length" else TEXT


def may_have_loops(template: Mapping[str, Any]) -> bool:
    """Whether a template has the transform that expands `Fn::ForEach`."""
    return _LANGUAGE_EXTENSIONS in str(template.get("Transform"))
