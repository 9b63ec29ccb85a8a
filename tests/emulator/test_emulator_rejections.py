"""The emulator rejects what the service was observed to reject."""

from typing import Any

import pytest

from provider.schema.rules import RULES, apply_rules

OBSERVED = {rule.id for rule in RULES if rule.source.startswith("observed")}
VIOLATIONS: dict[str, list[dict[str, Any]]] = {
    "region-once": [{"region": "us-east-1", "amiDistributionConfiguration": {}}] * 2,
    "some-output": [{"region": "us-east-1"}],
    "build-date": [{"region": "us-east-1", "amiDistributionConfiguration": {"name": "golden"}}],
}
"""Distributions that violate one rule each, by the rule's ID."""


@pytest.mark.parametrize("rule", sorted(OBSERVED))
def test_the_emulator_rejects_each_violation_that_the_service_rejects(rule: str, client: Any) -> None:
    """If the source of a rule is an observed rejection, the emulator rejects a violation with the same error code."""
    parameters = {"name": "golden", "distributions": VIOLATIONS[rule]}
    assert [finding.rule for finding in apply_rules(parameters, RULES)] == [rule]
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="distributions"):
        client.create_distribution_configuration(**parameters)
