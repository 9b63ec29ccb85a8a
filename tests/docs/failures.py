"""The texts with which a request can fail, read from the source of the deployed code.

`…` replaces values that are known only at run time. Only the first sentence of a text counts, because the others say
what to do.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from provider.build.artifact import TOOLS
from provider.cloudformation.delivery import Undelivered
from tests.docs.page import ROOT

PROVIDER = ROOT / "provider"
UNKNOWN = "…"

_RAISED = {
    "ProviderError": "",
    "NotAssumed": "",
    "MalformedEvent": "",
    "RuntimeError": "",
    "Undelivered": str(Undelivered("", final=True, outcome=UNKNOWN)),
}
"""Errors whose text reaches a stack or the log, each with the prefix that it adds."""
_ANSWERS = {"Response": 2, "_without_response": 2, "reject": 1}
"""Functions that create a response or reject a part, each with the index of its argument for the reason."""
_JUDGES = ("_superseded", "_not_allowed", "_no_owner", "_narrowed", "_conflict", "_limit", "_accepted_is_rejected")
"""Functions that return why the ledger rejects a part."""
_UNDOES = ("_delete_created", "_restore_content", "_restore_tags")
"""Functions that undo a failed request and return a text for the end of the reason."""
_LOGGED = ("error", "warning", "exception")
_SENTENCE = re.compile(r"(.+?)(?:\. |; whether |$)")


def shipped() -> list[Path]:
    """Return the source files of the two deployed functions."""
    return [path for path in sorted(PROVIDER.rglob("*.py")) if path.relative_to(PROVIDER).parts[0] not in TOOLS]


def failures() -> set[str]:
    """Return the texts of all errors and of all responses."""
    return {text for path in shipped() for scope in _scopes(path) for text in scope.failures()}


def log_lines() -> set[str]:
    """Return the texts of all warnings and errors that are logged, and of all warnings of plans."""
    return {text for path in shipped() for scope in _scopes(path) for text in scope.log_lines()}


def undo_texts() -> set[str]:
    """Return the texts at the end of a reason if a failed request had to be undone."""
    return {text for scope in _scopes(PROVIDER / "reconciler" / "reconcile.py") for text in scope.undo_texts()}


def _scopes(path: Path) -> Iterator["_Scope"]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    constants = {name: value for node in tree.body for name, value in _assigned(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield _Scope(node, functions, constants)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Return the name and the value of an assignment."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            yield name, value


class _Scope:
    """One function, with the values of its names and of its module's functions and constants."""

    def __init__(
        self, function: ast.FunctionDef, functions: dict[str, ast.FunctionDef], constants: dict[str, ast.expr]
    ) -> None:
        self._function, self._functions, self._constants = function, functions, constants
        self._values: defaultdict[str, list[ast.expr]] = defaultdict(list)
        for name, value in (each for node in ast.walk(function) for each in _assigned(node)):
            self._values[name].append(value)

    def failures(self) -> Iterator[str]:
        for call in self._calls():
            name = _name(call.func)
            at = 0 if name in _RAISED else _ANSWERS.get(name)
            if at is not None and len(call.args) > at:
                yield from self._first_sentences(call.args[at], _RAISED.get(name, ""))
        if self._function.name in _JUDGES:
            yield from (text for value in self._returns() for text in self._first_sentences(value))

    def log_lines(self) -> Iterator[str]:
        for call in self._calls():
            logs = isinstance(call.func, ast.Attribute) and call.func.attr in _LOGGED
            warns = isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "warnings.append"
            if (logs or warns) and call.args:
                yield from self._first_sentences(call.args[0])
            for keyword in call.keywords:
                if keyword.arg == "warnings":
                    tuples = (node for node in ast.walk(keyword.value) if isinstance(node, ast.Tuple))
                    yield from (text for one in tuples for inner in one.elts for text in self._first_sentences(inner))

    def undo_texts(self) -> Iterator[str]:
        if self._function.name in _UNDOES:
            yield from (text for value in self._returns() for text in self._texts(value) if text)

    def _returns(self) -> Iterator[ast.expr]:
        returns = (node.value for node in ast.walk(self._function) if isinstance(node, ast.Return))
        return (value for value in returns if value is not None)

    def _calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self._function) if isinstance(node, ast.Call))

    def _first_sentences(self, node: ast.expr, before: str = "") -> Iterator[str]:
        for text in self._texts(node):
            sentence = _SENTENCE.match(before + re.sub("%[sd]", UNKNOWN, text))
            if sentence and re.search(r"\w", sentence[1]):
                yield sentence[1]

    def _texts(self, node: ast.expr) -> set[str]:
        """Return the texts that an expression can produce."""
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                texts = {""}
                for part in parts:
                    texts = {before + after for before in texts for after in self._texts(part)}
                return texts
            case ast.FormattedValue(value=value):
                return self._texts(value)
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return {before + after for before in self._texts(left) for after in self._texts(right)}
            case ast.IfExp(body=body, orelse=orelse):
                return self._texts(body) | self._texts(orelse)
            case ast.Name(id=name):
                return self._named(name)
            case ast.Call(func=ast.Name(id="redact"), args=[inner]):
                return self._texts(inner)
            case ast.Call(func=ast.Name(id=name)) if name in self._functions:
                return self._returned(name)
        return {UNKNOWN}

    def _named(self, name: str) -> set[str]:
        constant = [self._constants[name]] if name in self._constants else []
        return {text for value in self._values.get(name, constant) for text in self._texts(value)} or {UNKNOWN}

    def _returned(self, name: str) -> set[str]:
        function = self._functions[name]
        scope = _Scope(function, self._functions, self._constants)
        return {text for value in scope._returns() for text in scope._texts(value)} or {UNKNOWN}


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
