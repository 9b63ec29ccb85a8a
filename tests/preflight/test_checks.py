"""Each check passes, is violated, is not permitted, and does not apply, against a loopback account."""

import pytest

from provider.preflight.checks import CHECKS
from provider.preflight.interface import Check, Status, action_of
from tests.preflight.account import Account
from tests.preflight.cases import CASES
from tests.preflight.conftest import RunCheck

each_check = pytest.mark.parametrize("check", CHECKS, ids=[one.id for one in CHECKS])
DENIALS = {"s3": "403", "ec2": "UnauthorizedOperation", "iam": "AccessDenied", "imagebuilder": "ForbiddenException"}


def test_each_check_has_a_case() -> None:
    """Each row has its four tests."""
    assert CASES.keys() == {check.id for check in CHECKS}


@each_check
def test_pass(check: Check, account: Account, run_check: RunCheck) -> None:
    """If what the check requires is there, it passes without a remediation."""
    (result,) = run_check(check.id, CASES[check.id].passing(account))
    assert (result.outcome.status, result.outcome.remediation) == (Status.PASS, ""), result


@each_check
def test_violation(check: Check, account: Account, run_check: RunCheck) -> None:
    """If what the check requires is missing, its status is that of the row, with the row's remediation."""
    (result,) = run_check(check.id, CASES[check.id].violating(account))
    assert (result.outcome.status, result.outcome.remediation) == (check.violation, check.remediation), result


@each_check
def test_not_permitted(check: Check, account: Account, run_check: RunCheck) -> None:
    """If a call is denied, the check is not checkable, and names the missing IAM action."""
    case = CASES[check.id]
    distribution = case.passing(account)
    case.hinder(account)
    account.refuse(case.denied, DENIALS.get(case.denied.partition(":")[0], "AccessDeniedException"))
    (result,) = run_check(check.id, distribution)
    assert (result.outcome.status, result.action) == (Status.NOT_CHECKABLE, action_of(case.denied)), result
    assert result.action in result.outcome.remediation


@each_check
def test_not_applicable(check: Check, account: Account, run_check: RunCheck) -> None:
    """If a distribution does not need what the check requires, there is no result."""
    assert run_check(check.id, CASES[check.id].unrelated) == []
