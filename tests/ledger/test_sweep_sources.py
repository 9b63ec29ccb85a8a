"""What sweeps do with account sources that grow too much, cannot be read in time, or do not count."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from provider.handler import SWEEP, respond
from provider.ledger.store import Store
from tests.ledger.bodies import USER_IDS
from tests.ledger.test_ledger_requests import GOLDEN, overwrite, part, swept, users
from tests.sources.conftest import Script, point_to
from tests.stack import ARN, Resource, ami

SOURCE = {"Parameter": "/images/accounts"}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """SSM as a test scripts it: at first, a parameter has ten account IDs."""
    with Script(respond=parameter(range(10))) as running:
        point_to(running.url, monkeypatch)
        yield running


@pytest.fixture
def resource(script: Script, recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


def ids(numbers: range) -> list[str]:
    """Return account IDs."""
    return [f"{number:012}" for number in numbers]


def parameter(numbers: range) -> Any:
    """Return what responds with a parameter of account IDs."""
    return lambda _operation, _parameters: {"Parameter": {"Type": "StringList", "Value": ",".join(ids(numbers))}}


def properties(name: str = "golden", source: Mapping[str, Any] = SOURCE, **members: Any) -> dict[str, Any]:
    """Return properties whose target accounts are those of a source."""
    return {"Name": name, "Distributions": [ami(TargetAccountIds=[source], **members)]}


def targets(resource: Resource, arn: str = GOLDEN) -> list[str]:
    """Return the live target accounts."""
    (entry,) = resource.emulator.configurations[arn]["distributions"]
    found: list[str] = entry["amiDistributionConfiguration"]["targetAccountIds"]
    return found


def test_held_removals_do_not_overwrite_drift(
    resource: Resource, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """If a source has only lost accounts that are held, nothing new is written, and drift is only reported."""
    resource.create(**properties())
    overwrite(distributions=resource.live["distributions"], description="by hand")
    script.respond = parameter(range(1))
    for _ in range(2):
        assert [line["result"] for line in swept(resource, capsys)] == ["drifted"]
    assert resource.live["description"] == "by hand"
    assert targets(resource) == ids(range(10))


def test_too_many_accounts_keep_the_last_list(
    resource: Resource, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the accounts of a source do not fit anymore, the last list stays, and other parts are merged."""
    owner: dict[str, Any] = {
        "Name": "golden",
        "Contributions": [USER_IDS],
        "Distributions": [ami(TargetAccountIds=[SOURCE])],
    }
    resource.create(**owner)
    script.respond = parameter(range(1_600))
    (line,) = swept(resource, capsys)
    assert line["result"] == "failed"
    assert "would have 1600 entries, and Image Builder allows 1536" in line["problem"]
    assert targets(resource) == ids(range(10))
    assert part(resource, "a").create(**users("111111111111")).status == "SUCCESS"
    script.respond = parameter(range(12))
    assert [line["result"] for line in swept(resource, capsys)] == ["combined"]
    assert targets(resource) == ids(range(12))


def test_rejected_accounts_keep_the_last_list(
    resource: Resource, script: Script, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    """If Image Builder rejects the new accounts of a source, the last list stays, and each sweep tries again."""
    resource.create(**properties())
    script.respond = parameter(range(12))
    resource.emulator.fail_with("UpdateDistributionConfiguration", "InvalidParameterValueException", 400, "no", times=9)
    assert [line["result"] for line in swept(resource, capsys)] == ["failed"]
    resource.emulator.reset_faults()
    (owner,) = store.parts(GOLDEN)
    body = owner.accepted_body()
    assert body is not None
    assert [*body.resolved.values()] == [ids(range(10))]
    assert [line["result"] for line in swept(resource, capsys)] == ["combined"]
    assert targets(resource) == ids(range(12))
    assert resource.calls().count("Update") == 2


@pytest.mark.parametrize("answer", ["ThrottlingException", 500])
def test_a_rollback_does_not_wait_too_long_for_a_source(resource: Resource, script: Script, answer: str | int) -> None:
    """While a source's service throttles or fails, a rollback still has time to write the recorded accounts."""
    resource.create(**properties())
    resource.update(**properties(Description="second"))
    script.respond = lambda _operation, _parameters: answer
    assert resource.update(**properties(Description="third")).status == "FAILED"
    rolled_back = resource.update(**properties())
    assert (rolled_back.status, rolled_back.reason) == ("SUCCESS", "")
    assert "description" not in resource.live["distributions"][0]["amiDistributionConfiguration"]


def test_only_the_last_two_bodies_are_a_rollback(resource: Resource, script: Script) -> None:
    """The recorded accounts count for the accepted properties and the ones before them, and not for earlier ones."""
    resource.create(**properties())
    plain: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}
    resource.update(**plain)
    resource.update(**plain, Description="third")
    script.respond = lambda _operation, _parameters: "ParameterNotFound"
    response = resource.update(**properties())
    assert response.status == "FAILED"
    assert "could not be resolved" in response.reason


def test_sources_that_do_not_count_are_not_read(
    resource: Resource, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sources of an owner whose configuration another resource has adopted are not resolved."""
    resource.create(**properties())
    adopter = resource.sibling("Adopter")
    assert adopter.create(DistributionConfigurationArn=GOLDEN, Distributions=[ami()]).status == "SUCCESS"
    script.respond = lambda _operation, _parameters: "ParameterNotFound"
    assert [line["result"] for line in swept(resource, capsys)] == ["unchanged"]


def test_sources_are_read_while_time_remains(
    resource: Resource, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """Configurations whose sources a sweep had no time to read are no failures, and the next sweep starts with them."""
    names = [f"golden-{number}" for number in range(4)]
    for name in names:
        resource.sibling(name).create(**properties(name, {"Parameter": f"/images/{name}"}))
    read: list[str] = []

    def slow(_operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        read.append(parameters["Name"].removeprefix("/images/"))
        resource.clock.sleep(15)
        return dict(parameter(range(11))("", {}))

    script.respond = slow
    for _ in range(3):
        assert "failed" not in {line["result"] for line in swept(resource, capsys)}
    assert set(read) == set(names)
    assert all(targets(resource, f"{ARN}{name}") == ids(range(11)) for name in names)


def test_a_removal_that_is_held_is_logged_with_each_source(
    resource: Resource, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    """Held removals are reported for each configuration, even if it could not be written."""
    resource.create(**properties())
    script.respond = parameter(range(1))
    resource.emulator.fail_with("GetDistributionConfiguration", "AccessDeniedException", 403, "denied", times=9)
    swept(resource, capsys)
    resource.emulator.reset_faults()
    respond(SWEEP, resource.context, resource.clock)
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["arn"] for line in lines if line["message"] == "removals held"] == [GOLDEN]
