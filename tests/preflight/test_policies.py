"""Policies are evaluated as IAM does, as far as conditions are known."""

from typing import Any

import pytest

from provider.preflight.policies import Decision, Principal, condition_keys, decide

ROLE = Principal("123456789012", "arn:aws:iam::123456789012:role/builder")
KEYS = {"kms:viaservice": "ec2.eu-west-1.amazonaws.com", "kms:grantisforawsresource": "true"}


def statement(**members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", **members}


def decision(*statements: Any, principal: Principal = ROLE) -> Decision:
    return decide({"Statement": list(statements)}, principal, "kms:Decrypt", KEYS)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": "123456789012"},
        {"AWS": "arn:aws:iam::123456789012:root"},
        {"AWS": ["arn:aws:iam::210987654321:root", "arn:aws:iam::123456789012:role/builder"]},
    ],
)
def test_principals(principal: Any) -> None:
    """A role is allowed by its ARN, by its account, and by everybody."""
    assert decision(statement(Principal=principal)) is Decision.ALLOWED


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "arn:aws:iam::210987654321:root"},
        {"AWS": "arn:aws:iam::123456789012:role/other"},
        {"Service": "ec2.amazonaws.com"},
        {},
    ],
)
def test_other_principals(principal: Any) -> None:
    """A statement for others allows nothing."""
    assert decision(statement(Principal=principal)) is Decision.DENIED


def test_any_principal_of_an_account() -> None:
    """An account without a role is allowed by any of its principals."""
    policy = statement(Principal={"AWS": "arn:aws:iam::210987654321:role/any"})
    assert decision(policy, principal=Principal("210987654321")) is Decision.ALLOWED
    assert decision(policy, principal=Principal("111111111111")) is Decision.DENIED


def test_services() -> None:
    """A service is allowed by its own name only."""
    policy = statement(Principal={"Service": ["vmie.amazonaws.com"]})
    assert decision(policy, principal=Principal(service="vmie.amazonaws.com")) is Decision.ALLOWED
    assert decision(policy, principal=Principal(service="ec2.amazonaws.com")) is Decision.DENIED
    account = statement(Principal={"AWS": "123456789012"})
    assert decision(account, principal=Principal(service="vmie.amazonaws.com")) is Decision.DENIED


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Action": "kms:*"}, Decision.ALLOWED),
        ({"Action": ["KMS:decrypt"]}, Decision.ALLOWED),
        ({"Action": "kms:Encrypt"}, Decision.DENIED),
        ({"NotAction": "kms:Delete*"}, Decision.ALLOWED),
        ({"NotAction": "kms:D*"}, Decision.DENIED),
    ],
)
def test_actions(members: dict[str, Any], expected: Decision) -> None:
    """Actions match with wildcards and in any letter case; NotAction matches all others."""
    policy = statement(**members)
    if "NotAction" in members:
        del policy["Action"]
    assert decision(policy) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}}, Decision.ALLOWED),
        ({"StringLike": {"kms:ViaService": ["rds.*", "ec2.*.amazonaws.com"]}}, Decision.ALLOWED),
        ({"ForAnyValue:StringEqualsIfExists": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}}, Decision.ALLOWED),
        ({"StringNotEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}}, Decision.DENIED),
        ({"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}, Decision.DENIED),
        ({"Bool": {"kms:GrantIsForAWSResource": True}}, Decision.ALLOWED),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}, Decision.CONDITIONAL),
        ({"DateLessThan": {"kms:ViaService": "2026-01-01"}}, Decision.CONDITIONAL),
        (
            {"Bool": {"kms:GrantIsForAWSResource": "false"}, "StringEquals": {"aws:PrincipalOrgID": "o-x"}},
            Decision.DENIED,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], expected: Decision) -> None:
    """Known keys decide; an unknown key or operator makes the result conditional, unless a known one decides alone."""
    assert decision(statement(Condition=condition)) is expected


def test_deny_wins() -> None:
    """A Deny that applies overrides every Allow; one that may apply makes the result conditional."""
    unknown = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}
    assert decision(statement(), statement(Effect="Deny")) is Decision.DENIED
    assert decision(statement(), statement(Effect="Deny", Condition=unknown)) is Decision.CONDITIONAL
    assert decision(statement(), statement(Effect="Deny", Action="kms:Encrypt")) is Decision.ALLOWED
    assert decision(statement(), statement(Condition=unknown)) is Decision.ALLOWED


def test_all_but_a_principal() -> None:
    """NotPrincipal is not evaluated, so the result is conditional."""
    policy = {"Effect": "Allow", "NotPrincipal": {"AWS": "210987654321"}, "Action": "*"}
    assert decision(policy) is Decision.CONDITIONAL


def test_a_policy_without_statements() -> None:
    """A policy without statements allows nothing; a single statement needs no list."""
    assert decide({}, ROLE, "kms:Decrypt", KEYS) is Decision.DENIED
    assert decide({"Statement": statement()}, ROLE, "kms:Decrypt", KEYS) is Decision.ALLOWED


def test_condition_keys() -> None:
    """The condition keys of a policy are listed as written, each once."""
    conditions = [{"Bool": {"aws:B": "true"}}, {"StringEquals": {"aws:A": "x", "aws:B": "y"}}]
    assert condition_keys({"Statement": [statement(Condition=one) for one in conditions]}) == ["aws:A", "aws:B"]
