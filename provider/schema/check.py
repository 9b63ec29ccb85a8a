"""Expanded properties -> all findings: the same for the handler and for every tool."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from .checkpoint import Checkpoint, paced, proceed
from .expand import UNKNOWN, Expanded, meant
from .finding import Finding, Path
from .model import DISTRIBUTIONS, NAME, TARGET
from .rules import OWN_ACCOUNT, OWN_PARTITION, SOURCED_LISTS, Rule, apply_rules
from .validation import violations


def validate_properties(expanded: Expanded, rules: tuple[Rule, ...]) -> list[Finding]:
    """Check expanded properties: names, the service model's constraints, and the service's own rules."""
    return [*findings(expanded, rules)]


def findings(expanded: Expanded, rules: tuple[Rule, ...], checkpoint: Checkpoint = proceed) -> Iterator[Finding]:
    """Yield the findings of `validate_properties`. A caller that only counts them needs little memory."""
    has_invalid_member: set[Path] = set()
    target_is_misspelled = False
    about_names = paced(expanded.findings, checkpoint)
    for finding in chain(about_names, violations(expanded.checked, expanded.schema, checkpoint=checkpoint)):
        if len(finding.path) == _MEMBER_DEPTH and finding.rule != "required":
            has_invalid_member.add(finding.path[:-1])
        target_is_misspelled = target_is_misspelled or _suggests_target(finding, expanded)
        yield finding
    # Of the rules' findings, these would only repeat one from above.
    repeated = {("some-output", path) for path in has_invalid_member}
    repeated |= {("one-target", ())} if target_is_misspelled else set()
    context: dict[str, Any] = {OWN_ACCOUNT: expanded.account, OWN_PARTITION: expanded.partition}
    if expanded.has_sources:
        context[SOURCED_LISTS] = _sourced_lists(expanded, checkpoint)
    for finding in apply_rules({**expanded.checked, **context}, rules, checkpoint):
        if (finding.rule, finding.path) not in repeated:
            yield finding


def _sourced_lists(expanded: Expanded, checkpoint: Checkpoint) -> list[Path]:
    from .account_sources import sourced_lists  # imported here because only lists with sources need it

    return [path for path, _ in sourced_lists(expanded.checked, expanded.schema, (), checkpoint)]


_MEMBER_DEPTH = len((DISTRIBUTIONS, 0, "member"))
"""The length of the path to a member of a distribution."""


def _suggests_target(finding: Finding, expanded: Expanded) -> bool:
    is_suggestion = finding.rule == "unknown" and finding.message != UNKNOWN
    if not is_suggestion or len(finding.path) != 1:
        return False
    return meant(str(finding.path[0]), expanded.schema, expanded.schema) in (NAME, TARGET)
