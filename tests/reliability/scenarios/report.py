"""A scenario as text."""

from collections.abc import Sequence

from tests.reliability.scenarios.generate import STEPS
from tests.reliability.scenarios.world import World


def render_scenario(world: World, steps: Sequence[int]) -> str:
    """Return the steps, the violations, and the command to run the scenario again."""
    some = "" if len(steps) == STEPS else f" --steps {','.join(map(str, steps))}"
    return "\n".join(
        [
            *world.log,
            "",
            *(f"VIOLATION {violation}" for violation in world.oracle.violations),
            f"To run it again: python -m tests.reliability.scenarios --seed {world.seed}{some}",
        ]
    )
