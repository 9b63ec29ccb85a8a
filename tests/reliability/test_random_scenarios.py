"""Random scenarios: what people, CloudFormation, and failures can do to configurations, in any order."""

import pytest

from tests.reliability.scenarios.generate import STEPS, Scenario
from tests.reliability.scenarios.report import render_scenario
from tests.reliability.scenarios.world import Machinery

SCENARIOS = 2000
SHORT = 150
"""The scenarios of every test run. They include those that detected each fault that was once injected."""
BATCH = 50

BATCHES = [pytest.param(first, marks=() if first < SHORT else pytest.mark.long) for first in range(0, SCENARIOS, BATCH)]


@pytest.mark.parametrize("places", [False, True], ids=["one place", "several places"])
@pytest.mark.parametrize("first", BATCHES)
def test_the_contract_holds(machinery: Machinery, first: int, *, places: bool) -> None:
    """No configuration is lost, overwritten, or orphaned, and every response is true, whatever fails.

    With several Regions and accounts, no call goes to the wrong one either.
    """
    for seed in range(first, first + BATCH):
        world = Scenario(seed, places=places).run(machinery)
        assert not world.oracle.violations, render_scenario(world, range(STEPS))
