"""A template's Rules are evaluated as in CloudFormation."""

from typing import Any

import pytest

from provider.stack_engine.deployment import Deployment
from provider.template.external_values import ExternalValues
from provider.template.template_error import TemplateError
from tests.template.test_template_functions import LOCATION, deployed, ref, template_with

PARAMETERS = {
    "Stage": {"Type": "String", "Default": "dev"},
    "Zones": {"Type": "CommaDelimitedList", "Default": "a,b"},
    "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/stage"},
}


def problems(rule: Any, **given: str) -> list[str]:
    """The messages about a template with one rule, which is named R."""
    try:
        deployed(template_with("x", Parameters=PARAMETERS, Rules={"R": rule}), **given)
    except TemplateError as error:
        return [str(one) for one in error.all]
    return []


def asserting(assertion: Any, **others: Any) -> dict[str, Any]:
    return {"Assertions": [{"Assert": assertion}], **others}


@pytest.mark.parametrize(
    ("assertion", "holds"),
    [
        ({"Fn::Equals": [ref("Stage"), "dev"]}, True),
        ({"Fn::Equals": [ref("AWS::Region"), "us-east-1"]}, False),
        ({"Fn::Not": [{"Fn::Contains": [["dev", "test"], ref("Stage")]}]}, False),
        ({"Fn::Contains": [ref("Zones"), "b"]}, True),
        ({"Fn::Contains": [[1, True], "1"]}, True),
        ({"Fn::Contains": [["true"], True]}, True),
        ({"Fn::EachMemberEquals": [ref("Zones"), "a"]}, False),
        ({"Fn::EachMemberEquals": [["a", "a"], "a"]}, True),
        ({"Fn::EachMemberIn": [ref("Zones"), ["a", "b", "c"]]}, True),
        ({"Fn::EachMemberIn": [["d"], ref("Zones")]}, False),
        ({"Fn::And": [{"Fn::Equals": ["a", "a"]}, {"Fn::Contains": [["a"], "b"]}]}, False),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Contains": [["a"], "a"]}]}, True),
    ],
)
def test_assertions(assertion: Any, holds: bool) -> None:
    """An assertion that is false rejects the template."""
    assert problems(asserting(assertion)) == ([] if holds else ["Rules.R.Assertions[0]: the assertion is false"])


def test_all_false_assertions_are_reported() -> None:
    """Every false assertion is reported at its path, with its description."""
    false = {"Assert": {"Fn::Equals": ["a", "b"]}, "AssertDescription": "a is b"}
    true = {"Assert": {"Fn::Equals": ["a", "a"]}, "AssertDescription": "a is a"}
    assert problems({"Assertions": [false, true, false]}) == [
        "Rules.R.Assertions[0]: the assertion is false: a is b",
        "Rules.R.Assertions[2]: the assertion is false: a is b",
    ]


def test_rule_condition() -> None:
    """The assertions of a rule apply only if its RuleCondition is true."""
    rule = asserting({"Fn::Equals": ["a", "b"]}, RuleCondition={"Fn::Equals": [ref("Stage"), "prod"]})
    assert problems(rule) == []
    assert problems(rule, Stage="prod") == ["Rules.R.Assertions[0]: the assertion is false"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("text", "Rules.R: must be a list of {Assert"),
        ({}, "Rules.R.Assertions: must be a list of {Assert"),
        ({"Assertions": ["text"]}, "Rules.R.Assertions[0]: must be a list of {Assert"),
        (asserting("text"), "Rules.R.Assertions[0].Assert: must be one of Fn::And"),
        (
            asserting({"Fn::Contains": ["a", "b"]}),
            "Assert.Fn::Contains: must be [list of text, text]",
        ),
        (asserting({"Fn::EachMemberIn": [["a"], "b"]}), "Fn::EachMemberIn[1]: must be a list of text"),
        (asserting({"Fn::Equals": [ref("A"), "b"]}), "there is no parameter A; a rule can refer only to parameters"),
    ],
)
def test_mistakes(rule: Any, message: str) -> None:
    """A rule of the wrong form is reported at its path."""
    (found,) = problems(rule)
    assert message in found


@pytest.mark.parametrize(
    ("assertion", "reason"),
    [
        ({"Fn::EachMemberIn": [["a"], {"Fn::RefAll": "AWS::EC2::VPC::Id"}]}, "Fn::RefAll returns values"),
        ({"Fn::Equals": [{"Fn::ValueOf": ["Stage", "Tags.x"]}, "b"]}, "Fn::ValueOf returns values"),
        ({"Fn::Equals": [ref("Stored"), "prod"]}, "it depends on an SSM parameter whose value is unknown"),
    ],
)
def test_rules_that_cannot_be_evaluated(assertion: Any, reason: str) -> None:
    """A rule that depends on a value that only AWS knows is noted, not reported as false."""
    deployment = deployed(template_with("x", Parameters=PARAMETERS, Rules={"R": asserting(assertion)}))
    assert [note for note in deployment.notes if note.startswith(f"rule R is not evaluated: {reason}")]


def test_known_values_of_ssm_parameters() -> None:
    """A rule is evaluated with the values of SSM parameters that are given."""
    rule = asserting({"Fn::Equals": [ref("Stored"), "prod"]})
    template = template_with("x", Parameters=PARAMETERS, Rules={"R": rule})
    known = ExternalValues(references={"ssm:/stage": "prod"})
    assert not [note for note in Deployment(template, {}, LOCATION, {}, external=known).notes if "rule" in note]
    with pytest.raises(TemplateError, match="the assertion is false"):
        Deployment(template, {}, LOCATION, {}, external=ExternalValues(references={"ssm:/stage": "dev"}))
