"""Expanded properties -> all findings: what is told before any call, whoever asks."""

from provider.properties.expand import Expanded
from provider.properties.finding import Finding
from provider.properties.model import resource_type
from provider.properties.rules import judge
from provider.properties.validate import validate


def find(expanded: Expanded) -> list[Finding]:
    """All that is wrong with expanded properties: names, the model's constraints, the service's own rules."""
    parameters = expanded.parameters
    return [*expanded.findings, *validate(parameters, resource_type()), *judge(parameters)]
