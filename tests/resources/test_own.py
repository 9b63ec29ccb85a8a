"""A resource with a Name owns its configuration: it creates, updates, and deletes it."""

from typing import Any

import pytest

from provider.resources.ownership import Owner, State
from provider.schema.rules import OWNERSHIP_TAGS
from tests.stack import ARN, STACK_ID, Resource, ami


def test_create_returns_the_new_arn(resource: Resource) -> None:
    """A Create with a Name creates the configuration and returns its ARN as the physical ID."""
    response = resource.create(Name="My Golden_Image", Description="d", Distributions=[ami()], Tags={"team": "x"})
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}my-golden-image")
    assert resource.live["name"] == "My Golden_Image"
    assert resource.live["description"] == "d"
    assert resource.live["tags"]["team"] == "x"


def test_create_sets_the_ownership_tags(resource: Resource) -> None:
    """An owned configuration has the stack's ID and the logical ID as tags."""
    resource.create(Name="golden", Distributions=[ami()])
    assert resource.live["tags"] == dict(zip(OWNERSHIP_TAGS, (STACK_ID, "Golden"), strict=True))


def test_the_client_token_is_the_request_id(resource: Resource) -> None:
    """The client token of Create and Update is the stack request's ID."""
    resource.create("11111111-0000-4000-8000-000000000000", Name="golden", Distributions=[ami()])
    resource.update("22222222-0000-4000-8000-000000000000", Name="golden", Description="d", Distributions=[ami()])
    tokens = [r.parameters["clientToken"] for r in resource.emulator.requests if "clientToken" in r.parameters]
    assert tokens == ["11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"]


def test_attributes_come_with_every_success(resource: Resource) -> None:
    """A Create, an Update, and an Update without changes return all attributes."""
    names = {"Arn", "DistributionConfigurationArn", "Name", "Regions", "ClientToken", "RequestId", "DateUpdated"}
    regions = [ami(), ami("eu-west-1")]
    first = resource.create("11111111-0000-4000-8000-000000000000", Name="Golden", Distributions=regions)
    changed = resource.update(Name="Golden", Description="d", Distributions=regions)
    unchanged = resource.update(Name="Golden", Description="d", Distributions=regions)
    for response in (first, changed, unchanged):
        assert {name for name, value in response.data.items() if value} == names
    assert first.data["Name"] == "Golden"
    assert first.data["Regions"] == "us-east-1,eu-west-1"
    assert first.data["Arn"] == first.data["DistributionConfigurationArn"] == f"{ARN}golden"
    assert first.data["ClientToken"] == "11111111-0000-4000-8000-000000000000"
    assert first.data["DateUpdated"].startswith("20")


def test_a_repeated_create_returns_the_same(resource: Resource) -> None:
    """A Create that is delivered twice returns the same response and creates one configuration."""
    first = resource.create("11111111-0000-4000-8000-000000000000", Name="golden", Distributions=[ami()])
    second = resource.create("11111111-0000-4000-8000-000000000000", Name="golden", Distributions=[ami()])
    assert first.physical_id == second.physical_id
    assert len(resource.emulator.configurations) == 1


def test_create_continues_with_what_an_earlier_one_left_unfinished(resource: Resource) -> None:
    """A Create that finds an unfinished configuration of its own updates it and returns its ARN."""
    tags = Owner(STACK_ID, "Golden").tags(State.UNFINISHED)
    resource.emulator.seed(name="golden", distributions=[], tags=tags)
    response = resource.create(Name="golden", Description="new", Distributions=[ami()])
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}golden")
    assert resource.live["description"] == "new"
    assert resource.live["tags"] == Owner(STACK_ID, "Golden").tags()


def test_an_existing_name_fails_and_changes_nothing(resource: Resource) -> None:
    """A Create by another owner's name fails, says how to adopt the ARN, and returns no ARN."""
    arn = resource.emulator.seed(name="golden", distributions=[], description="theirs")
    response = resource.create(Name="Golden", Distributions=[ami()])
    assert response.status == "FAILED"
    assert not response.physical_id.startswith("arn:")
    assert f"DistributionConfigurationArn: {arn}" in response.reason
    assert resource.emulator.configurations[arn]["description"] == "theirs"


