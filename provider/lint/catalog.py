"""The IDs of findings: one for each check, in the range that cfn-lint leaves to others' rules.

The letter is the severity, as in all of cfn-lint. 91xx: names; 92xx: the service model's constraints; 93xx: the
service's own rules, which are rows of `schema.rules`.
"""

from typing import Final, NamedTuple

from ..schema.finding import Severity
from ..schema.rules import RULES

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_MODEL: Final = "the service model of EC2 Image Builder in botocore"
_CONTRACT: Final = "the resource's contract"
_REFERENCE: Final = "CloudFormation's template reference"
_PARAMETERS: Final = f"{_REFERENCE} for parameters, and the service model or the service for the value"
_OBSERVED: Final = "observed ResourceAlreadyExistsException"


class Check(NamedTuple):
    """One kind of finding: the number in its ID, the rule that finds it (as `Finding.rule`), and what it requires."""

    number: int
    rule: str
    title: str
    source: str
    severity: Severity
    example: str

    @property
    def id(self) -> str:
        """The ID: `E9301`."""
        return f"{self.severity.name[0]}{self.number}"


# Numbers never change: users write them into their configuration.
_ROWS: Final = (
    Check(9101, "unknown", "Property names are known", _CONTRACT, _ERROR, "`Descripton: x`"),
    Check(
        9102, "twice", "Each property is given once, in one spelling", _CONTRACT, _ERROR, "`Name: x` beside `name: x`"
    ),
    Check(
        9103,
        "refused-property",
        "Properties that the provider sets are not given",
        _CONTRACT,
        _ERROR,
        "`ClientToken: x`",
    ),
    Check(
        9104,
        "resource-type",
        "The resource type is the provider's",
        _CONTRACT,
        _ERROR,
        "`Custom::ImageBuilderDistributionConfig`",
    ),
    Check(9105, "function", "Functions exist and are alone in their place", _REFERENCE, _ERROR, "`Name: !Foo golden`"),
    Check(9106, "attribute", "Attributes exist", _CONTRACT, _ERROR, "`!GetAtt GoldenImage.ARN`"),
    Check(9201, "required", "Required properties are given", _MODEL, _ERROR, "an entry without `Region`"),
    Check(9202, "type", "Values have the property's type", _MODEL, _ERROR, "`Enabled: maybe`"),
    Check(9203, "minimum", "Values are not below the minimum", _MODEL, _ERROR, "`TargetAccountIds: []`"),
    Check(9204, "maximum", "Values are not above the maximum", _MODEL, _ERROR, "`TargetResourceCount: 10001`"),
    Check(9205, "enum", "Values are allowed by the API", _MODEL, _ERROR, "`DiskImageFormat: vmdk`"),
    Check(9206, "pattern", "Values have the form that the API requires", _MODEL, _ERROR, '`UserIds: ["1234"]`'),
    Check(
        9207,
        "allowed-value",
        "A parameter's AllowedValues are valid where it is used",
        _PARAMETERS,
        _WARNING,
        "`vmdk` among the `AllowedValues` of a disk image format",
    ),
    Check(9312, "name-once", "Names are unique", _OBSERVED, _ERROR, "`Golden_Image` beside `golden image`"),
    Check(
        9314,
        "target-once",
        "Each configuration is adopted by one resource only",
        _CONTRACT,
        _WARNING,
        "one `DistributionConfigurationArn` in two resources",
    ),
    *(Check(rule.number, rule.id, rule.title, rule.source, rule.severity, rule.example) for rule in RULES),
)

CHECKS: Final = {check.id: check for check in sorted(_ROWS)}
"""All checks by their IDs, in the order of their numbers."""

_IDS: Final = {check.rule: check.id for check in CHECKS.values()}


def id_of(rule: str) -> str:
    """The ID of a rule's findings."""
    return _IDS[rule]


def table() -> str:
    """All checks as a Markdown table, for docs/linting.md."""
    rows = (f"| `{check.id}` | {check.title} | {check.example} |\n" for check in CHECKS.values())
    return f"| ID | what is required | example of a violation |\n|---|---|---|\n{''.join(rows)}"
