"""A quarter of the random scenarios. See tests/reliability/scenarios; `make soak` runs many more."""

from tests.reliability.scenarios.chunk import test_of

test_scenarios = test_of(1)
