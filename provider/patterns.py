"""Regular expressions that were compiled when the artifact was built: a tenth of a cold start is compiling them.

Beside `protocol/custom_resource.py` the only room that reaches into what others keep private: `re` has no door for
programs that are compiled already. So it is narrow, and falls back to compiling: a table of another format than this
interpreter's is not used, which is logged; a pattern that is not in the table is compiled as ever; and `_sre` itself
validates each program. Standard library only. `provider/build/patterns.py` makes the table, and nothing happens
where there is none. It takes effect as it is imported.
"""

import _sre
import marshal
import os
import re
import sys
from typing import Any, Final

TABLE: Final = f"patterns.{sys.implementation.cache_tag}.bin"
"""The table's name beside this file, with the interpreter's tag as byte code has it.

It holds the number of `re`'s format, and by pattern and flags what `_sre.compile` takes besides the pattern.
"""


def use(folder: str) -> None:
    """Let `re` take from the table in a folder, as long as the process lives, what it would compile."""
    try:
        table = os.path.join(folder, TABLE)  # noqa: PTH118 - pathlib is not worth its import here
        with open(table, "rb") as file:  # noqa: PTH123
            magic, programs = marshal.loads(file.read())  # noqa: S302 - the build's own
    except FileNotFoundError:
        return
    except (OSError, EOFError, TypeError, ValueError) as error:
        _warn(f"cannot be read ({error})")
        return
    if magic != _sre.MAGIC:
        _warn("are of another Python")
        return
    compiler: Any = re._compiler  # type: ignore[attr-defined]
    itself = compiler.compile

    def compile_or_take(pattern: Any, flags: int = 0) -> Any:
        program = programs.get((pattern, flags)) if isinstance(pattern, str | bytes) else None
        if program is None:
            return itself(pattern, flags)
        try:
            return _sre.compile(pattern, *program)
        except (RuntimeError, TypeError, ValueError, OverflowError):  # no program for this interpreter after all
            return itself(pattern, flags)

    compiler.compile = compile_or_take


def _warn(trouble: str) -> None:
    import logging

    logging.getLogger(__name__).warning("the build's regular expressions %s, so starts take longer", trouble)


use(os.path.dirname(__file__))  # noqa: PTH120
