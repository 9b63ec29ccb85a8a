"""Imports that a start does not need, put off until something of them is used: most of a start is importing.

Usage: PYTHON -I deferral.py FOLDER, with an interpreter of the runtime's version and the artifact, compiled already.

What Python 3.15 calls a lazy import (PEP 810) is done here when the artifact is built: in the packages' byte code, not
in their sources, which stay as their authors published them, line for line. An import that is put off is carried out
when the module is first asked for its name, by the module's `__getattr__` (PEP 562); a function asks right before it
uses the name. What is not certain to mean the same is left as it is: a name that is used while its module is imported,
that something else binds, too, that a package has a submodule of, or that another module takes by a star.
"""

import ast
import importlib.util
import marshal
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

DEFERRED: Final = (
    "aws_lambda_powertools",  # metrics, tracing and what decorators of handlers need
    "botocore.crt",
    "botocore.discovery",
    "botocore.docs",
    "botocore.eventstream",
    "botocore.monitoring",
    "botocore.paginate",
    "botocore.retries.adaptive",
    "botocore.validate",
    "botocore.vendored.six",
    "botocore.waiter",
    "calendar",
    "concurrent",
    "configparser",  # profiles
    "dateutil",  # credentials that expire
    "decimal",
    "importlib.metadata",  # HTTP/2
    "jmespath",
    "shlex",
    "urllib3",  # what only proxies and credentials from elsewhere need
)
"""Modules, with all below them, whose imports are put off. What a start uses of them is loaded as it is used."""

_OWN: Final = "provider"
_BY_NAME: Final = {"eval", "exec", "globals", "locals", "vars"}
"""What finds and binds names that do not stand in the source."""
_FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_UNCHECKED_HASH: Final = (1).to_bytes(4, "little")
"""PEP 552's flags."""


class Module(NamedTuple):
    """Where a module is: its name, whether it is a package, and if so, its submodules' names."""

    name: str
    is_package: bool = False
    submodules: frozenset[str] = frozenset()

    @classmethod
    def of(cls, path: Path, root: Path) -> "Module":
        """The module that a file below the root is."""
        *folders, name = path.relative_to(root).with_suffix("").parts
        if name != "__init__":
            return cls(".".join((*folders, name)))
        beside = (each.stem for each in path.parent.iterdir() if each.suffix == ".py" or any(each.glob("*.py")))
        return cls(".".join(folders), True, frozenset(name for name in beside if not name.startswith("__")))

    def target(self, statement: ast.ImportFrom) -> str:
        """The module that one of this one's `from ... import` takes names from."""
        if not statement.level:
            return statement.module or ""
        package = self.name.split(".")[: None if self.is_package else -1]
        return ".".join([*package[: len(package) - statement.level + 1], *filter(None, [statement.module])])


def defer(tree: ast.Module, module: Module) -> list[str]:
    """Put off the imports of a module that are named in DEFERRED and can be; the names that they would have bound."""
    found: dict[str, list[str]] = {}
    for statement in tree.body:
        for name, text in _candidates(statement, module):
            found.setdefault(name, []).append(text)
    if not found or _is_opaque(tree):
        return []
    bound, used = Counter(_bindings(tree)), set(_used_at_import(tree.body, _postpones_annotations(tree)))
    imports = {
        name: texts
        for name, texts in sorted(found.items())
        if bound[name] == len(texts) and name not in used | module.submodules
    }
    if imports:
        tree.body = [left for statement in tree.body if (left := _without(statement, imports))]
        _fetch_where_used(tree.body, {name: f"from {module.name} import {name}" for name in imports}, None)
        after = next((at for at, statement in enumerate(tree.body) if not _opens(statement)), len(tree.body))
        tree.body[after:after] = ast.parse(_on_request(imports, module.submodules)).body
    return list(imports)


def _candidates(statement: ast.stmt, module: Module) -> Iterator[tuple[str, str]]:
    """The names that a statement binds by importing what DEFERRED names, each with the text that imports it alone."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if _is_named(alias.name):
                yield _bound(statement, alias), ast.unparse(ast.Import([alias]))
    elif isinstance(statement, ast.ImportFrom) and (target := module.target(statement)) != module.name:
        for alias in statement.names:
            if _is_named(f"{target}.{alias.name}"):
                yield _bound(statement, alias), ast.unparse(ast.ImportFrom(statement.module, [alias], statement.level))


def _is_named(target: str) -> bool:
    return any(f"{target}.".startswith(f"{name}.") for name in DEFERRED)


def _bound(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or (alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name)


def _is_opaque(tree: ast.Module) -> bool:
    """Whether names may come and go in ways that nobody sees here."""
    return any(
        (isinstance(node, ast.Name) and node.id in _BY_NAME)
        or (isinstance(node, ast.ImportFrom) and node.names[0].name == "*")
        or (isinstance(node, ast.FunctionDef) and node.name == "__getattr__" and node in tree.body)
        for node in ast.walk(tree)
    )


def _bindings(tree: ast.Module) -> Iterator[str]:
    """Each name as often as it is bound, in whatever scope."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case ast.Import() | ast.ImportFrom():
                yield from (_bound(node, alias) for alias in node.names)


