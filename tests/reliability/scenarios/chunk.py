"""The scenarios of one test file. Several files distribute them over pytest's workers."""

from collections.abc import Callable

import pytest

from tests.reliability.scenarios.generate import STEPS, Scenario
from tests.reliability.scenarios.report import story
from tests.reliability.scenarios.world import Machinery

CHUNKS = 4
SCENARIOS = 2000
_AT_ONCE = 50


def scenarios_of(chunk: int) -> Callable[[Machinery, int], None]:
    """Return a test that runs the scenarios of a chunk."""
    first = chunk * SCENARIOS // CHUNKS

    @pytest.mark.parametrize("seed", range(first, first + SCENARIOS // CHUNKS, _AT_ONCE))
    def test_the_contract_holds(machinery: Machinery, seed: int) -> None:
        """With any faults, no configuration is lost, overwritten, or orphaned, and every response is true."""
        for each in range(seed, seed + _AT_ONCE):
            world = Scenario(each).run(machinery)
            assert not world.oracle.violations, story(world, range(STEPS))

    return test_the_contract_holds
