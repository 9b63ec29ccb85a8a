"""Stacks in an account to which `sam deploy` has deployed the provider."""

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from e2e.account import PROVIDER_STACK, Account
from e2e.tools import ROOT
from provider.emulator.emulator import Emulator

EXAMPLES = ROOT / "examples" / "cloudformation"
GOLDEN, EXPORTED = EXAMPLES / "golden-image.yaml", EXAMPLES / "golden-image-exported.yaml"
ADOPTING, SHARED = EXAMPLES / "adopt-and-export-to-s3.yaml", EXAMPLES / "share-with-organization.yaml"
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
PRODUCTION, DEVELOPMENT = f"{ARN}golden-image-production", f"{ARN}golden-image-development"


def golden(service: Emulator) -> list[str]:
    """Return the ARNs of the golden image's configurations."""
    return [arn for arn in service.configurations if arn.startswith(f"{ARN}golden-image")]


@pytest.fixture
def stack(account: Account, service: Emulator) -> Iterator[str]:
    """A stack of the golden image, which is deleted after the test."""
    assert account.create("golden", GOLDEN) == "CREATE_COMPLETE"
    yield "golden"
    service.reset_faults()
    assert account.delete("golden") == "DELETE_COMPLETE"


@pytest.fixture
def unchanged(stack: str, service: Emulator) -> Callable[[], bool]:
    """Returns whether all configurations are as they were before the test, except their last change's date."""

    def state() -> dict[str, object]:
        return {
            arn: {name: value for name, value in live.items() if name != "dateUpdated"}
            for arn, live in service.configurations.items()
        }

    del stack
    before = state()
    return lambda: state() == before


def test_sam_deploys_the_application(account: Account) -> None:
    """`sam deploy` creates the provider's stack with its outputs and exports STACK-ServiceToken."""
    assert account.settled(PROVIDER_STACK) == "CREATE_COMPLETE"
    outputs = account.outputs(PROVIDER_STACK)
    assert set(outputs) == {"ServiceToken", "UnansweredQueueUrl", "LogGroupName", "RoleArn", "Version"}
    exports = {export["Name"]: export["Value"] for export in account.stacks.list_exports()["Exports"]}
    assert exports[f"{PROVIDER_STACK}-ServiceToken"] == outputs["ServiceToken"]


def test_a_create_creates_the_configuration(account: Account, service: Emulator, stack: str) -> None:
    """A stack's creation creates the configuration that the template describes; the outputs have its ARN."""
    assert account.outputs(stack) == {"DistributionConfigurationArn": PRODUCTION, "Regions": "us-east-1"}
    live = service.configurations[PRODUCTION]
    assert live["description"] == "Golden image for all teams"
    (distribution,) = live["distributions"]
    accounts = distribution["amiDistributionConfiguration"]["launchPermission"]["userIds"]
    assert accounts == ["210987654321", "012345678901"]
    assert live["tags"].items() >= {"Team": "platform", "Stage": "production"}.items()


def test_an_update_changes_the_configuration_in_place(account: Account, service: Emulator, stack: str) -> None:
    """A stack's update changes the configuration and its tags; the ARN stays the same."""
    assert account.update(stack, EXPORTED) == "UPDATE_COMPLETE"
    assert account.outputs(stack) == {"DistributionConfigurationArn": PRODUCTION, "Regions": "us-east-1,eu-west-1"}
    live = service.configurations[PRODUCTION]
    assert [distribution["region"] for distribution in live["distributions"]] == ["us-east-1", "eu-west-1"]
    assert live["distributions"][0]["s3ExportConfiguration"]["s3Prefix"] == "golden-image/production/"
    assert live["tags"]["Team"] == "images"


def test_a_new_name_replaces_the_configuration(account: Account, service: Emulator, stack: str) -> None:
    """An update with another name creates a new configuration and deletes the old one."""
    assert account.update(stack, GOLDEN, Stage="development") == "UPDATE_COMPLETE"
    assert account.outputs(stack)["DistributionConfigurationArn"] == DEVELOPMENT
    assert golden(service) == [DEVELOPMENT]


