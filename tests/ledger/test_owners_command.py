"""`owners` with the records of real requests."""

import json
from typing import Any

import pytest

from tests.cli.commands import command
from tests.ledger.dynamodb import Proxy
from tests.ledger.test_ledger_requests import GOLDEN, USER_IDS, live_users, overwrite, owned, part, template, users
from tests.stack import Resource


@pytest.fixture
def resource(recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


def shown(*options: str) -> dict[str, Any]:
    """Return what `owners` prints for programs."""
    ended = command("owners", GOLDEN, *options, "--format", "json")
    assert ended.status == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_it_shows_who_owns_which_path(resource: Resource) -> None:
    """Each value is shown with all resources that have it, and each part with its state and last request."""
    owned(resource)
    one, two = part(resource, "a"), part(resource, "b")
    one.create(**users("111111111111", "222222222222"))
    two.create(**users("222222222222"))
    ended = command("owners", GOLDEN)
    print(ended.stdout)
    print(json.dumps(shown(), indent=1))
    assert 0
