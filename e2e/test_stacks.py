"""Stacks of our users in an account where `sam deploy` has put the provider."""

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
    """The ARNs of the golden image's configurations."""
    return [arn for arn in service.configurations if arn.startswith(f"{ARN}golden-image")]


@pytest.fixture
def stack(account: Account, service: Emulator) -> Iterator[str]:
    """A stack of the golden image, deleted in the end."""
    assert account.create("golden", GOLDEN) == "CREATE_COMPLETE"
    yield "golden"
    service.reset_faults()
    assert account.delete("golden") == "DELETE_COMPLETE"


@pytest.fixture
def unchanged(stack: str, service: Emulator) -> Callable[[], bool]:
    """Whether all configurations are as they were once the stack was there, but for the date of their last change."""

    def state() -> dict[str, object]:
        return {
            arn: {name: value for name, value in live.items() if name != "dateUpdated"}
            for arn, live in service.configurations.items()
        }

    del stack
    before = state()
    return lambda: state() == before


def test_sam_deploys_the_application(account: Account) -> None:
    """`sam deploy` creates the provider's stack, with its outputs and the ServiceToken exported by its stack's name."""
    assert account.settled(PROVIDER_STACK) == "CREATE_COMPLETE"
    outputs = account.outputs(PROVIDER_STACK)
    assert set(outputs) == {"ServiceToken", "UnansweredQueueUrl", "LogGroupName", "RoleArn"}
    exports = {export["Name"]: export["Value"] for export in account.stacks.list_exports()["Exports"]}
    assert exports[f"{PROVIDER_STACK}-ServiceToken"] == outputs["ServiceToken"]


def test_a_create_makes_the_configuration(account: Account, service: Emulator, stack: str) -> None:
    """A stack's creation makes the configuration as the template says, and its outputs name it."""
    assert account.outputs(stack) == {"DistributionConfigurationArn": PRODUCTION, "Regions": "us-east-1"}
    live = service.configurations[PRODUCTION]
    assert live["description"] == "Golden image for all teams"
    (distribution,) = live["distributions"]
    accounts = distribution["amiDistributionConfiguration"]["launchPermission"]["userIds"]
    assert accounts == ["210987654321", "012345678901"]
    assert live["tags"].items() >= {"Team": "platform", "Stage": "production"}.items()


def test_an_update_changes_the_configuration_in_place(account: Account, service: Emulator, stack: str) -> None:
    """A stack's update changes the configuration under the ARN that it had, tags included."""
    assert account.update(stack, EXPORTED) == "UPDATE_COMPLETE"
    assert account.outputs(stack) == {"DistributionConfigurationArn": PRODUCTION, "Regions": "us-east-1,eu-west-1"}
    live = service.configurations[PRODUCTION]
    assert [distribution["region"] for distribution in live["distributions"]] == ["us-east-1", "eu-west-1"]
    assert live["distributions"][0]["s3ExportConfiguration"]["s3Prefix"] == "golden-image/production/"
    assert live["tags"]["Team"] == "images"


def test_a_new_name_replaces_the_configuration(account: Account, service: Emulator, stack: str) -> None:
    """An update with another name creates that configuration, and the old one is gone when the update is over."""
    assert account.update(stack, GOLDEN, Stage="development") == "UPDATE_COMPLETE"
    assert account.outputs(stack)["DistributionConfigurationArn"] == DEVELOPMENT
    assert golden(service) == [DEVELOPMENT]


def test_an_update_with_a_mistake_is_rolled_back(
    account: Account, stack: str, unchanged: Callable[[], bool], service: Emulator
) -> None:
    """An update whose properties are wrong fails with their path, and its rollback leaves all as it was."""
    assert account.update(stack, EXPORTED, SecondRegion="us-east-1") == "UPDATE_ROLLBACK_COMPLETE"
    assert any("Distributions[1].Region" in reason for reason in account.reasons(stack))
    assert account.outputs(stack) == {"DistributionConfigurationArn": PRODUCTION, "Regions": "us-east-1"}
    assert golden(service) == [PRODUCTION]
    assert unchanged()


