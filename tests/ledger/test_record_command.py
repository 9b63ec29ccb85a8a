"""`record`: existing configurations get records before their next update."""

import json
from typing import Any

import pytest

from provider.handler import LEDGER_TABLE
from provider.resources.ownership import STACK_TAG
from tests.cli.commands import Ended, command
from tests.ledger.bodies import USER_IDS
from tests.ledger.dynamodb import Proxy, create_table
from tests.ledger.test_ledger_requests import GOLDEN, live_users, overwrite, part, users
from tests.stack import ARN, Resource, ami

OTHER = f"{ARN}other"


@pytest.fixture
def resource(recorded_resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """A configuration resource that was created without the ledger, which its provider has now."""
    with monkeypatch.context() as before:
        before.delenv(LEDGER_TABLE)
        assert recorded_resource.create(Name="golden", Distributions=[ami()]).status == "SUCCESS"
    recorded_resource.clock.sleep(10)
    return recorded_resource


def recorded(ended: Ended) -> dict[str, Any]:
    """Return why configurations were not recorded, by ARN; None for those that were."""
    assert ended.status == 0, ended.stderr
    return {one["arn"]: one["reason"] for one in json.loads(ended.stdout)["configurations"]}


def record(*arguments: str) -> dict[str, Any]:
    """Record configurations."""
    return recorded(command("record", *arguments, "--yes", "--format", "json"))


def test_existing_owners_are_recorded(resource: Resource) -> None:
    """Existing configurations with ownership tags are recorded as they are, so that drift is found in them."""
    before = resource.live
    assert record() == {GOLDEN: None}
    assert resource.live == before
    (owner,) = json.loads(command("owners", GOLDEN, "--format", "json").stdout)["parts"]
    assert (owner["stackId"], owner["logicalId"], owner["status"]) == (resource.stack_id, "Golden", "accepted")
    overwrite(distributions=before["distributions"], description="by hand")
    assert command("drift").status == 4


def test_the_owners_next_update_succeeds(resource: Resource) -> None:
    """The record is older than the owner's next request."""
    record()
    assert resource.update(Name="golden", Distributions=[ami(Description="new")]).status == "SUCCESS"
    assert resource.live["distributions"][0]["amiDistributionConfiguration"]["description"] == "new"
    assert resource.delete().status == "SUCCESS"


def test_contributions_are_accepted_before_the_next_update(resource: Resource) -> None:
    """With --contributions, parts of others are accepted; the owner's next update must allow them, too."""
    team = part(resource, "a")
    record()
    assert team.create(**users("111111111111")).status == "FAILED"
    command("owners", GOLDEN, "--release", "--yes")
    assert record("--contributions", USER_IDS) == {GOLDEN: None}
    assert resource.live["tags"][STACK_TAG] == f"{resource.stack_id} shared"
    assert team.create(**users("111111111111")).status == "SUCCESS"
    resource.clock.sleep(10)
    response = resource.update(Name="golden", Distributions=[ami(Description="new")])
    assert "other resources have parts that this would no longer allow" in response.reason
    assert resource.update(Name="golden", Distributions=[ami()], Contributions=[USER_IDS]).status == "SUCCESS"
    assert live_users(resource) == ["111111111111"]


def test_what_cannot_be_recorded(resource: Resource) -> None:
    """Configurations without an owner, adopted ones, and recorded ones are skipped with the reason."""
    record()
    resource.emulator.seed(name="other", distributions=[])
    assert record() == {
        GOLDEN: "an owner is already recorded",
        OTHER: "it has no ownership tags; an adopter is recorded at its next update",
    }
    elsewhere = GOLDEN.replace("123456789012", "210987654321")
    assert "it is in another account" in record(elsewhere)[elsewhere]
    assert record(f"{ARN}none") == {f"{ARN}none": "the configuration does not exist"}
    assert "not recorded: an owner is already recorded" in command("record").stdout


def test_a_shared_configuration_without_records_is_not_recorded(
    resource: Resource, monkeypatch: pytest.MonkeyPatch, proxy: Proxy, table_name: str
) -> None:
    """If the parts of a shared configuration are in another table, its owner is not recorded."""
    resource.update(Name="golden", Distributions=[ami()], Contributions=[USER_IDS])
    create_table(proxy.url, f"{table_name}-empty")
    reason = record("--table", f"{table_name}-empty")[GOLDEN]
    assert "is shared with other stacks, but this provider has no record" in reason


def test_a_released_configuration_is_not_recorded(
    resource: Resource, monkeypatch: pytest.MonkeyPatch, table_name: str
) -> None:
    """Of a configuration that another resource has adopted, the previous owner is not recorded."""
    monkeypatch.delenv(LEDGER_TABLE)
    adopter = resource.sibling("Adopter")
    assert adopter.create(DistributionConfigurationArn=GOLDEN, Distributions=[ami()]).status == "SUCCESS"
    reason = record("--table", table_name)[GOLDEN]
    assert reason == "it is released; an owner is recorded at its next update"


def test_a_failure_does_not_stop_the_others(resource: Resource, proxy: Proxy) -> None:
    """If a configuration cannot be recorded, the others are, and the exit status is 1."""
    resource.sibling("Other").create(Name="other", Distributions=[ami()])
    command("owners", OTHER, "--release", "--yes")

    def fail(operation: str, parameters: dict[str, Any]) -> str | None:
        is_golden = parameters.get("Key", {}).get("pk", {}).get("S") == f"lease#{GOLDEN}"
        return "AccessDeniedException" if operation == "UpdateItem" and is_golden else None

    proxy.fail = fail
    ended = command("record", "--yes", "--format", "json")
    assert ended.status == 1
    found = {one["arn"]: one for one in json.loads(ended.stdout)["configurations"]}
    assert "AccessDeniedException" in found[GOLDEN]["reason"]
    assert found[OTHER]["recorded"]


def test_nothing_is_recorded_without_confirmation(resource: Resource) -> None:
    """Without --yes, the owners are shown and a question is asked."""
    ended = command("record", stdin="n\n")
    assert ended.status == 1
    assert f"{GOLDEN}: Golden of {resource.stack_id}" in ended.stderr
    assert "is not recorded" in command("owners", GOLDEN).stderr
    assert command("record", stdin="y\n").stdout == f"{GOLDEN}: recorded, owned by Golden of {resource.stack_id}\n"


def test_a_path_that_names_no_property(resource: Resource) -> None:
    """A path that names no property is a mistake in the command."""
    ended = command("record", "--contributions", "Distribution", "--yes")
    assert ended.status == 2
    assert "no such property: Distribution; did you mean Distributions?" in ended.stderr
