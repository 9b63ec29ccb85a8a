"""cfn-lint's rules: each reports the findings of one check. Only this file imports cfn-lint."""

from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from ..template.reader import read
from ..template.template_error import TemplateError
from .account_ids import check_account_ids
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


class _TextRule(_Rule):
    """Reports account IDs without quotes. cfn-lint's values do not have their text, so the file is read again."""

    def match(self, cfn: Template) -> list[RuleMatch]:
        try:
            source = read(Path(cfn.filename).read_bytes())
        except (OSError, TypeError, TemplateError):  # standard input, or text that only cfn-lint can read
            return []
        matches = []
        for one in check_account_ids(source):
            position = source.position(one.path)
            start = position.line - 1, position.column - 1
            location = (*start, start[0], start[1] + position.width)
            matches.append(RuleMatch(list(one.path), one.message, location=location))
        return matches


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
    return type(id_, (_TextRule if row.rule == "account-id" else _Rule,), attributes)
