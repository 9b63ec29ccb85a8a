"""Expanded properties -> all findings: what is told before any call, whoever asks."""

from provider.properties.expand import Expanded, is_meant
from provider.properties.finding import Finding
from provider.properties.model import NAME, TARGET, resource_type
from provider.properties.rules import judge
from provider.properties.validate import validate


def find(expanded: Expanded) -> list[Finding]:
    """All that is wrong with expanded properties: names, the model's constraints, the service's own rules."""
    parameters = expanded.parameters
    misspelt = {finding.path for finding in expanded.findings if finding.rule == "unknown"}
    found = [*expanded.findings, *validate(parameters, resource_type())]
    # What has something wrong with it is not empty.
    told = {("some-output", finding.path[:-1]) for finding in found if finding.rule != "required"}
    # A slip of the one name that is needed is told with that name.
    told |= {("one-target", ()) for path in misspelt if len(path) == 1 and is_meant(str(path[0]), (NAME, TARGET))}
    judged = [one for one in judge(parameters) if (one.rule, one.path) not in told]
    return [*found, *judged]
