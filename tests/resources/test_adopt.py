"""A resource with a DistributionConfigurationArn adopts a configuration and manages its content."""

from typing import Any

from provider.emulator.emulator import Fault
from provider.schema.rules import OWNERSHIP_TAGS
from tests.stack import ARN, Resource, ami

THEIRS = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": "old {{ imagebuilder:buildDate }}"}}]


def test_adopt_replaces_the_content(resource: Resource) -> None:
    """A Create with an ARN updates that configuration to the properties and returns the ARN."""
    arn = resource.emulator.seed(name="theirs", distributions=THEIRS, description="old")
    response = resource.create(DistributionConfigurationArn=arn, Distributions=[ami()])
    assert (response.status, response.physical_id) == ("SUCCESS", arn)
    assert resource.calls() == ["Get", "Update", "Get"]
    assert "description" not in resource.live
    assert response.data["Name"] == "theirs"


def test_adopting_an_equal_configuration_only_reads(resource: Resource) -> None:
    """A Create with an ARN only reads if the configuration is as desired."""
    arn = resource.emulator.seed(name="theirs", distributions=THEIRS)
    name = "old {{ imagebuilder:buildDate }}"
    resource.create(DistributionConfigurationArn=arn, Distributions=[ami(Name=name)])
    assert resource.calls() == ["Get"]


def test_an_adopted_configuration_gets_no_ownership_tags(resource: Resource) -> None:
    """An adoption sets the user's tags, adds no ownership tags, and keeps all other tags."""
    arn = resource.emulator.seed(name="theirs", distributions=THEIRS, tags={"cost": "7", "env": "old"})
    resource.create(DistributionConfigurationArn=arn, Distributions=[ami()], Tags={"env": "prod"})
    assert resource.live["tags"] == {"cost": "7", "env": "prod"}


def test_adopting_a_missing_configuration_fails(resource: Resource) -> None:
    """A Create with an ARN that does not exist fails with the ARN, account, and Region, and returns no ARN."""
    response = resource.create(DistributionConfigurationArn=f"{ARN}nowhere", Distributions=[ami()])
    assert response.status == "FAILED"
    assert not response.physical_id.startswith("arn:")
    assert all(part in response.reason for part in (f"{ARN}nowhere", "account 123456789012", "Region us-east-1"))


def test_an_arn_of_another_account_is_rejected_before_any_call(resource: Resource) -> None:
    """Without a role, an ARN of another account is rejected with both accounts before any call."""
    arn = f"{ARN}golden".replace("123456789012", "210987654321")
    response = resource.create(DistributionConfigurationArn=arn, Distributions=[ami()])
    assert response.status == "FAILED"
    assert "is in account 210987654321, but the provider is in account 123456789012" in response.reason
    assert resource.emulator.requests == []


def test_a_failed_adoption_returns_no_arn(resource: Resource) -> None:
    """A failed adoption returns no ARN even with OnDelete Delete, so the rollback deletes nothing."""
    arn = resource.emulator.seed(name="theirs", distributions=THEIRS)
    properties: dict[str, Any] = {"DistributionConfigurationArn": arn, "Distributions": [ami()], "OnDelete": "Delete"}
    resource.emulator.fail("UpdateDistributionConfiguration", Fault.DENIED, times=99)
    response = resource.create(**properties)
    assert response.status == "FAILED"
    assert not response.physical_id.startswith("arn:")
    assert resource.send("Delete", properties, physical_id=response.physical_id).status == "SUCCESS"
    assert resource.emulator.configurations[arn]["distributions"] == THEIRS


def test_a_failed_adoption_restores_the_content(resource: Resource) -> None:
    """If an adoption fails after it replaced the content, the previous content is restored."""
    arn = resource.emulator.seed(name="theirs", distributions=THEIRS, description="old")
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no")
    response = resource.create(DistributionConfigurationArn=arn, Distributions=[ami()], Tags={"a": "1"})
    assert response.status == "FAILED"
    assert f"Restored the previous content of {arn}" in response.reason
    assert resource.emulator.configurations[arn]["distributions"] == THEIRS
    assert resource.emulator.configurations[arn]["description"] == "old"


def test_delete_of_an_adopted_configuration_retains_it(resource: Resource) -> None:
    """The Delete of an adopted configuration retains it unless OnDelete is Delete."""
    arn = resource.emulator.seed(name="theirs", distributions=THEIRS)
    resource.create(DistributionConfigurationArn=arn, Distributions=[ami()])
    assert resource.delete().status == "SUCCESS"
    assert arn in resource.emulator.configurations
    assert resource.delete(DistributionConfigurationArn=arn, OnDelete="Delete").status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_update_of_a_missing_adopted_configuration_fails(resource: Resource) -> None:
    """An Update of an adopted configuration that no longer exists fails and creates nothing."""
    arn = resource.emulator.seed(name="theirs", distributions=THEIRS)
    resource.create(DistributionConfigurationArn=arn, Distributions=[ami()])
    resource.delete(DistributionConfigurationArn=arn, OnDelete="Delete")
    response = resource.update(DistributionConfigurationArn=arn, Description="d", Distributions=[ami()])
    assert (response.status, response.physical_id) == ("FAILED", arn)
    assert resource.emulator.configurations == {}


def test_from_name_to_arn_and_back_stays_in_place(resource: Resource) -> None:
    """An Update from the Name to the ARN of one configuration, and back, only removes and adds the ownership tags."""
    owned: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}
    resource.create(**owned)
    arn = resource.physical_id
    resource.calls()
    response = resource.update(DistributionConfigurationArn=arn, Distributions=[ami()])
    assert (response.status, response.physical_id) == ("SUCCESS", arn)
    assert not set(OWNERSHIP_TAGS) & set(resource.live.get("tags", {}))
    response = resource.update(**owned)
    assert (response.status, response.physical_id) == ("SUCCESS", arn)
    assert set(OWNERSHIP_TAGS) <= set(resource.live["tags"])
    assert resource.calls() == ["Get", "UntagResource", "Get", "TagResource"]


def test_adopting_another_one_is_a_replacement(resource: Resource) -> None:
    """An Update to another ARN returns that ARN; the Delete of the old one follows and retains it."""
    first = resource.emulator.seed(name="first", distributions=THEIRS)
    second = resource.emulator.seed(name="second", distributions=THEIRS)
    resource.create(DistributionConfigurationArn=first, Distributions=[ami()])
    before = resource.properties
    response = resource.update(DistributionConfigurationArn=second, Distributions=[ami()])
    assert response.physical_id == second
    assert resource.send("Delete", before, physical_id=first).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {first, second}
