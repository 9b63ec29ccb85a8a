"""Deferred imports do not change the meaning of a module, and the client behaves the same with them."""

import ast
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from provider.build import deferral
from provider.build.deferral import Module, defer

ROOT = Path(__file__).parent.parent
PACKAGES = ("aws_lambda_powertools", "botocore", "crhelper", "dateutil", "jmespath", "urllib3")

LATE = """
class Late(Exception):
    pass

NUMBER = 42

def answer(number=NUMBER):
    return number

def fail():
    raise Late

class Kept:
    def __enter__(self):
        return NUMBER
    def __exit__(self, *_):
        return True
"""

FORMS = """
import sample.late
def use():
    return sample.late.answer()

import sample.late as whole
def use():
    return whole.answer()

from sample.late import answer
def use():
    return answer()

from sample.late import answer as told
def use():
    return told()

from .late import answer
def use():
    return answer()

from os import path
from .late import answer, Kept
def use():
    return path.join('a', str(answer()))

import os, sample.late as whole
def use():
    return os.path.join('a', str(whole.NUMBER))

'A docstring.'
from __future__ import annotations
from .late import Late
def use(late: Late = None) -> Late:
    return __doc__
""".strip().split("\n\n")
"""Ways to import."""

PLACES = """
def use():
    return [answer(n) for n in range(3)]

def use():
    return (lambda: answer(7))()

def use():
    def inner():
        return answer(8)
    return inner()

def use():
    def inner(number=answer(9)):
        return number
    return inner()

def use():
    if answer(0):
        return 1
    elif answer(1):
        return answer(2)
    else:
        return answer(3)

def use():
    if False:
        answer()
    return answer(4)

def use():
    total = 0
    while total < answer(5):
        total += 1
    else:
        total += answer(1)
    return total

def use():
    for n in range(answer(3)):
        if n == answer(1):
            break
    return n

def use():
    try:
        fail()
    except Late as error:
        return type(error).__name__
    finally:
        answer()

def use():
    try:
        1 / 0
    except ZeroDivisionError:
        return answer(6)

def use():
    with Kept() as number:
        fail()
    return number

def use():
    match 42:
        case n if n == answer():
            return 'it is'
        case _:
            return answer(1)

def use():
    def generate():
        yield answer(1)
        yield from (answer(n) for n in (2, 3))
    return list(generate())

def use():
    class Inner:
        number = answer(11)
        def tell(self):
            return self.number + answer(1)
    return Inner().tell()

class Outer:
    def tell(self):
        return f'{answer(12)}'
def use():
    return Outer().tell()

def use():
    import asyncio
    async def inner():
        return answer(13)
    return asyncio.run(inner())

def use():
    return isinstance(NUMBER, int) and not issubclass(int, Late)

def deeper():
    return answer(14)
def use():
    return deeper()

def use():
    class Inner:
        numbers = [answer(n) for n in range(3)]
        tell = staticmethod(lambda: answer(15))
    return Inner.numbers, Inner.tell(), hasattr(Inner, 'answer')

def use():
    match 1:
        case 1:
            return answer(16)

def use():
    'Says of itself what it does.'
    return answer(17), use.__doc__
""".strip().split("\n\n")
"""Places in functions that use a name. Some of them use a name in one branch and not in another."""

