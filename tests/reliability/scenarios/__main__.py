"""Run scenarios from the command line.

python -m tests.reliability.scenarios --seed N              one scenario, step by step
python -m tests.reliability.scenarios --seed N --steps 0,3  the same with these steps only
python -m tests.reliability.scenarios --first N --count M   many; stops at the first failure, minimized
"""

import argparse
import sys
import time
from collections.abc import Sequence

from tests.reliability.scenarios.generate import STEPS, Scenario
from tests.reliability.scenarios.report import render_scenario
from tests.reliability.scenarios.world import Machinery


def main() -> int:
    """Run the scenarios of the command line. Returns 1 if one fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.scenarios", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this scenario and print its steps")
    parser.add_argument("--steps", help="only these steps of it, by number")
    parser.add_argument("--first", type=int, default=0, help="the first of many seeds")
    parser.add_argument("--count", type=int, default=20_000, help="how many seeds")
    parser.add_argument("--places", action="store_true", help="with several Regions and accounts")
    parser.add_argument("--failures", type=int, default=1, help="stop after so many failures")
    given = parser.parse_args()
    with Machinery() as machinery:
        if given.seed is not None:
            steps = [int(each) for each in given.steps.split(",")] if given.steps else range(STEPS)
            world = Scenario(given.seed, steps, places=given.places).run(machinery)
            print(render_scenario(world, steps))
            return bool(world.oracle.violations)
        return _many(machinery, range(given.first, given.first + given.count), given.failures, given.places)


def _many(machinery: Machinery, seeds: range, most: int, places: bool) -> int:
    start, failures = time.monotonic(), 0
    for seed in seeds:
        if Scenario(seed, places=places).run(machinery).oracle.violations:
            failures += 1
            steps = minimized(machinery, seed, places)
            print(render_scenario(Scenario(seed, steps, places=places).run(machinery), steps), flush=True)
            if failures == most:
                break
        elif seed % 1000 == 999:
            print(f"seed {seed}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(f"{seed - seeds.start + 1} scenarios, {failures} failures, {time.monotonic() - start:.0f} s")
    return bool(failures)


def minimized(machinery: Machinery, seed: int, places: bool) -> Sequence[int]:
    """Return the steps that the failure needs."""
    steps = list(range(STEPS))
    for step in range(STEPS - 1, -1, -1):
        fewer = [each for each in steps if each != step]
        if Scenario(seed, fewer, places=places).run(machinery).oracle.violations:
            steps = fewer
    return steps


if __name__ == "__main__":
    sys.exit(main())
