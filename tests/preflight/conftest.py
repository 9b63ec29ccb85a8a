"""What tests of preflight share: an account, and a way to run one check in it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from provider.arn import Location
from provider.preflight.checks import CHECKS
from provider.preflight.interface import Context, Result
from provider.preflight.reader import CachingReader
from provider.preflight.run import run
from provider.resources import resource_type
from provider.schema.model import ROLE
from tests.cli.plans import TOKEN
from tests.preflight.account import ACCOUNT, Account, session
from tests.stack import STACK_ID

CONTEXT = Context(
    Location("aws", "us-east-1", ACCOUNT, True),
    f"arn:aws:imagebuilder:us-east-1:{ACCOUNT}:distribution-configuration/images",
    TOKEN,
    STACK_ID,
)
RunCheck = Callable[[str, Any], list[Result]]


@pytest.fixture(scope="module")
def running() -> Iterator[Account]:
    """One server for the tests of a module."""
    with Account() as account:
        yield account


@pytest.fixture
def account(running: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An empty account, to which botocore's standard environment leads."""
    running.reset()
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    return running


@pytest.fixture
def run_check(account: Account) -> RunCheck:
    """Runs one check of a distribution in eu-west-1, given by the API's names. It may make only the row's calls."""

    def results(check_id: str, distribution: Any) -> list[Result]:
        (check,) = (one for one in CHECKS if one.id == check_id)
        # Each check but that of the role is about a distribution.
        role = {name: distribution[name] for name in distribution if name == ROLE}
        parameters = {**role, "distributions": [{"region": "eu-west-1", **distribution}]}
        account.requests.clear()
        with closing(CachingReader(session(), CONTEXT)) as read:
            found = list(run(parameters, resource_type().schema, CONTEXT, read, [check]))
        assert set(account.requests) <= set(check.reads)
        return found

    return results
