"""Expanded properties -> all findings: what is told before any call, whoever asks."""

from collections.abc import Iterator
from itertools import chain

from .checkpoint import Checkpoint, paced, proceed
from .expand import UNKNOWN, Expanded, is_meant
from .finding import Finding, Path
from .model import NAME, TARGET, resource_type
from .rules import judge
from .validate import violations


def find(expanded: Expanded) -> list[Finding]:
    """All that is wrong with expanded properties: names, the model's constraints, the service's own rules."""
    return [*findings(expanded)]


def findings(expanded: Expanded, checkpoint: Checkpoint = proceed) -> Iterator[Finding]:
    """The findings of `find`, one after the other: a caller that only counts them needs no memory for them."""
    parameters = expanded.parameters
    not_empty: set[Path] = set()
    names_target = False
    names = paced(expanded.findings, checkpoint)
    for finding in chain(names, violations(parameters, resource_type(), checkpoint=checkpoint)):
        # What has something wrong with it is not empty.
        if len(finding.path) == _BELOW_ENTRY and finding.rule != "required":
            not_empty.add(finding.path[:-1])
        # A slip of the one name that is needed is reported with that name.
        names_target = names_target or _suggests_target(finding)
        yield finding
    for finding in judge(parameters, checkpoint=checkpoint):
        if finding.rule == "some-output" and finding.path in not_empty:
            continue
        if finding.rule == "one-target" and not finding.path and names_target:
            continue
        yield finding


_BELOW_ENTRY = len(("distributions", 0, "member"))
"""The length of a path to a member of an entry, which is what may be empty."""


def _suggests_target(finding: Finding) -> bool:
    is_suggestion = finding.rule == "unknown" and finding.message != UNKNOWN
    return is_suggestion and len(finding.path) == 1 and is_meant(str(finding.path[0]), (NAME, TARGET))
