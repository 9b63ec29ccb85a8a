"""Makes the imports lazy that a cold start does not need. Remove this module when Lambda's runtime is Python 3.15 or
newer, which has lazy imports (PEP 810).

Usage: PYTHON -I deferral.py FOLDER, with an interpreter of the runtime's version and a compiled artifact.

Most of a cold start is imports. This changes the bytecode of the packages, not their sources. The module's
`__getattr__` (PEP 562) runs a deferred import when its name is first needed, and each function fetches the name right
before using it. An import is not deferred if this could change its meaning: if the name is used while the module is
being imported, is bound more than once, is also a submodule, or may be imported by `import *`.
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
    "aws_lambda_powertools",  # metrics, tracing, and decorators of handlers
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
    "urllib3",  # only for proxies and external credentials
)
"""Modules, including their submodules, whose imports are deferred until they are used."""

_OWN: Final = "provider"
_BY_NAME: Final = {"eval", "exec", "globals", "locals", "vars"}
"""Functions that look up or bind names dynamically."""
_FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_UNCHECKED_HASH: Final = (1).to_bytes(4, "little")
"""PEP 552's flags."""


class Module(NamedTuple):
    """A module's name, whether it is a package, and if so, the names of its submodules."""

    name: str
    is_package: bool = False
    submodules: frozenset[str] = frozenset()

    @classmethod
    def of(cls, path: Path, root: Path) -> "Module":
        """Return the module of a file below the root."""
        *folders, name = path.relative_to(root).with_suffix("").parts
        if name != "__init__":
            return cls(".".join((*folders, name)))
        beside = (each.stem for each in path.parent.iterdir() if each.suffix == ".py" or any(each.glob("*.py")))
        return cls(".".join(folders), True, frozenset(name for name in beside if not name.startswith("__")))

    def target(self, statement: ast.ImportFrom) -> str:
        """Return the module that a `from ... import` in this one imports from."""
        if not statement.level:
            return statement.module or ""
        package = self.name.split(".")[: None if self.is_package else -1]
        return ".".join([*package[: len(package) - statement.level + 1], *filter(None, [statement.module])])


def defer(tree: ast.Module, module: Module) -> list[str]:
    """Defer the imports of a module that are listed in DEFERRED and safe to defer; return the names that they bind."""
    imports = _deferrable(tree, module)
    if imports:
        tree.body = [rest for statement in tree.body if (rest := _without(statement, imports))]
        _fetch_before_use(tree.body, {name: f"from {module.name} import {name}" for name in imports}, None)
        after = next((at for at, statement in enumerate(tree.body) if not _stays_first(statement)), len(tree.body))
        tree.body[after:after] = ast.parse(_getattr_function(imports, module.submodules)).body
    return list(imports)


def _deferrable(tree: ast.Module, module: Module) -> dict[str, list[str]]:
    """Return the imports that can be deferred, as statements by the name that they bind."""
    candidates: dict[str, list[str]] = {}
    for statement in tree.body:
        for name, text in _candidates(statement, module):
            candidates.setdefault(name, []).append(text)
    if not candidates or _is_dynamic(tree):
        return {}
    bound, used = Counter(_bindings(tree)), set(_used_at_import(tree.body, _postpones_annotations(tree)))
    return {
        name: texts
        for name, texts in sorted(candidates.items())
        if bound[name] == len(texts) and name not in used | module.submodules
    }


def _candidates(statement: ast.stmt, module: Module) -> Iterator[tuple[str, str]]:
    """Yield the names that a statement binds by importing modules in DEFERRED, each with its own import statement."""
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            if _is_listed(alias.name):
                yield _bound(statement, alias), ast.unparse(ast.Import([alias]))
    elif isinstance(statement, ast.ImportFrom) and (target := module.target(statement)) != module.name:
        for alias in statement.names:
            if _is_listed(f"{target}.{alias.name}"):
                yield _bound(statement, alias), ast.unparse(ast.ImportFrom(statement.module, [alias], statement.level))


def _is_listed(target: str) -> bool:
    return any(f"{target}.".startswith(f"{name}.") for name in DEFERRED)