UNCERTAIN = """
from .late import answer
said = answer()

from .late import Late
class Later(Late):
    pass

from .late import Late
class Later:
    late = Late

from .late import answer
def use(number=answer()):
    return number

from .late import answer
@answer
def use():
    return 1

from .late import Late
def use(late: Late):
    return 1

from .late import Late
late: Late

from .late import answer
use = lambda: answer()

from .late import answer
if answer():
    pass

from .late import answer
try:
    answer()
finally:
    pass

from .late import answer
def use():
    answer = 1
    return answer

from .late import answer
def use(answer):
    return answer

from .late import answer
def use():
    global answer
    import os.path as answer

from .late import answer
def use():
    global answer
    return answer

from .late import answer
def use():
    del answer

from .late import answer
def use():
    try:
        pass
    except OSError as answer:
        pass

from .late import answer
def use(n):
    match n:
        case {'a': 1, **answer}:
            return 1

from .late import answer
def use(n):
    match n:
        case int() as answer:
            return 1

from .late import answer
def use():
    for answer in ():
        pass

from .late import answer
try:
    from .other import Late as answer
except ImportError:
    pass

from .late import answer
def answer():
    return 1

from .late import answer
def use(n):
    match n:
        case [1, *answer]:
            return 1

from .late import answer
def use():
    return globals()['answer']

from .late import answer
def __getattr__(name):
    raise AttributeError(name)

from .late import *
def use():
    return answer()

from .late import answer as other
def use():
    return other()

from . import late
def use():
    return late.answer()
""".strip().split("\n\n")
"""Modules whose import must not be deferred: the name is used at once, bound again, or looked up dynamically."""

Load = Callable[[str], ModuleType]
"""Loads a source as the package "sample"."""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads a package with the submodules "late" and "other", whose imports can be deferred."""
    package = tmp_path / "sample"
    package.mkdir()
    (package / "late.py").write_text(LATE)
    (package / "other.py").write_text("Late = 'another'\n")
    (package / "broken.py").write_text("import nothing_of_this_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(deferral, "DEFERRED", ("sample.late", "sample.other"))

    def load(source: str) -> ModuleType:
        (package / "__init__.py").write_text(source)
        forget()
        return importlib.import_module("sample")

    yield load
    forget()


@pytest.fixture
def load_late(load: Load, tmp_path: Path) -> Load:
    """Loads the same with deferred imports."""

    def load_late(source: str) -> ModuleType:
        tree = ast.parse(source)
        defer(tree, Module.of(tmp_path / "sample" / "__init__.py", tmp_path))
        return load(ast.unparse(tree))

    return load_late


def forget() -> None:
    """Unload the package."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "sample"]:
        del sys.modules[name]


def is_loaded() -> bool:
    """Return whether the deferred submodule is loaded."""
    return "sample.late" in sys.modules


@pytest.mark.parametrize(
    "source", [*FORMS, *(f"from .late import Kept, Late, NUMBER, answer, fail\n{p}" for p in PLACES)]
)
def test_an_import_is_deferred_until_its_name_is_used(source: str, load: Load, load_late: Load) -> None:
    """Nothing is imported before a function uses the name; then the function does the same as without deferral."""
    expected = load(source).use()
    late = load_late(source)
    assert not is_loaded()
    assert late.use() == expected
    assert is_loaded() or expected == "A docstring."


def test_patched_attributes_are_used(load_late: Load) -> None:
    """A patched attribute of a module is what its functions use."""
    late = load_late("from .late import answer as told\ndef use():\n    return told()")
    vars(late)["told"] = lambda: "something else"
    assert late.use() == "something else"
    assert not is_loaded()


def test_a_package_has_its_submodules(load_late: Load) -> None:
    """A submodule that a deferred import would have loaded can still be taken from its package."""
    late = load_late("from .late import answer as told, Late")
    assert late.late.answer() == late.told() == 42
    assert late.other.Late == "another"
    assert not hasattr(late, "broken")
    with pytest.raises(AttributeError, match="nonsense"):
        _ = late.nonsense


def test_generated_names_are_unique(load_late: Load) -> None:
    """No module imports a name that the generated code uses itself."""
    late = load_late("from .late import answer as name, Late as asked\ndef use():\n    return name(), asked.__name__")
    assert late.use() == (42, "Late")


def test_unused_imports_do_not_run(load_late: Load) -> None:
    """A branch that is not taken imports nothing."""
    late = load_late(
        "from .late import answer\ndef use(asked):\n    return answer() if 0 else asked and (yield)\n"
        "def tell(asked):\n    if asked:\n        return answer()\n    return 0"
    )
    assert late.tell(False) == 0
    assert not is_loaded()
    assert late.tell(True) == 42