def test_an_update_with_a_mistake_is_rolled_back(
    account: Account, stack: str, unchanged: Callable[[], bool], service: Emulator
) -> None:
    """An update with a mistake fails with its path, and the rollback restores everything."""
    assert account.update(stack, EXPORTED, SecondRegion="us-east-1") == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Distributions[1].Region" in reason for reason in account.reasons(stack))
    assert account.outputs(stack) == {"DistributionConfigurationArn": PRODUCTION, "Regions": "us-east-1"}
    assert golden(service) == [PRODUCTION]
    assert unchanged()


def test_an_update_that_the_service_rejects_is_rolled_back(
    account: Account, stack: str, unchanged: Callable[[], bool], service: Emulator
) -> None:
    """If the service rejects an update, the rollback restores the configuration and its tags."""
    message = "The specified role vmimport cannot be assumed."
    service.fail_with("UpdateDistributionConfiguration", "InvalidParameterValueException", 400, message)
    assert account.update(stack, EXPORTED) == "UPDATE_ROLLBACK_COMPLETE"
    assert any(message in reason for reason in account.reasons(stack))
    assert unchanged()


def test_a_rename_that_fails_is_rolled_back(
    account: Account, stack: str, unchanged: Callable[[], bool], service: Emulator
) -> None:
    """If a rename fails, the configuration keeps its old name, and none with the new name remains."""
    message = "You have reached the limit of distribution configurations."
    service.fail_with("CreateDistributionConfiguration", "ServiceQuotaExceededException", 402, message)
    assert account.update(stack, GOLDEN, Stage="development") == "UPDATE_ROLLBACK_COMPLETE"
    assert any(message in reason for reason in account.reasons(stack))
    assert golden(service) == [PRODUCTION]
    assert unchanged()


def test_an_existing_name_stays_with_its_owner(account: Account, stack: str, unchanged: Callable[[], bool]) -> None:
    """A second stack with the same name fails, explains how to adopt, and does not change the configuration."""
    del stack
    assert account.create("second", GOLDEN) == "ROLLBACK_COMPLETE"
    assert any(
        "DistributionConfigurationArn" in reason and PRODUCTION in reason for reason in account.reasons("second")
    )
    assert account.delete("second") == "DELETE_COMPLETE"
    assert unchanged()


def test_deleting_a_stack_deletes_its_configuration(account: Account, service: Emulator) -> None:
    """A stack's deletion deletes the configuration that the stack owns."""
    assert account.create("brief", GOLDEN) == "CREATE_COMPLETE"
    assert golden(service) == [PRODUCTION]
    assert account.delete("brief") == "DELETE_COMPLETE"
    assert golden(service) == []


def test_an_adopted_configuration_is_retained(account: Account, service: Emulator) -> None:
    """An adopted configuration is updated to match the template, and stays when the stack is deleted."""
    arn = service.seed(name="web-tier-images", distributions=[], tags={"Owner": "somebody"})
    assert account.create("adopting", ADOPTING) == "CREATE_COMPLETE"
    assert account.outputs("adopting")["DistributionConfigurationArn"] == arn
    assert service.configurations[arn]["tags"].items() >= {"Owner": "somebody", "ManagedBy": "adopting"}.items()
    assert account.delete("adopting") == "DELETE_COMPLETE"
    assert service.configurations[arn]["description"].startswith("Web tier")


def test_deleting_a_configuration_in_use_fails(account: Account, service: Emulator) -> None:
    """If a pipeline uses the configuration, deleting the stack ends in DELETE_FAILED with the pipeline's name."""
    assert account.create("used", SHARED) == "CREATE_COMPLETE"
    pipeline = service.seed_pipeline("nightly", account.outputs("used")["DistributionConfigurationArn"])
    assert account.delete("used") == "DELETE_FAILED"
    assert any(pipeline in reason for reason in account.reasons("used"))


def test_the_provider_cannot_be_deleted_while_a_stack_uses_it(account: Account, stack: str) -> None:
    """The provider's stack cannot be deleted while another stack imports its ServiceToken."""
    with pytest.raises(ClientError, match=f"{PROVIDER_STACK}-ServiceToken.*{stack}"):
        account.delete(PROVIDER_STACK)
    assert account.settled(PROVIDER_STACK) == "CREATE_COMPLETE"