def _bound(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """Return the name that an import binds."""
    return alias.asname or (alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name)


def _is_dynamic(tree: ast.Module) -> bool:
    """Return whether names may be bound or looked up in ways that the syntax tree does not show."""
    return any(
        (isinstance(node, ast.Name) and node.id in _BY_NAME)
        or (isinstance(node, ast.ImportFrom) and node.names[0].name == "*")
        or (isinstance(node, ast.FunctionDef) and node.name == "__getattr__" and node in tree.body)
        for node in ast.walk(tree)
    )


def _bindings(tree: ast.Module) -> Iterator[str]:
    """Yield each name as often as it is bound, in any scope."""
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
    """Yield the names that are looked up while these statements run, except inside functions."""
    for statement in block:
        yield from _names(statement, postponed)
        if not isinstance(statement, _FUNCTION):
            for inner in _blocks(statement):
                yield from _used_at_import(inner, postponed)


def _names(node: ast.AST, postponed: bool = False) -> Iterator[str]:
    """Yield the names in a statement, but not in nested statements, nor in postponed annotations."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.stmt) or (postponed and field in ("annotation", "returns")):
                continue
            if isinstance(child, ast.Name):
                yield child.id
            elif isinstance(child, ast.AST):
                yield from _names(child, postponed)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of statements inside a statement."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield value
        elif isinstance(value, list):
            for part in value:
                if isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from _blocks(part)


def _without(statement: ast.stmt, imports: Collection[str]) -> ast.stmt | None:
    """Return a statement without the imports of these names; None if nothing is left."""
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return statement
    statement.names = [alias for alias in statement.names if _bound(statement, alias) not in imports]
    return statement if statement.names else None


def _fetch_before_use(block: list[ast.stmt], fetch: Mapping[str, str], known: Collection[str] | None) -> None:
    """Insert before each statement the imports of the deferred names that it uses, unless they are `known` already.
    Outside of functions, `known` is None: no deferred name is used there.

    The names are imported from the module itself, so that a replaced (patched) attribute is respected.
    """
    result: list[ast.stmt] = []
    for statement in block:
        if known is not None:
            needed = set(_names(statement))
            if isinstance(statement, ast.ClassDef):
                # Code nested in a class body sees the names of the enclosing function, not those of the class body.
                needed.update(_used_at_import(statement.body, False))
            needed = (needed & fetch.keys()).difference(known)
            known = {*known, *needed}
            for added in ast.parse("\n".join(fetch[name] for name in sorted(needed))).body:
                for node in ast.walk(added):
                    ast.copy_location(node, statement)
                result.append(added)
        for inner in _blocks(statement):
            _fetch_before_use(inner, fetch, () if isinstance(statement, _FUNCTION) else known)
        result.append(statement)
    block[:] = result


def _stays_first(statement: ast.stmt) -> bool:
    """Return whether a statement must stay first in a module: its docstring and imports from __future__."""
    return (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)) or (
        isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
    )


def _getattr_function(imports: Mapping[str, list[str]], submodules: Collection[str]) -> str:
    """Return the source of a module's `__getattr__` for its deferred names, and for submodules that a deferred import
    would have loaded.
    """
    lines = ["def __getattr__(name_, /):"]
    for name, texts in imports.items():
        lines += [f"  if name_ == {name!r}:", f"    global {name}", *(f"    {text}" for text in texts)]
        lines += [f"    return {name}"]
    if submodules:
        lines += [f"  if name_ in {sorted(submodules)!r}:", "    import importlib", "    try:"]
        lines += ["      return importlib.import_module(f'{__name__}.{name_}')", "    except ImportError as error:"]
        lines += ["      raise AttributeError(str(error)) from error"]
    return "\n".join([*lines, "  raise AttributeError(f'module {__name__!r} has no attribute {name_!r}')"])


def main(folder: str) -> None:
    """Defer imports in the bytecode of all packages in the artifact."""
    root = Path(folder)
    sources = {
        path: path.read_bytes() for path in sorted(root.rglob("*.py")) if path.relative_to(root).parts[0] != _OWN
    }
    modules = {path: Module.of(path, root) for path in sources}
    trees = {path: ast.parse(source) for path, source in sources.items()}
    star_imported = {name for path, tree in trees.items() for name in _star_imports(tree, modules[path])}
    for path, tree in trees.items():
        if modules[path].name not in star_imported and defer(tree, modules[path]):
            # With the path in Lambda, like all other bytecode, and never compared with the source.
            name = f"/var/task/{path.relative_to(root).as_posix()}"
            code = compile(tree, name, "exec", dont_inherit=True, optimize=0)
            head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(sources[path])
            target = Path(importlib.util.cache_from_source(str(path), optimization=""))
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(head + marshal.dumps(code))


def _star_imports(tree: ast.Module, module: Module) -> Iterator[str]:
    """Yield the modules from which this one imports `*`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield module.target(node)


if __name__ == "__main__":
    main(sys.argv[1])