def test_deferred_names_can_be_imported(load_late: Load) -> None:
    """A deferred name can be imported from its module, and a missing name raises the usual error."""
    late = load_late("from .late import answer as told, Late\nimport sample.late as whole")
    assert not is_loaded()
    assert late.told() == 42
    scope: dict[str, Any] = {}
    exec("from sample import Late, whole", scope)
    assert scope["Late"] is scope["whole"].Late is late.Late
    with pytest.raises(AttributeError, match=r"^module 'sample' has no attribute 'nonsense'$"):
        _ = late.nonsense


@pytest.mark.parametrize("source", UNCERTAIN)
@pytest.mark.usefixtures("load")
def test_uncertain_names_are_not_deferred(source: str, tmp_path: Path) -> None:
    """A name that is used during the import, bound again, or looked up dynamically is not deferred."""
    path = tmp_path / "sample" / "__init__.py"
    tree = ast.parse(source)
    assert defer(tree, Module.of(path, tmp_path)) == []
    assert ast.dump(tree) == ast.dump(ast.parse(source))


@pytest.mark.usefixtures("load")
def test_a_star_takes_all_names(tmp_path: Path) -> None:
    """A module that another one imports `*` from has all its names."""
    (tmp_path / "sample" / "whole.py").write_text("from .late import answer")
    (tmp_path / "sample" / "__init__.py").write_text("from .whole import *")
    deferral.main(str(tmp_path))
    scope: dict[str, Any] = {}
    exec("import sample\nassert sample.answer() == 42", scope)


def test_other_imports_stay(load_late: Load) -> None:
    """An import that is not in the list is not deferred."""
    late = load_late("import fractions\nfrom .late import answer\ndef use():\n    return fractions.Fraction(answer())")
    assert late.fractions.Fraction(42) == late.use()


@pytest.mark.parametrize(
    ("name", "is_package", "statement", "target"),
    [
        ("botocore.session", False, "from botocore.docs import x", "botocore.docs"),
        ("botocore.session", False, "from . import x", "botocore"),
        ("botocore.session", False, "from .docs import x", "botocore.docs"),
        ("botocore.docs.bcdoc.style", False, "from .. import x", "botocore.docs"),
        ("botocore.docs", True, "from . import x", "botocore.docs"),
        ("botocore.docs", True, "from .bcdoc import x", "botocore.docs.bcdoc"),
        ("botocore.docs", True, "from ..utils import x", "botocore.utils"),
        ("six", False, "from os import x", "os"),
    ],
)
def test_relative_names_are_resolved(name: str, is_package: bool, statement: str, target: str) -> None:
    """The target of an import is resolved as Python does, in modules and in packages."""
    (parsed,) = ast.parse(statement).body
    assert isinstance(parsed, ast.ImportFrom)
    assert Module(name, is_package).target(parsed) == target
    anchor = name if is_package else name.rpartition(".")[0]
    assert importlib.util.resolve_name("." * parsed.level + (parsed.module or ""), anchor).rstrip(".") == target


def test_the_clients_matrix_holds(tmp_path: Path) -> None:
    """With deferred imports, credentials, endpoints, proxies, retries, and connections are the same."""
    for package in PACKAGES:
        (spec,) = [importlib.util.find_spec(package)]
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(
            Path(spec.origin).parent, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "data")
        )
        data = Path(spec.origin).parent / "data"
        if data.is_dir():
            (tmp_path / package / "data").symlink_to(data)
    deferral.main(str(tmp_path))
    script = (
        "import botocore.docs, pytest, sys; assert 'botocore.docs.service' not in sys.modules; sys.exit(pytest.main())"
    )
    command = [sys.executable, "-c", script, "tests/aws", "-p", "no:xdist"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout[-5000:]
