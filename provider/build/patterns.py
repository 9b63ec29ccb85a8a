"""The regular expressions that a cold start compiles, compiled beforehand. See `provider/patterns.py`.

Usage: PYTHON -I patterns.py FOLDER, with an interpreter of the runtime's version and the artifact in FOLDER: what is
compiled is what is noted down while the artifact prepares itself. It imports little before: what is imported by then
compiles nothing any more.
"""

import _sre
import marshal
import os
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..schema.model import Type

_WITHOUT_REFERENCES = 2
"""The version of marshal's format that has none, so that equal tables are equal bytes."""
_SETTINGS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}


class Recorder:
    """Stands before `_sre` and keeps what is compiled."""

    MAGIC = _sre.MAGIC

    def __init__(self) -> None:
        self.programs: dict[Any, tuple[Any, ...]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(_sre, name)

    def compile(self, pattern: Any, flags: int, code: list[int], *groups: Any) -> Any:
        """Compile, and keep the program with the flags that it has in the end."""
        count, names, indices = groups
        self.last = int(flags), [int(step) for step in code], count, dict(names), tuple(indices)
        return _sre.compile(pattern, flags, code, *groups)

    def watch(self, compiler: Any) -> None:
        """Note for each pattern what it is compiled to."""
        itself = compiler.compile

        def compile_and_keep(pattern: Any, flags: int = 0) -> Any:
            compiled = itself(pattern, flags)
            if isinstance(pattern, str | bytes):
                self.programs[pattern, int(flags)] = self.last
            return compiled

        compiler._sre, compiler.compile = self, compile_and_keep


def compile_all(kind: "Type") -> None:
    """Compile the patterns of a type and of all below it."""
    _ = kind.regex
    for inner in (*kind.members.values(), kind.item, kind.key):
        if inner is not None:
            compile_all(inner)


def main(folder: str) -> None:
    """Write the table into the artifact."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(_SETTINGS)
    re.purge()
    recorder = Recorder()
    recorder.watch(re._compiler)  # type: ignore[attr-defined]
    sys.path.insert(0, folder)
    from provider import handler, patterns, provision  # noqa: F401 - the handler for what it imports
    from ..resources import resource_type
    from ..schema.model import region_names

    provision.prepare()
    region_names()
    compile_all(resource_type().schema)
    programs = dict(sorted(recorder.programs.items(), key=repr))
    table = marshal.dumps((_sre.MAGIC, programs), _WITHOUT_REFERENCES)
    with open(os.path.join(folder, "provider", patterns.TABLE), "wb") as file:  # noqa: PTH118, PTH123
        file.write(table)


if __name__ == "__main__":
    main(sys.argv[1])