def test_an_update_that_the_service_refuses_is_rolled_back(
    account: Account, stack: str, unchanged: Callable[[], bool], service: Emulator
) -> None:
    """An update that the service refuses is rolled back to the configuration and the tags before it."""
    message = "The specified role vmimport cannot be assumed."
    service.fail_with("UpdateDistributionConfiguration", "InvalidParameterValueException", 400, message)
    assert account.update(stack, EXPORTED) == "UPDATE_ROLLBACK_COMPLETE"
    assert any(message in reason for reason in account.reasons(stack))
    assert unchanged()


def test_a_rename_that_fails_is_rolled_back(
    account: Account, stack: str, unchanged: Callable[[], bool], service: Emulator
) -> None:
    """A failed rename is rolled back to the configuration of the old name, and none of the new name is left."""
    message = "You have reached the limit of distribution configurations."
    service.fail_with("CreateDistributionConfiguration", "ServiceQuotaExceededException", 402, message)
    assert account.update(stack, GOLDEN, Stage="development") == "UPDATE_ROLLBACK_COMPLETE"
    assert any(message in reason for reason in account.reasons(stack))
    assert golden(service) == [PRODUCTION]
    assert unchanged()


def test_a_name_that_is_taken_stays_with_its_owner(account: Account, stack: str, unchanged: Callable[[], bool]) -> None:
    """A second stack of the same name fails, says how to adopt, and its rollback does not touch the first one's."""
    del stack
    assert account.create("second", GOLDEN) == "ROLLBACK_COMPLETE"
    assert any(
        "DistributionConfigurationArn" in reason and PRODUCTION in reason for reason in account.reasons("second")
    )
    assert account.delete("second") == "DELETE_COMPLETE"
    assert unchanged()


def test_a_deleted_stack_takes_its_configuration_along(account: Account, service: Emulator) -> None:
    """A stack's deletion deletes the configuration that it owned."""
    assert account.create("brief", GOLDEN) == "CREATE_COMPLETE"
    assert golden(service) == [PRODUCTION]
    assert account.delete("brief") == "DELETE_COMPLETE"
    assert golden(service) == []


def test_an_adopted_configuration_outlives_its_stack(account: Account, service: Emulator) -> None:
    """A stack that adopts brings the configuration to what the template says, and its deletion leaves it there."""
    arn = service.seed(name="web-tier-images", distributions=[], tags={"Owner": "somebody"})
    assert account.create("adopting", ADOPTING) == "CREATE_COMPLETE"
    assert account.outputs("adopting")["DistributionConfigurationArn"] == arn
    assert service.configurations[arn]["tags"].items() >= {"Owner": "somebody", "ManagedBy": "adopting"}.items()
    assert account.delete("adopting") == "DELETE_COMPLETE"
    assert service.configurations[arn]["description"].startswith("Web tier")


def test_a_configuration_in_use_fails_the_deletion(account: Account, service: Emulator) -> None:
    """Deleting a stack whose configuration a pipeline uses ends in DELETE_FAILED, and the reason names the pipeline."""
    assert account.create("used", SHARED) == "CREATE_COMPLETE"
    pipeline = service.seed_pipeline("nightly", account.outputs("used")["DistributionConfigurationArn"])
    assert account.delete("used") == "DELETE_FAILED"
    assert any(pipeline in reason for reason in account.reasons("used"))


def test_the_provider_stays_while_a_stack_uses_it(account: Account, stack: str) -> None:
    """The provider's stack is not deleted while another stack imports its ServiceToken."""
    with pytest.raises(ClientError, match=f"{PROVIDER_STACK}-ServiceToken.*{stack}"):
        account.delete(PROVIDER_STACK)
    assert account.settled(PROVIDER_STACK) == "CREATE_COMPLETE"
