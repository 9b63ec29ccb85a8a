"""Fail if a cold start executes too many instructions compared with the plain client. Run: `make guard`.

All are counted in the same run, so that a different processor or a newer botocore changes no ratio. The provider uses
the CAs that it ships, as it does when deployed. With a ledger, its requests may take a little more. If CI is set, a run
that cannot measure fails, too.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.build import build, python, version
from benchmarks.figures import Results
from benchmarks.measure import Runner
from benchmarks.recorded import instructions, ledger
from benchmarks.stubs import stubs
from benchmarks.variants import AS_DEPLOYED, OURS, PLAIN
from provider.cli.ledger_emulator import python_with_emulator

LIMIT: Final = 0.44
"""Instructions of a cold start, relative to the plain client's."""
LEDGER_LIMIT: Final = 0.15
"""By how much they may grow with a ledger."""
_SHOWN: Final = 15


def growth(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """Return the modules whose imports take longer than before, the largest growth first, as lines of text.

    The arguments map modules to microseconds. They may come from machines of different speed.
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
    """Return why this machine cannot measure; empty if it can."""
    if not shutil.which("valgrind"):
        return "valgrind is not installed"
    try:
        python_with_emulator()
    except ModuleNotFoundError as error:
        return str(error)
    here, recorded = version(python()), results.machine["python"]
    if here.split(".")[:2] != recorded.split(".")[:2]:
        return f"the recorded figures are for Python {recorded}, and this machine has {here}"
    return ""


def main() -> int:
    """Measure, compare, and report."""
    results = Results.read()
    if reason := unmeasurable(results):
        print(f"The cold start was not measured: {reason}.", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    with stubs() as servers, ledger() as variables, tempfile.TemporaryDirectory() as temporary:
        runner = Runner(servers, {each: build(each) for each in (PLAIN, AS_DEPLOYED)}, Path(temporary))
        plain, without = runner.instructions(PLAIN), runner.instructions(AS_DEPLOYED)
        recorded = instructions(runner, servers, AS_DEPLOYED, variables)
        imports = runner.import_times(AS_DEPLOYED)
    now = without / plain
    grown = {title: (count - without) / plain for title, count in recorded.items()}
    print("\n".join(verdict(now, grown)))
    if now <= LIMIT and max(grown.values()) <= LEDGER_LIMIT:
        return 0
    if now > LIMIT:
        print("Modules whose imports take longer than in the recorded figures:\n", file=sys.stderr)
        print("\n".join(growth(results.imports[OURS.name], imports)), file=sys.stderr)
    return 1


def verdict(now: float, grown: Mapping[str, float]) -> Iterator[str]:
    """Yield what was measured and the limits, as lines. `grown` is the growth with a ledger by what is requested."""
    yield f"A cold start takes {now:.3f} of the plain client's instructions. The limit is {LIMIT}."
    yield f"With a ledger, it takes more, by (the limit is {LEDGER_LIMIT}):"
    for title, growth_of_request in grown.items():
        yield f"  {growth_of_request:.3f}  {title}"


if __name__ == "__main__":
    sys.exit(main())
