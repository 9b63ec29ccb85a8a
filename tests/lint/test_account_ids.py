"""Account IDs without quotes are reported at their line if the provider's resources use them."""

import pytest

from provider.lint.account_ids import check_account_ids
from provider.template.reader import read_text

TEMPLATE = """\
Resources:
  Images:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      Name: golden
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration:
            TargetAccountIds: [{}]
"""


def found(text: str) -> list[str]:
    return [one.message for one in check_account_ids(read_text(text))]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("012345678901", "CloudFormation can read it as a number"),
        ("098765432109", "CloudFormation can read it as a number"),
        ("012345670123", "it is an octal number"),
        ("000000000000", "it is an octal number"),
    ],
)
def test_ids_that_begin_with_zero(value: str, problem: str) -> None:
    """An ID that begins with zero needs quotes, whatever its other digits are."""
    (message,) = found(TEMPLATE.format(value))
    assert message == (
        "Distributions[0].AmiDistributionConfiguration.TargetAccountIds[0]: an account ID that begins with zero needs "
        f'quotes, "{value}"; without them, {problem}'
    )


@pytest.mark.parametrize(
    "value",
    [
        '"012345678901"',
        "'012345670123'",
        "!!str 012345678901",
        "123456789012",
        "01234567890",
        "0123456789012",
        "!Ref A",
    ],
)
def test_other_values_are_valid(value: str) -> None:
    """A value with quotes or a tag, without a leading zero, or of another length is not reported."""
    assert found(TEMPLATE.format(value)) == []


def test_a_file_with_only_properties() -> None:
    """The properties of a resource without a template are checked, too."""
    text = (
        "Name: golden\nDistributions: [{Region: us-east-1, LaunchTemplateConfigurations: [{AccountId: 012345678901}]}]"
    )
    assert len(found(text)) == 1


@pytest.mark.parametrize("text", ["", "[012345678901]", "012345678901", "Resources: [012345678901]", "Mappings: 1"])
def test_what_is_no_template(text: str) -> None:
    """A text that is not a template has no findings, and raises nothing."""
    assert found(text) == []


def test_templates_without_our_resources() -> None:
    """The account IDs of a template without the provider's resources are not reported."""
    other = TEMPLATE.replace("Custom::ImageBuilderDistributionConfiguration", "AWS::SNS::Topic")
    conditions = "Conditions: {C: !Equals [!Ref AWS::AccountId, 012345678901]}\n"
    assert found(conditions + other.format("012345678901")) == []
    assert len(found(conditions + TEMPLATE.format("!Ref A"))) == 1
