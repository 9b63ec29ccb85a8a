"""Account sources of recorded resources: followed by sweeps, and kept while they cannot be read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from provider.handler import SWEEP, respond
from provider.ledger.entry import MAX_REMOVALS
from tests.ledger.bodies import USER_IDS
from tests.ledger.test_ledger_requests import GOLDEN, overwrite, part, swept, users
from tests.preflight.account import Account
from tests.sources.conftest import HOME, point_to
from tests.stack import Resource, ami

NAME = "/images/accounts"
SOURCE = {"Parameter": NAME}


@pytest.fixture(scope="module")
def running() -> Iterator[Account]:
    """One server for all tests."""
    with Account() as account:
        yield account


@pytest.fixture
def account(running: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account with a parameter of ten account IDs."""
    running.reset()
    point_to(running.url, monkeypatch)
    put(running, range(10))
    return running


@pytest.fixture
def resource(account: Account, recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


def ids(numbers: range) -> list[str]:
    """Return account IDs."""
    return [f"{number:012}" for number in numbers]


def put(account: Account, numbers: range) -> None:
    """Write the parameter."""
    value = ",".join(ids(numbers))
    account.call("ssm", "put_parameter", HOME, Name=NAME, Value=value, Type="StringList", Overwrite=True)


def properties(**members: Any) -> dict[str, Any]:
    """Return properties whose target accounts are those of the parameter."""
    return {"Name": "golden", "Distributions": [ami(TargetAccountIds=[SOURCE], **members)]}


def targets(resource: Resource) -> list[str]:
    """Return the live target accounts."""
    (entry,) = resource.emulator.configurations[GOLDEN]["distributions"]
    found: list[str] = entry["amiDistributionConfiguration"]["targetAccountIds"]
    return found


def results(resource: Resource, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the results of a sweep."""
    return [line["result"] for line in swept(resource, capsys)]


def test_sources_are_resolved_and_followed(
    resource: Resource, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment resolves sources without a warning, and a sweep applies what they contain now, which is no drift."""
    response = resource.create(**properties())
    assert (response.status, response.reason, targets(resource)) == ("SUCCESS", "", ids(range(10)))
    assert "resolved only" not in capsys.readouterr().out
    assert results(resource, capsys) == ["unchanged"]
    put(account, range(2, 12))
    resource.clock.sleep(2 * 86_400)  # the digests of earlier writes have expired
    assert results(resource, capsys) == ["combined"]
    assert targets(resource) == ids(range(2, 12))
    assert results(resource, capsys) == ["unchanged"]


def test_new_accounts_overwrite_drift(resource: Resource, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep that applies new accounts replaces the whole content, and reports the drift that it overwrites."""
    resource.create(**properties())
    overwrite(distributions=resource.live["distributions"], description="by hand")
    put(account, range(11))
    (line,) = swept(resource, capsys)
    assert (line["message"], line["result"]) == ("drift", "combined")
    assert targets(resource) == ids(range(11))
    assert "description" not in resource.live


def test_an_unreadable_source_keeps_its_accounts(
    resource: Resource, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """If a sweep cannot resolve a source, the last accounts stay, and the result is a failure."""
    resource.create(**properties())
    account.call("ssm", "delete_parameter", HOME, Name=NAME)
    (line,) = swept(resource, capsys)
    assert line["result"] == "failed"
    assert f"Parameter {NAME} could not be resolved" in line["problem"]
    assert targets(resource) == ids(range(10))


def test_large_removals_are_held_until_a_deployment(
    resource: Resource, account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep holds a large removal and applies additions. A deployment confirms it; a rollback does not."""
    monkeypatch.setenv(MAX_REMOVALS, "20")
    resource.create(**properties())
    resource.update(**properties(Description="second"))
    put(account, range(8, 12))
    capsys.readouterr()
    assert results(resource, capsys) == ["combined"]
    assert targets(resource) == ids(range(12))
    assert results(resource, capsys) == ["unchanged"]
    assert resource.update(**properties()).status == "SUCCESS"  # as a rollback does
    assert targets(resource) == ids(range(12))
    assert resource.update(**properties(Description="third")).status == "SUCCESS"
    assert targets(resource) == ids(range(8, 12))


def test_held_removals_are_reported(resource: Resource, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Each sweep reports held removals, for the alarm, with the command that confirms them."""
    resource.create(**properties())
    put(account, range(1))
    swept(resource, capsys)
    respond(SWEEP, resource.context, resource.clock)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = (one for one in lines if one["message"] == "removals held")
    assert (line["level"], line["arn"]) == ("WARNING", GOLDEN)
    assert f"owners {GOLDEN} --confirm-removals" in line["remediation"]
    assert [*line["accounts"].values()] == [ids(range(1, 10))]


def test_a_rollback_uses_the_recorded_accounts(resource: Resource, account: Account) -> None:
    """Without the source, an Update to the previous properties uses the recorded accounts; any other fails."""
    resource.create(**properties())
    assert resource.update(**properties(Description="second")).status == "SUCCESS"
    account.call("ssm", "delete_parameter", HOME, Name=NAME)
    failed = resource.update(**properties(Description="third"))
    assert failed.status == "FAILED"
    assert "could not be resolved" in failed.reason
    rolled_back = resource.update(**properties())
    assert (rolled_back.status, rolled_back.reason) == ("SUCCESS", "")
    assert targets(resource) == ids(range(10))
    assert "description" not in resource.live["distributions"][0]["amiDistributionConfiguration"]


def test_an_unresolvable_create_fails(resource: Resource, account: Account) -> None:
    """A Create with a source that cannot be resolved fails, and records and creates nothing."""
    account.call("ssm", "delete_parameter", HOME, Name=NAME)
    failed = resource.create(**properties())
    assert failed.status == "FAILED"
    assert resource.emulator.configurations == {}
    assert resource.send("Delete", properties(), physical_id=failed.physical_id).status == "SUCCESS"


def test_a_contribution_with_a_source(resource: Resource, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The sources of contributions are resolved and followed, too."""
    resource.create(Name="golden", Contributions=[USER_IDS], Distributions=[ami()])
    team = part(resource, "a")
    wanted = users("999999999999")
    wanted["Distributions"][0]["AmiDistributionConfiguration"]["LaunchPermission"]["UserIds"].append(SOURCE)
    response = team.create(**wanted)
    assert (response.status, response.reason) == ("SUCCESS", "")
    put(account, range(11))
    assert results(resource, capsys) == ["combined"]
    (entry,) = resource.emulator.configurations[GOLDEN]["distributions"]
    permission = entry["amiDistributionConfiguration"]["launchPermission"]
    assert sorted(permission["userIds"]) == [*ids(range(11)), "999999999999"]
    assert team.delete().status == "SUCCESS"


def test_a_delete_resolves_nothing(resource: Resource, account: Account) -> None:
    """A Delete does not need the sources."""
    resource.create(**properties())
    account.call("ssm", "delete_parameter", HOME, Name=NAME)
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_a_retry_resolves_nothing_again(resource: Resource, account: Account) -> None:
    """Another delivery of a request that was settled needs no sources."""
    resource.create(**properties())
    account.call("ssm", "delete_parameter", HOME, Name=NAME)
    assert resource.redeliver(resource.sent).status == "SUCCESS"