def test_another_logical_id_does_not_own_it(resource: Resource, emulator: object) -> None:
    """Another resource of the same stack does not own the configuration."""
    resource.create(Name="golden", Distributions=[ami()])
    other = Resource(resource.emulator, resource.sink, logical_id="Other")
    response = other.create(Name="golden", Distributions=[ami()])
    assert response.status == "FAILED"
    assert "resource Golden of stack" in response.reason


def test_update_replaces_the_whole(resource: Resource) -> None:
    """An Update removes omitted properties, including the description."""
    resource.create(Name="golden", Description="d", Distributions=[ami(Description="a"), ami("eu-west-1")])
    resource.update(Name="golden", Distributions=[ami()])
    assert "description" not in resource.live
    assert [entry["region"] for entry in resource.live["distributions"]] == ["us-east-1"]
    assert "description" not in resource.live["distributions"][0]["amiDistributionConfiguration"]


def test_an_update_without_changes_makes_no_update_call(resource: Resource) -> None:
    """An Update without changes succeeds after one Get, in any order of Regions, accounts, and scalars."""
    accounts = ["111122223333", "012345678901"]
    resource.create(Name="golden", Distributions=[ami(TargetAccountIds=accounts), ami("eu-west-1")], Tags={"a": "1"})
    resource.calls()
    response = resource.update(
        name="golden", distributions=[ami("eu-west-1"), ami(targetAccountIds=accounts[::-1])], tags={"a": "1"}
    )
    assert response.status == "SUCCESS"
    assert resource.calls() == ["Get"]


def test_an_omitted_default_is_no_difference(resource: Resource) -> None:
    """An omitted SetDefaultVersion equals true."""
    template = {"LaunchTemplateId": "lt-0123456789abcdef0"}
    resource.create(
        Name="golden",
        Distributions=[
            {"Region": "us-east-1", "LaunchTemplateConfigurations": [{**template, "SetDefaultVersion": "true"}]}
        ],
    )
    resource.calls()
    resource.update(Name="golden", Distributions=[{"Region": "us-east-1", "LaunchTemplateConfigurations": [template]}])
    assert resource.calls() == ["Get"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_an_entry_added_or_removed_is_a_difference(resource: Resource, count: int) -> None:
    """An added, removed, or repeated launch template or account is a difference."""
    ids = ["lt-0123456789abcdef0", "lt-0123456789abcdef1"]
    accounts = ["111122223333", "111122223333", "444455556666"]

    def properties(count: int) -> dict[str, Any]:
        entry = ami(TargetAccountIds=accounts[: count + 1])
        templates = [{"LaunchTemplateId": template} for template in ids[:count]]
        return {
            "Name": "golden",
            "Distributions": [entry | ({"LaunchTemplateConfigurations": templates} if count else {})],
        }

    resource.create(**properties(1))
    resource.calls()
    resource.update(**properties(count))
    assert ("Update" in resource.calls()) is (count != 1)
    live = resource.live["distributions"][0]
    assert len(live.get("launchTemplateConfigurations", [])) == count
    assert len(live["amiDistributionConfiguration"]["targetAccountIds"]) == count + 1


def test_an_update_corrects_drift(resource: Resource) -> None:
    """An Update compares with the live configuration, not with the old properties."""
    resource.create(Name="golden", Description="d", Distributions=[ami()])
    other = Resource(resource.emulator, resource.sink, logical_id="Hand")
    other.create(DistributionConfigurationArn=resource.physical_id, Description="by hand", Distributions=[ami()])
    resource.update(Name="golden", Description="d", Distributions=[ami()])
    assert resource.live["description"] == "d"


def test_a_missing_configuration_is_recreated(resource: Resource) -> None:
    """An Update of an owned configuration that was deleted recreates it under its name."""
    resource.create(Name="golden", Distributions=[ami()])
    resource.send("Delete", {"Name": "golden"})
    response = resource.update(Name="golden", Description="d", Distributions=[ami()])
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}golden")
    assert resource.live["description"] == "d"
    assert resource.live["tags"][OWNERSHIP_TAGS[1]] == "Golden"


