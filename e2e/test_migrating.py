"""The migration from a hand-written Lambda, as in docs/migrating/lambda.md, with that Lambda deployed."""

from pathlib import Path

from e2e.account import Account
from e2e.tools import ROOT
from provider.emulator.emulator import Emulator

EXAMPLES = ROOT / "examples" / "migrating" / "lambda"
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/desktop-images"
POLICIES = ("DeletionPolicy: Retain", "UpdateReplacePolicy: Retain")


def without_policies(template: str) -> str:
    """Return a template as it is before the first step."""
    return "\n".join(line for line in template.splitlines() if line.strip() not in POLICIES)


def test_a_hand_written_lambda_is_replaced(account: Account, service: Emulator, tmp_path: Path) -> None:
    """The old function's configuration is adopted without a change, also when the old function is removed."""
    handwritten = tmp_path / "handwritten.yaml"
    handwritten.write_text(without_policies((EXAMPLES / "retained.yaml").read_text("utf-8")), "utf-8")
    assert account.create("desktops", handwritten) == "CREATE_COMPLETE"
    before, calls = service.configurations[ARN], len(service.requests)
    for template in ("retained", "adopted", "alone"):
        assert account.update("desktops", EXAMPLES / f"{template}.yaml") == "UPDATE_COMPLETE"
        assert account.outputs("desktops") == {"DistributionConfigurationArn": ARN}
    assert account.delete("desktops") == "DELETE_COMPLETE"
    assert {request.operation for request in service.requests[calls:]} == {"GetDistributionConfiguration"}
    assert service.configurations[ARN] == before


def test_without_the_first_step_the_old_function_deletes(account: Account, service: Emulator, tmp_path: Path) -> None:
    """Without the first step, the old function deletes the configuration after it has been adopted."""
    steps = []
    for step in ("retained", "adopted"):
        template = (EXAMPLES / f"{step}.yaml").read_text("utf-8").replace("desktop-images", "laptop-images")
        steps.append(tmp_path / f"{step}.yaml")
        steps[-1].write_text(without_policies(template), "utf-8")
    arn = ARN.replace("desktop", "laptop")
    assert account.create("laptops", steps[0]) == "CREATE_COMPLETE"
    assert arn in service.configurations
    assert account.update("laptops", steps[1]) == "UPDATE_COMPLETE"
    assert arn not in service.configurations
    assert account.delete("laptops") == "DELETE_COMPLETE"
