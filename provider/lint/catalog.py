"""The IDs of findings: one for each check, in the range that cfn-lint leaves to other rules.

The letter is the severity, as in cfn-lint. 91xx: names; 92xx: the service model's constraints; 93xx: the service's own
rules, which are rows of `schema.rules`.
"""

from typing import Final, NamedTuple

from ..resources import resource_type
from ..schema.finding import Severity

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_MODEL: Final = "the service model of EC2 Image Builder in botocore"
_CONTRACT: Final = "a rule of this provider"
_REFERENCE: Final = "CloudFormation's template reference"
_PARAMETERS: Final = f"{_REFERENCE} for parameters, and the service model or the service for the value"
_OBSERVED: Final = "observed: the service returns ResourceAlreadyExistsException"


class Check(NamedTuple):
    """A check: the number in its ID, its rule (as in `Finding.rule`), and what it requires."""

    number: int
    rule: str
    title: str
    source: str
    example: str
    severity: Severity = _ERROR

    @property
    def id(self) -> str:
        """The ID: `E9301`."""
        return f"{self.severity.name[0]}{self.number}"


# Numbers never change: users have them in their configuration.
_ROWS: Final = (
    Check(9101, "unknown", "Property names are known", _CONTRACT, "`Descripton: x`"),
    Check(9102, "twice", "Each property is specified once, in one spelling", _CONTRACT, "`Name: x` beside `name: x`"),
    Check(9103, "refused-property", "Properties that the provider sets are omitted", _CONTRACT, "`ClientToken: x`"),
    Check(9104, "resource-type", "The type is the provider's", _CONTRACT, "`Custom::ImageBuilderDistributionConfig`"),
    Check(9105, "function", "Calls of functions are well-formed", _REFERENCE, "`Name: !Foo golden`"),
    Check(9106, "attribute", "Attributes exist", _CONTRACT, "`!GetAtt GoldenImage.ARN`"),
    Check(9201, "required", "Required properties are given", _MODEL, "an entry without `Region`"),
    Check(9202, "type", "Values have the property's type", _MODEL, "`Enabled: maybe`"),
    Check(9203, "minimum", "Values are not below the minimum", _MODEL, "`TargetAccountIds: []`"),
    Check(9204, "maximum", "Values are not above the maximum", _MODEL, "`TargetResourceCount: 10001`"),
    Check(9205, "enum", "Values are allowed by the API", _MODEL, "`DiskImageFormat: vmdk`"),
    Check(9206, "pattern", "Values have the format that the API requires", _MODEL, '`UserIds: ["1234"]`'),
    Check(
        9207,
        "allowed-value",
        "All AllowedValues of a parameter are valid where it is used",
        _PARAMETERS,
        "`vmdk` among the `AllowedValues` of a disk image format",
        _WARNING,
    ),
    Check(
        9208,
        "account-id",
        "Account IDs that begin with zero have quotes",
        "YAML 1.1, and public reports about CloudFormation",
        "`UserIds: [012345678901]`",
        _WARNING,
    ),
    Check(
        9209,
        "variant",
        "A source of accounts is an organizational unit or a parameter",
        _CONTRACT,
        "`Except` beside `Parameter`",
    ),
    Check(9312, "name-once", "Names are unique", _OBSERVED, "`Golden_Image` beside `golden image`"),
    Check(
        9314,
        "target-once",
        "Only one resource adopts a configuration",
        _CONTRACT,
        "one `DistributionConfigurationArn` in two resources",
        _WARNING,
    ),
    *(
        Check(rule.number, rule.id, rule.title, rule.source, rule.example, rule.severity)
        for rule in resource_type().rules
    ),
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
    return f"| ID | requirement | example of a violation |\n|---|---|---|\n{''.join(rows)}"
