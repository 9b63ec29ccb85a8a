"""Print the test files that a change affects: python -m tests.affected [COMMIT].

The change is what differs from COMMIT (origin/main by default), with files that are not committed yet. A test file is
affected if it changed, or a file that it depends on, directly or not. A Python file depends on

- the modules that it imports, anywhere in it;
- the modules whose names it has as text, if it also has "-m", with which Python runs a module;
- the other modules of its package, if it imports modules by computed names;
- the files whose names it has as text, and if it is a test, the folders;
- the `conftest.py` files with fixtures that it uses, if it is a test.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("provider", "tests", "benchmarks")
AFFECT_ALL = ("pyproject.toml", "Makefile", "requirements/dev.lock", "requirements/run.lock")
"""If one of these changes, every test is affected."""


class Dependencies:
    """The dependencies of the Python files in a checkout. Files are given by their paths below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def tests_affected_by(self, changed: Iterable[str]) -> list[str]:
        """The test files that are affected if these files change or are deleted."""
        changed = set(changed)
        tests = [file for file in self._files if Path(file).name.startswith("test_")]
        return tests if changed.intersection(AFFECT_ALL) else [test for test in tests if self._reaches(test, changed)]

    @cached_property
    def _files(self) -> list[str]:
        paths = (path for folder in FOLDERS for path in (self._root / folder).rglob("*.py"))
        return sorted(path.relative_to(self._root).as_posix() for path in paths)

    @cached_property
    def _modules(self) -> dict[str, str]:
        """The file of each module by its name. The name of a package that can be run is that of its `__main__`, too."""
        return {file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): file for file in self._files}

    @cached_property
    def _direct(self) -> dict[str, tuple[set[str], set[str]]]:
        """The files that each file depends on directly, and the texts in it."""
        return {file: self._read(file) for file in self._files}

    def _reaches(self, test: str, changed: set[str]) -> bool:
        data = [Path(file) for file in changed if not file.endswith(".py")]
        names, folders = {file.name for file in data}, {part for file in data for part in file.parts[:-1]}
        pending, seen = [test, *self._conftests(test)], set()
        while pending:
            file = pending.pop()
            if file in seen:
                continue
            seen.add(file)
            files, texts = self._direct[file]
            if file in changed or files & changed or texts & (names | folders if file.startswith("tests") else names):
                return True
            pending += files & self._direct.keys()
        return False

    def _conftests(self, test: str) -> list[str]:
        files = (f"{folder.as_posix()}/conftest.py" for folder in Path(test).parents)
        arguments = _names(self._root / test, ast.arg)
        return [
            file for file in files if file in self._direct and arguments & _names(self._root / file, ast.FunctionDef)
        ]

    def _read(self, file: str) -> tuple[set[str], set[str]]:
        nodes = list(ast.walk(ast.parse((self._root / file).read_text())))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        names = {f"{name}{end}" for name in texts for end in ("", ".__main__")} if "-m" in texts else set()
        package = file.rpartition("/")[0]
        for node in nodes:
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.update(_imported(package, node))
            elif isinstance(node, ast.Name) and node.id == "import_module":
                names.update(name for name, path in self._modules.items() if path.rpartition("/")[0] == package)
        parts = {".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 2)}
        return {self._modules.get(name, f"{name.replace('.', '/')}.py") for name in parts}, texts


def _names(file: Path, type_: type[ast.arg] | type[ast.FunctionDef]) -> set[str]:
    """The names of a file's functions, or of their arguments."""
    nodes = ast.walk(ast.parse(file.read_text()))
    return {node.arg if isinstance(node, ast.arg) else node.name for node in nodes if isinstance(node, type_)}


def _imported(package: str, node: ast.ImportFrom) -> Iterator[str]:
    """The modules that a statement may import: the one that it names, and those of the names that it imports."""
    base = package.split("/")[: package.count("/") + 2 - node.level] if node.level else []
    module = ".".join([*base, *filter(None, [node.module])])
    yield module
    yield from (f"{module}.{alias.name}" for alias in node.names)


def changed_files(commit: str) -> set[str]:
    """The files that differ from a commit, deleted ones and those that git does not know yet included."""
    listings = (["diff", "--name-only", "--no-renames", commit], ["ls-files", "--others", "--exclude-standard"])
    runs = (subprocess.run(["git", *each], cwd=ROOT, check=True, capture_output=True, text=True) for each in listings)
    return {line for run in runs for line in run.stdout.splitlines()}


if __name__ == "__main__":
    base = sys.argv[1] if len(sys.argv) > 1 else "origin/main"
    for test in Dependencies(ROOT).tests_affected_by(changed_files(base)):
        print(test)
