"""Regular expressions that were compiled beforehand are used where they fit this Python, and nowhere else."""

import logging
import marshal
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provider import patterns

USED = """
import _sre, re, sys
sys.path.insert(0, sys.argv[1])
from provider import patterns
patterns.use(sys.argv[2])
assert re.compile("written", re.I).fullmatch("OTHER") and re.compile("written").fullmatch("written")
assert re.compile("[a-f]+").search("xxfaceyy")[0] == "face" and re.compile(b"written").fullmatch(b"written")
"""
"""With a table that has for one pattern, and one set of flags, another one's program, to tell them apart by."""


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> object:
    """How `re` compiles; left so, whatever a test does."""
    compiler = vars(re)["_compiler"]
    monkeypatch.setattr(compiler, "compile", compiler.compile)
    return compiler.compile


def written(folder: Path, content: Any) -> str:
    """A folder with this content as its table."""
    (folder / patterns.TABLE).write_bytes(content if isinstance(content, bytes) else marshal.dumps(content, 2))
    return str(folder)


def program(pattern: str, flags: int) -> tuple[object, ...]:
    """What this Python compiles a pattern to."""
    script = (
        "import _sre, re, re._compiler as c, re._parser as p, sys\n"
        f"parsed = p.parse({pattern!r}, {flags})\n"
        f"code = [int(step) for step in c._code(parsed, {flags})]\n"
        f"print((int({flags} | parsed.state.flags), code, 0, {{}}, (None,)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    made: tuple[object, ...] = eval(ran.stdout)
    return made


def test_a_table_is_used_for_its_patterns_and_flags_alone(tmp_path: Path) -> None:
    """A pattern that the table has with these flags is taken from there; every other one is compiled as ever."""
    magic = __import__("_sre").MAGIC
    table = {("written", int(re.IGNORECASE)): program("other", int(re.IGNORECASE))}
    command = [sys.executable, "-c", USED, str(Path(patterns.__file__).parents[1]), written(tmp_path, (magic, table))]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_program_that_cannot_be_taken_is_compiled_as_ever(tmp_path: Path) -> None:
    """A program that `re` refuses, in a table of the right format, does no harm: its pattern is compiled."""
    magic = __import__("_sre").MAGIC
    flags, _, *groups = program("written", 0)
    table = {("written", 0): (flags, [99, 98], *groups), (b"written", 0): ("nonsense",)}
    spoilt = written(tmp_path, (magic, table))
    script = USED.replace('fullmatch("OTHER")', 'fullmatch("WRITTEN")')
    command = [sys.executable, "-c", script, str(Path(patterns.__file__).parents[1]), spoilt]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_without_a_table_nothing_happens(untouched: object, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where the build has put no table, `re` stays as it is, and nothing is said."""
    patterns.use(str(tmp_path))
    assert vars(re)["_compiler"].compile is untouched
    assert caplog.text == ""


@pytest.mark.parametrize("content", [(0, {}), b"", b"no table", (1, 2, 3), 7], ids=repr)
def test_a_table_that_does_not_fit_is_not_used(
    untouched: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any
) -> None:
    """A table of another format, or one that cannot be read, leaves `re` as it is, and the log says so."""
    # Not through caplog: other tests in the same process set up, silence, and cut off the provider's logging.
    logged: list[str] = []
    monkeypatch.setattr(logging.getLogger(patterns.__name__), "warning", lambda text, *_: logged.append(text))
    patterns.use(written(tmp_path, content))
    assert vars(re)["_compiler"].compile is untouched
    assert "starts take longer" in logged[0]