def _postpones_annotations(tree: ast.Module) -> bool:
    return any(
        isinstance(statement, ast.ImportFrom)
        and statement.module == "__future__"
        and any(alias.name == "annotations" for alias in statement.names)
        for statement in tree.body
    )


def _used_at_import(block: list[ast.stmt], postponed: bool) -> Iterator[str]:
    """The names that are looked up while these statements run, functions' own statements aside."""
    for statement in block:
        yield from _names(statement, postponed)
        if not isinstance(statement, _FUNCTION):
            for inner in _blocks(statement):
                yield from _used_at_import(inner, postponed)


def _names(node: ast.AST, postponed: bool = False) -> Iterator[str]:
    """The names in a statement itself, not in those within it; nor in annotations where those are postponed."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.stmt) or (postponed and field in ("annotation", "returns")):
                continue
            if isinstance(child, ast.Name):
                yield child.id
            elif isinstance(child, ast.AST):
                yield from _names(child, postponed)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The blocks of statements within a statement."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from _blocks(part)


def _without(statement: ast.stmt, imports: Collection[str]) -> ast.stmt | None:
    """What is left of a statement of a module without the imports of these names."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return statement
    statement.names = [alias for alias in statement.names if _bound(statement, alias) not in imports]
    return statement if statement.names else None


def _fetch_where_used(block: list[ast.stmt], fetch: Mapping[str, str], known: Collection[str] | None) -> None:
    """Put before each statement what fetches the names that it needs beyond the known ones; None are known outside of
    functions, where nothing needs any.

    They are asked of the module itself: so what others have put in a name's place there is what a function gets.
    """
    result: list[ast.stmt] = []
    for statement in block:
        if known is not None:
            needed = set(_names(statement))
            if isinstance(statement, ast.ClassDef):
                # What is nested in a class's body sees the names of the function around it, and not those of the body.
                needed.update(_used_at_import(statement.body, False))
            needed = (needed & fetch.keys()).difference(known)
            known = {*known, *needed}
            for added in ast.parse("\n".join(fetch[name] for name in sorted(needed))).body:
                for node in ast.walk(added):
                    ast.copy_location(node, statement)
                result.append(added)
        for inner in _blocks(statement):
            _fetch_where_used(inner, fetch, () if isinstance(statement, _FUNCTION) else known)
        result.append(statement)
    block[:] = result


def _opens(statement: ast.stmt) -> bool:
    """Whether a statement has to stay at a module's beginning: its docstring, and what it takes from the future."""
    return (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)) or (
        isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
    )


def _on_request(imports: Mapping[str, list[str]], submodules: Collection[str]) -> str:
    """What gives a module's names to who asks the module for them: those put off, and submodules they would have had
    loaded.
    """
    lines = ["def __getattr__(asked_, /):"]
    for name, texts in imports.items():
        lines += [f"  if asked_ == {name!r}:", f"    global {name}", *(f"    {text}" for text in texts)]
        lines += [f"    return {name}"]
    if submodules:
        lines += [f"  if asked_ in {sorted(submodules)!r}:", "    import importlib", "    try:"]
        lines += ["      return importlib.import_module(f'{__name__}.{asked_}')", "    except ImportError as error:"]
        lines += ["      raise AttributeError(str(error)) from error"]
    return "\n".join([*lines, "  raise AttributeError(f'module {__name__!r} has no attribute {asked_!r}')"])


def main(folder: str) -> None:
    """Put imports off in the byte code of all packages in the artifact."""
    root = Path(folder)
    sources = {
        path: path.read_bytes() for path in sorted(root.rglob("*.py")) if path.relative_to(root).parts[0] != _OWN
    }
    modules = {path: Module.of(path, root) for path in sources}
    trees = {path: ast.parse(source) for path, source in sources.items()}
    taken_whole = {name for path, tree in trees.items() for name in _taken_whole(tree, modules[path])}
    for path, tree in trees.items():
        if modules[path].name not in taken_whole and defer(tree, modules[path]):
            # Named, like all other byte code, as it will be in Lambda; and never compared with the source.
            name = f"/var/task/{path.relative_to(root).as_posix()}"
            code = compile(tree, name, "exec", dont_inherit=True, optimize=0)
            head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(sources[path])
            target = Path(importlib.util.cache_from_source(str(path), optimization=""))
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(head + marshal.dumps(code))


def _taken_whole(tree: ast.Module, module: Module) -> Iterator[str]:
    """The modules of which this one takes all names that are there at that moment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield module.target(node)


if __name__ == "__main__":
    main(sys.argv[1])
