"""A quarter of the random scenarios. See tests/reliability/scenarios; `make soak` runs many more."""

from tests.reliability.scenarios.chunk import scenarios_of

test_scenarios = scenarios_of(3)
