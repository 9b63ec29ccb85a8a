"""cfn-lint's rules: each reports the findings of one check. Only this file imports cfn-lint."""

from functools import cache
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from .catalog import CHECKS
from .diagnostic import Diagnostic
from .template_check import check

DOCUMENTATION = "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Distribution.html"

_FOUND: WeakKeyDictionary[Template, list[Diagnostic]] = WeakKeyDictionary()
"""Findings by template, so that each template is checked once instead of once per rule."""


class _Rule(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Reports the findings of a template that have this rule's ID."""

    source_url = DOCUMENTATION

    def match(self, cfn: Template) -> list[RuleMatch]:
        if cfn not in _FOUND:
            _FOUND[cfn] = check(cfn.template)
        return [RuleMatch(list(one.path), one.message) for one in _FOUND[cfn] if one.id == self.id]


@cache
def rule(id_: str) -> type[CloudFormationLintRule]:
    """The class that cfn-lint needs for a check's ID."""
    row = CHECKS[id_]
    attributes = {
        "__module__": __name__,
        "id": id_,
        "shortdesc": row.title,
        "description": f"{row.title}. Source: {row.source}",
        "tags": ["resources", "imagebuilder", row.rule],
    }
    return type(id_, (_Rule,), attributes)
