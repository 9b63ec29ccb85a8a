"""`drift` with the records of real requests."""

import json
import time
from typing import Any

import pytest

from provider.aws.client import client as api_client
from provider.ledger.store import Store
from tests.cli.commands import Ended, command
from tests.ledger.dynamodb import Proxy
from tests.ledger.test_ledger_requests import GOLDEN, live_users, overwrite, owned, part, users
from tests.stack import ARN, Resource, ami

BY_HAND = {"path": "Description", "recorded": None, "live": "by hand"}


@pytest.fixture
def resource(recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


def results(ended: Ended) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Return the results that `drift` printed for programs, by the configuration's name."""
    whole = json.loads(ended.stdout)
    return {one["arn"].removeprefix(ARN): (one["result"], one["differences"]) for one in whole["configurations"]}


def drift(*arguments: str, status: int) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Return the results of `drift`."""
    ended = command("drift", *arguments, "--format", "json")
    assert ended.status == status, ended.stdout + ended.stderr
    return results(ended)


def change_by_hand(resource: Resource) -> None:
    """Change the description, as another client would."""
    overwrite(distributions=resource.live["distributions"], description="by hand")


def test_no_drift(resource: Resource) -> None:
    """If the live content is what is recorded, the exit status is 0."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    assert drift(GOLDEN, status=0) == {"golden": ("unchanged", [])}
    assert command("drift").stdout == f"unchanged  {GOLDEN}\n"


def test_drift_is_shown_and_only_read(resource: Resource) -> None:
    """Drift is shown with the recorded and the live values, and the exit status is 4; nothing is written."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    change_by_hand(resource)
    resource.calls()
    assert drift(GOLDEN, status=4) == {"golden": ("drifted", [BY_HAND])}
    ended = command("drift")
    assert ended.status == 4
    assert '+ Description: "by hand"' in ended.stdout
    assert set(resource.calls()) == {"Get"}
    assert resource.live["description"] == "by hand"


def test_a_removed_entry_is_one_difference(resource: Resource) -> None:
    """An entry that is missing is shown by its values, without what contains them."""
    owned(resource)
    part(resource, "a").create(**users("111111111111", "222222222222"))
    distributions = resource.live["distributions"]
    distributions[0]["amiDistributionConfiguration"]["launchPermission"]["userIds"].remove("111111111111")
    overwrite(distributions=distributions)
    path = 'Distributions["us-east-1"].AmiDistributionConfiguration.LaunchPermission.UserIds["111111111111"]'
    assert drift(status=4) == {"golden": ("drifted", [{"path": path, "recorded": "111111111111", "live": None}])}


def test_drift_is_repaired(resource: Resource) -> None:
    """--repair overwrites what differs; the parts stay, and the exit status is 0."""
    owned(resource)
    part(resource, "a").create(**users("111111111111"))
    change_by_hand(resource)
    assert drift(GOLDEN, "--repair", status=0) == {"golden": ("repaired", [BY_HAND])}
    assert "description" not in resource.live
    assert live_users(resource) == ["111111111111"]
    assert drift("--repair", status=0) == {"golden": ("unchanged", [])}


def test_a_repair_is_shown_as_what_it_changes(resource: Resource) -> None:
    """People see the difference from the live to the recorded content, which the repair has written."""
    owned(resource)
    change_by_hand(resource)
    assert '- Description: "by hand"' in command("drift", "--repair").stdout


def test_all_recorded_configurations(resource: Resource) -> None:
    """Without an ARN, all recorded configurations are compared, and not those that have been deleted."""
    owned(resource)
    gone, other = resource.sibling("Gone"), resource.sibling("Other")
    gone.create(Name="gone", Distributions=[ami()])
    gone.delete()
    other.create(Name="other", Distributions=[ami()])
    change_by_hand(resource)
    assert drift(status=4) == {"golden": ("drifted", [BY_HAND]), "other": ("unchanged", [])}


def test_a_late_write_of_the_provider_is_no_drift(resource: Resource) -> None:
    """What the provider has written itself is no drift, and it is repaired."""
    owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    late = resource.live["distributions"]
    team.update(**users("222222222222"))
    overwrite(distributions=late)
    result, differences = drift(status=0)["golden"]
    assert (result, len(differences)) == ("late write", 2)
    assert drift("--repair", status=0)["golden"] == ("repaired", [])
    assert live_users(resource) == ["222222222222"]


def test_a_missing_configuration(resource: Resource) -> None:
    """A recorded configuration that does not exist is a failure."""
    owned(resource)
    api_client("imagebuilder", "us-east-1").delete_distribution_configuration(distributionConfigurationArn=GOLDEN)
    assert drift(status=1) == {"golden": ("missing", [])}
    assert drift("--repair", status=1) == {"golden": ("missing", [])}
    assert "missing" in command("drift").stdout


def test_a_configuration_that_cannot_be_read(resource: Resource) -> None:
    """The failure of one configuration does not stop the others."""
    owned(resource)
    resource.sibling("Other").create(Name="other", Distributions=[ami()])
    resource.emulator.fail_with("GetDistributionConfiguration", "AccessDeniedException", 403, "denied")
    ended = command("drift", "--format", "json")
    assert ended.status == 1
    assert {name: result for name, (result, _) in results(ended).items()} == {"golden": "failed", "other": "unchanged"}
    assert "denied" in json.loads(ended.stdout)["configurations"][0]["problem"]


def test_a_configuration_in_another_region(resource: Resource) -> None:
    """The ledger is in the provider's Region, and each configuration in that of its ARN."""
    there = resource.sibling("There")
    arn = there.create(Name="there", Region="eu-west-1", Distributions=[ami()]).physical_id
    assert ":eu-west-1:" in arn
    found = json.loads(command("drift", arn, "--region", "us-east-1", "--format", "json").stdout)
    assert (found["region"], found["configurations"][0]["result"]) == ("us-east-1", "unchanged")
    shown = json.loads(command("owners", arn, "--region", "us-east-1", "--format", "json").stdout)
    assert (shown["exists"], shown["drift"]) == (True, [])


def test_a_configuration_that_is_not_recorded(resource: Resource) -> None:
    """A configuration that is not recorded is an error."""
    owned(resource)
    ended = command("drift", GOLDEN, f"{ARN}other")
    assert ended.status == 1
    assert "not recorded in table" in ended.stderr
    assert f"{ARN}other" in ended.stderr


def test_nothing_is_recorded(resource: Resource) -> None:
    """An empty ledger has no drift."""
    ended = command("drift")
    assert (ended.status, ended.stdout) == (
        0,
        "No configurations are recorded. To record existing ones, use `record`.\n",
    )


@pytest.mark.parametrize("options", [(), ("--repair",)])
def test_it_waits_for_the_lease(resource: Resource, store: Store, proxy: Proxy, options: tuple[str, ...]) -> None:
    """While another holder combines, nothing is compared; the command waits until the lease is free."""
    owned(resource)
    change_by_hand(resource)
    held = store.take(store.lease(GOLDEN), "another", time.time() + 600)
    assert held is not None
    reads = 0

    def release(operation: str, _parameters: dict[str, Any]) -> None:
        nonlocal reads
        reads += operation == "GetItem"
        if operation == "GetItem" and reads == 2:
            store.release(held, is_clean=True)

    proxy.fail = release
    assert drift(*options, status=0 if options else 4)["golden"][1] == [BY_HAND]
    assert reads >= 2


def test_an_unreachable_table(resource: Resource, proxy: Proxy) -> None:
    """If the table cannot be read, the exit status is 2."""
    proxy.fail = lambda _operation, _parameters: "AccessDeniedException"
    ended = command("drift")
    assert ended.status == 2
    assert "the ledger (DynamoDB table" in ended.stderr
