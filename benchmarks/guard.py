"""Fails where a cold start has come to take over 5 per cent more instructions than is written down. Run: `make guard`.

Instructions are counted relative to the plain client's, so that neither another processor nor a newer botocore counts.
"""

import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.build import build, python, version
from benchmarks.figures import Results
from benchmarks.measure import Laboratory
from benchmarks.stubs import stubs
from benchmarks.variants import OURS, PLAIN

_TOLERANCE: Final = 0.05
_SHOWN: Final = 15


def instructions_written(results: Results) -> float:
    """Instructions of a cold start relative to the plain client's, as they are written down."""
    return (results.of(OURS.name).instructions or 0) / (results.of(PLAIN.name).instructions or 1)


def has_grown(written: float, now: float) -> bool:
    """Whether that is more growth than is let pass."""
    return now > written * (1 + _TOLERANCE)


def growth(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """What takes longer to import than before, the most first: lines for a person.

    From modules to microseconds, measured on machines that need not be equally fast.
    """
    common = before.keys() & now.keys()
    pace = sum(now[module] for module in common) / (sum(before[module] for module in common) or 1)
    grown = {module: own - before.get(module, 0) * pace for module, own in now.items()}
    most = sorted(grown, key=lambda module: -grown[module])[:_SHOWN]
    return [
        f"{grown[module] / 1000:+6.1f} ms  {module}{'' if module in before else ' (new)'}"
        for module in most
        if grown[module] > 0
    ]


def unmeasurable(results: Results) -> str:
    """Why nothing can be compared here; empty if it can."""
    if not shutil.which("valgrind"):
        return "Valgrind is not installed here"
    ours, theirs = version(python()), results.machine["python"]
    if ours.split(".")[:2] != theirs.split(".")[:2]:
        return f"the figures are Python {theirs}'s, and here is {ours}"
    return ""


def main() -> int:
    """Measure, compare and tell."""
    results = Results.read()
    if reason := unmeasurable(results):
        print(f"The cold start was not guarded: {reason}.", file=sys.stderr)
        return 0
    with stubs() as servers, tempfile.TemporaryDirectory() as temporary:
        laboratory = Laboratory(servers, {each: build(each) for each in (PLAIN, OURS)}, Path(temporary))
        now = laboratory.instructions(OURS) / laboratory.instructions(PLAIN)
        imports = laboratory.import_times(OURS)
    written = instructions_written(results)
    change = f"{now:.3f} of the plain client's instructions; {written:.3f} is written down ({now / written - 1:+.1%})"
    print(f"A cold start takes {change}.")
    if not has_grown(written, now):
        return 0
    print("That is too much. What takes longer to import than when it was written down:\n", file=sys.stderr)
    print("\n".join(growth(results.imports[OURS.name], imports)), file=sys.stderr)
    print("\nIf that is as it should be, write the figures down anew: make bench", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