def test_names_of_one_arn_are_one_configuration(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """An Update between two names of one ARN is in place, with a warning that the original name stays."""
    resource.create(Name="My Golden", Distributions=[ami()])
    response = resource.update(Name="my_golden", Description="d", Distributions=[ami()])
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}my-golden")
    assert response.data["Name"] == resource.live["name"] == "My Golden"
    assert len(resource.emulator.configurations) == 1
    assert "'my_golden' and 'My Golden' have the same ARN" in capsys.readouterr().out


def test_delete_deletes(resource: Resource) -> None:
    """A Delete of an owned configuration deletes it, and a second Delete succeeds."""
    resource.create(Name="golden", Distributions=[ami()])
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}
    again = resource.delete()
    assert (again.status, again.physical_id) == ("SUCCESS", resource.physical_id)


def test_delete_names_the_pipelines(resource: Resource) -> None:
    """The Delete of a configuration that pipelines use fails with their names and keeps the physical ID."""
    resource.create(Name="golden", Distributions=[ami()])
    pipeline = resource.emulator.seed_pipeline("nightly", resource.physical_id)
    response = resource.delete()
    assert (response.status, response.physical_id) == ("FAILED", resource.physical_id)
    assert pipeline in response.reason
    assert resource.physical_id in resource.emulator.configurations


def test_retain_calls_nothing(resource: Resource) -> None:
    """A Delete with OnDelete Retain succeeds without calls."""
    resource.create(Name="golden", Distributions=[ami()], OnDelete="Retain")
    resource.calls()
    assert resource.delete().status == "SUCCESS"
    assert resource.calls() == []


@pytest.mark.parametrize("on_delete", ["retain", "", "Destroy", {"a": "b"}])
def test_an_invalid_on_delete_retains(resource: Resource, on_delete: object) -> None:
    """A Delete with an invalid OnDelete retains the configuration and succeeds."""
    resource.create(Name="golden", Distributions=[ami()])
    assert resource.delete(Name="golden", OnDelete=on_delete).status == "SUCCESS"
    assert resource.physical_id in resource.emulator.configurations


def test_delete_never_fails_on_validation(resource: Resource) -> None:
    """A Delete with invalid properties deletes the owned configuration."""
    resource.create(Name="golden", Distributions=[ami()])
    response = resource.delete(name="golden", Distributions="nonsense", Bogus=[None], ClientToken="x")
    assert response.status == "SUCCESS"
    assert resource.emulator.configurations == {}


@pytest.mark.parametrize("properties", [{}, {"Name": "golden", "DistributionConfigurationArn": f"{ARN}golden"}])
def test_ownership_tags_decide_without_a_target(resource: Resource, properties: dict[str, str]) -> None:
    """A Delete with neither or both of Name and ARN deletes only a configuration with the ownership tags."""
    resource.create(Name="golden", Distributions=[ami()])
    theirs = resource.emulator.seed(name="theirs", distributions=[])
    assert resource.send("Delete", properties).status == "SUCCESS"
    assert resource.send("Delete", {}, physical_id=theirs).status == "SUCCESS"
    assert list(resource.emulator.configurations) == [theirs]


def test_a_delete_leaves_another_stacks_configuration(resource: Resource) -> None:
    """A Delete leaves a configuration that another stack owns now."""
    resource.create(Name="golden", Distributions=[ami()])
    new = Resource(resource.emulator, resource.sink, stack_id=STACK_ID.replace("images", "newer"))
    new.create(DistributionConfigurationArn=resource.physical_id, Distributions=[ami()])
    new.update(Name="golden", Distributions=[ami()])
    assert resource.delete().status == "SUCCESS"
    assert resource.physical_id in resource.emulator.configurations
    assert new.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}
