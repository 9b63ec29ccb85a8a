"""cfn-lint's rules: each tells the findings of one check. The only file that knows cfn-lint."""

from functools import cache
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from .catalog import CHECKS
from .diagnostic import Diagnostic
from .template import check

DOCUMENTATION = "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_Distribution.html"

_FOUND: WeakKeyDictionary[Template, list[Diagnostic]] = WeakKeyDictionary()
"""Findings by template, so that it is checked once and not once for each rule."""


class _Rule(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Tells those findings of a template that have this rule's ID, each where it is."""

    source_url = DOCUMENTATION

    def match(self, cfn: Template) -> list[RuleMatch]:
        if cfn not in _FOUND:
            _FOUND[cfn] = check(cfn.template)
        return [RuleMatch(list(one.path), one.message) for one in _FOUND[cfn] if one.id == self.id]


@cache
def rule(id_: str) -> type[CloudFormationLintRule]:
    """The rule class for a check's ID, as cfn-lint wants it."""
    about = CHECKS[id_]
    attributes = {
        "__module__": __name__,
        "id": id_,
        "shortdesc": about.title,
        "description": f"{about.title}, or a distribution configuration fails. Source: {about.source}",
        "tags": ["resources", "imagebuilder", about.rule],
    }
    return type(id_, (_Rule,), attributes)
