"""Unfinished configurations in another account."""

import json

import pytest

from provider.aws.roles import ASSUMABLE_ROLES
from provider.emulator.emulator import Trust
from provider.ledger import sweep
from provider.ledger.parts import Body, Event, Revision, propose
from provider.ledger.store import Store
from tests.cli.commands import command
from tests.ledger.test_ledger_requests import part, swept, users
from tests.ledger.test_other_accounts import ROLE, THERE, _no_request_goes_to_the_wrong_place  # noqa: F401
from tests.stack import STACK_ID, Resource, ami


@pytest.fixture
def resource(recorded_resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """An owner in another account and Region whose Create has failed and left an unfinished configuration behind."""
    monkeypatch.setenv(ASSUMABLE_ROLES, ROLE)
    monkeypatch.setattr(sweep, "UNFINISHED_SECONDS", 0.0)
    recorded_resource.emulator.sts.trust = {ROLE: Trust([STACK_ID])}
    recorded_resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=99)
    recorded_resource.emulator.fail_with(
        "DeleteDistributionConfiguration", "InvalidParameterException", 400, "no", times=99
    )
    response = recorded_resource.create(Name="golden", Region="eu-west-1", RoleArn=ROLE, Distributions=[ami()])
    assert response.status == "FAILED"
    recorded_resource.emulator.reset_faults()
    assert THERE in recorded_resource.emulator.configurations
    return recorded_resource


def propose_again(store: Store, end: float) -> None:
    """Record a proposal of the owner, whose request ends at this time."""
    (part,) = store.parts(THERE)
    event = Event(part.owner, Revision(part.revision.date + 1, "again"), "Update", end, is_owner=True)
    assert store.put(part, propose(part, THERE, event, Body({}, role=ROLE)))


def test_a_sweep_deletes_it(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep deletes it with the role of the owner's last request."""
    assert [line["result"] for line in swept(resource, capsys)] == ["deleted"]
    assert THERE not in resource.emulator.configurations


def test_the_command_deletes_it(resource: Resource, store: Store) -> None:
    """`drift --repair` deletes it, too, if its Create was killed."""
    propose_again(store, end=0.0)
    ended = command("drift", "--repair", "--region", "us-east-1", "--account", "123456789012", "--format", "json")
    assert [one["result"] for one in json.loads(ended.stdout)["configurations"]] == ["deleted"], ended.stdout
    assert THERE not in resource.emulator.configurations


def test_what_was_never_created_is_not_read(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep does not read a configuration of which only withdrawn or rejected parts are recorded."""
    assert part(resource, "a").create(**users("111111111111", arn=f"{THERE}-2")).status == "FAILED"
    resource.physical_id = "invented"
    assert resource.delete(Name="golden", Region="eu-west-1", RoleArn=ROLE).status == "SUCCESS"
    assert THERE not in resource.emulator.configurations
    resource.calls()
    assert [line["result"] for line in swept(resource, capsys)] == ["unchanged"] * 2
    assert resource.calls() == []


def test_a_request_may_still_finish_it(resource: Resource, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep does not delete it while a request of its owner is waiting."""
    propose_again(store, end=resource.clock.time() + 60)
    assert [line["result"] for line in swept(resource, capsys)] == ["unchanged"]
    assert THERE in resource.emulator.configurations
