"""The IDs under which findings are told: one for each check, in the range that cfn-lint leaves to others' rules.

The letter is the severity, as everywhere in cfn-lint. 91xx: names; 92xx: the service model's constraints;
93xx: the service's own rules.
"""

from typing import Final, NamedTuple

from provider.properties.finding import Severity
from provider.properties.rules import RULES


class Check(NamedTuple):
    """One kind of finding: its ID, the rule that finds it (as `Finding.rule`), and what it holds a template to."""

    id: str
    rule: str
    title: str
    source: str
    severity: Severity


_MODEL: Final = "the service model of EC2 Image Builder, as botocore has it"
_CONTRACT: Final = "the resource's contract"
_REFERENCE: Final = "CloudFormation's template reference"
_SOURCES: Final = {
    "function": _REFERENCE,
    "allowed-value": f"{_REFERENCE} for parameters; what is refused is the service model's or the service's",
    "name-once": "observed ResourceAlreadyExistsException",
    "target-once": "the resource's contract",
}
_WARNINGS: Final = frozenset({"allowed-value", "target-once"})

# Rows keep their numbers for good: people write them into their configuration.
_ROWS: Final = (
    (9101, "unknown", "Every property is one that the API or the resource knows"),
    (9102, "twice", "A property is given once, in one spelling"),
    (9103, "refused-property", "What the provider sets itself is left to it"),
    (9104, "resource-type", "The resource has the type that the provider answers for"),
    (9105, "function", "A function is one that CloudFormation has, alone in its place"),
    (9106, "attribute", "An attribute is one that the resource has"),
    (9201, "required", "Required properties are there"),
    (9202, "type", "A value has its property's type"),
    (9203, "minimum", "A value is not below its least size"),
    (9204, "maximum", "A value is not above its greatest size"),
    (9205, "enum", "A value is one of those that the API lists"),
    (9206, "pattern", "A value has the form that the API asks for"),
    (9207, "allowed-value", "What a parameter allows is not refused where it is used"),
    (9301, "one-target", "Either Name or DistributionConfigurationArn is given"),
    (9302, "owned-tags", "There is room for the two ownership tags of an owned configuration"),
    (9303, "reserved-tags", "The provider's own tags are left to it"),
    (9304, "some-region", "There is a Region to distribute to"),
    (9305, "region-once", "A Region appears once"),
    (9306, "some-output", "Each Region has something to distribute"),
    (9307, "build-date", "An AMI's name contains the build date"),
    (9308, "all-users", "The only group to share with is all"),
    (9309, "target-account", "An SSM parameter's account is one of its Region's target accounts"),
    (9310, "parallel-launches", "Fast launch takes at least six parallel launches"),
    (9311, "region-name", "A Region's name has the form of one"),
    (9312, "name-once", "Each resource has a Name that is not another's"),
    (9313, "region-slip", "A Region's name is not nearly a known one's"),
    (9314, "target-once", "A configuration is adopted by one resource"),
    (9315, "one-template", "Fast launch names a launch template by its ID or its name"),
    (9316, "deleted-adoption", "An adopted configuration is retained"),
)
_BY_RULE: Final = {rule.id: rule for rule in RULES}


def _check(number: int, rule: str, title: str) -> Check:
    own = Severity.WARNING if rule in _WARNINGS else Severity.ERROR
    severity = _BY_RULE[rule].severity if rule in _BY_RULE else own
    source = _BY_RULE[rule].source if rule in _BY_RULE else _SOURCES.get(rule, _MODEL if number > 9200 else _CONTRACT)
    return Check(f"{severity.name[0]}{number}", rule, title, source, severity)


CHECKS: Final = {check.id: check for check in (_check(*row) for row in _ROWS)}
"""All checks by their IDs, in the order of their numbers."""

_IDS: Final = {check.rule: check.id for check in CHECKS.values()}


def id_of(rule: str) -> str:
    """The ID under which findings of a rule are told."""
    return _IDS[rule]
