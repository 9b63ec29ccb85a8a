"""Expanded properties -> all findings: the same for the handler and for every tool."""

from collections.abc import Iterator
from itertools import chain

from .checkpoint import Checkpoint, paced, proceed
from .expand import UNKNOWN, Expanded, is_meant
from .finding import Finding, Path
from .model import NAME, TARGET
from .rules import Rule, apply_rules
from .validate import violations


def validate_properties(expanded: Expanded, rules: tuple[Rule, ...]) -> list[Finding]:
    """Check expanded properties: names, the service model's constraints, and the service's own rules."""
    return [*findings(expanded, rules)]


def findings(expanded: Expanded, rules: tuple[Rule, ...], checkpoint: Checkpoint = proceed) -> Iterator[Finding]:
    """The findings of `validate_properties`, one at a time: a caller that only counts them needs little memory."""
    parameters = expanded.parameters
    not_empty: set[Path] = set()
    names_target = False
    names = paced(expanded.findings, checkpoint)
    for finding in chain(names, violations(parameters, expanded.schema, checkpoint=checkpoint)):
        # An entry with a wrong member is not empty.
        if len(finding.path) == _BELOW_ENTRY and finding.rule != "required":
            not_empty.add(finding.path[:-1])
        # If Name or the ARN is only misspelled, one finding is enough.
        names_target = names_target or _suggests_target(finding, expanded)
        yield finding
    for finding in apply_rules(parameters, rules, checkpoint):
        repeats_output = finding.rule == "some-output" and finding.path in not_empty
        if not repeats_output and not (names_target and _is_missing_target(finding)):
            yield finding


def _is_missing_target(finding: Finding) -> bool:
    return finding.rule == "one-target" and not finding.path


_BELOW_ENTRY = len(("distributions", 0, "member"))
"""The length of the path to a member of a distribution."""


def _suggests_target(finding: Finding, expanded: Expanded) -> bool:
    is_suggestion = finding.rule == "unknown" and finding.message != UNKNOWN
    return is_suggestion and len(finding.path) == 1 and is_meant(str(finding.path[0]), (NAME, TARGET), expanded.schema)
