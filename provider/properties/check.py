"""Expanded properties -> all findings: what is told before any call, whoever asks."""

from provider.properties.expand import Expanded
from provider.properties.finding import Finding
from provider.properties.model import resource_type
from provider.properties.rules import judge
from provider.properties.validate import validate


def find(expanded: Expanded) -> list[Finding]:
    """All that is wrong with expanded properties: names, the model's constraints, the service's own rules."""
    parameters = expanded.parameters
    misspelt = {finding.path[:-1] for finding in expanded.findings if finding.rule == "unknown"}
    # What has a name that leads nowhere is not empty.
    judged = [one for one in judge(parameters) if one.rule != "some-output" or one.path not in misspelt]
    return [*expanded.findings, *validate(parameters, resource_type()), *judged]
