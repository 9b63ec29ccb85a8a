"""`rehearse` and `invoke` with configurations in another Region or account than the stack's."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import EVENTS, command
from tests.cli.plans import Write, own
from tests.stack import ami

OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/team/images"
WEB = f"arn:aws:imagebuilder:eu-west-2:{OTHER}:distribution-configuration/web"
ADOPT = {
    "ServiceToken": own()["ServiceToken"],
    "DistributionConfigurationArn": WEB,
    "RoleArn": ROLE,
    "Distributions": [ami()],
}


def golden(region: str = "us-east-1", account: str = "123456789012") -> str:
    return f"arn:aws:imagebuilder:{region}:{account}:distribution-configuration/images"


def test_rehearsal_in_all_locations(write: Write) -> None:
    """A rehearsal shows the configurations of the stack in each Region and account, and their replacements."""
    abroad = own(Region="eu-west-1", RoleArn=ROLE)
    first = write("first.yaml", Home=own(), Abroad=abroad, Web=ADOPT)
    second = write("second.yaml", Home=own(), Abroad={**abroad, "Region": "us-west-2"}, Web=ADOPT)
    ended = command("rehearse", first, second)
    assert ended.status == 0, ended.stdout + ended.stderr
    assert "Rehearsing stack first in us-east-1, account 123456789012." in ended.stdout
    for line in (
        f"+ {golden()} (created)",
        f"+ {golden('eu-west-1', OTHER)} (created)",
        f"~ {WEB} (changed)",
        f"- {golden('eu-west-1', OTHER)} (deleted)",
        f"+ {golden('us-west-2', OTHER)} (created)",
        f"- {golden('us-west-2', OTHER)} (deleted)",
    ):
        assert line in ended.stdout


def test_a_role_of_the_stack(write: Write) -> None:
    """The role can be another resource of the stack."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    ended = command("rehearse", write(Golden=own(RoleArn={"Fn::GetAtt": "Role.Arn"}), Role=role))
    assert ended.status == 0, ended.stdout + ended.stderr
    assert f"+ {golden()} (created)" in ended.stdout


def test_a_failed_move_is_rolled_back(write: Write) -> None:
    """If another resource of the update fails, the configuration in the old location stays, and no other remains."""
    invalid = own(Name="other", Region="eu-west-1", RoleArn=ROLE, Distributions=[{"Region": "us-east-1"}])
    first = write("first.yaml", Golden=own())
    second = write("second.yaml", Golden=own(Region="eu-west-1", RoleArn=ROLE), Invalid=invalid)
    ended = command("rehearse", first, second)
    assert ended.status == 1
    assert "UPDATE_ROLLBACK_COMPLETE" in ended.stdout
    assert "left behind" not in ended.stdout
    assert "lost" not in ended.stdout


def test_existing_configuration_in_another_account(write: Write, tmp_path: Path) -> None:
    """An adopted configuration in another account has its content, and the options are those of the stack."""
    live = {"arn": WEB, "name": "web", "description": "live", "distributions": []}
    (tmp_path / "live.json").write_text(json.dumps({"distributionConfiguration": live}))
    place = ("--region", "eu-central-1", "--account", "111122223333")
    file = write(Web=ADOPT | {"ServiceToken": {"Fn::ImportValue": "provider"}})
    for options, start in (((), "us-east-1, account 123456789012"), (place, "eu-central-1, account 111122223333")):
        ended = command("rehearse", file, "--existing", tmp_path / "live.json", *options)
        assert ended.status == 0, ended.stdout + ended.stderr
        assert f"Rehearsing stack stack in {start}." in ended.stdout
        assert f"~ {WEB} (changed)" in ended.stdout
        assert '- Description: "live"' in ended.stdout


def event(name: str, **properties: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    loaded["ResourceProperties"] |= properties
    return loaded


@pytest.mark.parametrize(
    ("place", "start"),
    [
        ({"Region": "eu-west-1"}, "arn:aws:imagebuilder:eu-west-1:123456789012:"),
        ({"RoleArn": ROLE}, f"arn:aws:imagebuilder:us-east-1:{OTHER}:"),
        ({"Region": "eu-west-1", "RoleArn": ROLE}, f"arn:aws:imagebuilder:eu-west-1:{OTHER}:"),
    ],
    ids=["Region", "account", "both"],
)
def test_invoke(place: dict[str, str], start: str) -> None:
    """An event with a Region or a role creates and replaces configurations in that location."""
    ended = command("invoke", "-", stdin=json.dumps(event("create-own", **place)))
    created = json.loads(ended.stdout)
    assert created["Status"] == "SUCCESS", ended.stderr
    assert created["PhysicalResourceId"].startswith(start)
    assert f"+ {created['PhysicalResourceId']} (created)" in ended.stderr
    moved = json.loads(command("invoke", "-", stdin=json.dumps(event("update-in-place", **place))).stdout)
    assert (moved["Status"], moved["PhysicalResourceId"][: len(start)]) == ("SUCCESS", start)
    delete = {**event("delete-own", **place), "PhysicalResourceId": created["PhysicalResourceId"]}
    ended = command("invoke", "-", stdin=json.dumps(delete))
    assert json.loads(ended.stdout)["Status"] == "SUCCESS", ended.stdout
    assert f"- {created['PhysicalResourceId']} (deleted)" in ended.stderr


def test_invoke_without_a_role() -> None:
    """Without a role, a configuration of another account than the stack's cannot be adopted."""
    adopt = event("create-adopt", DistributionConfigurationArn=WEB)
    ended = command("invoke", "-", stdin=json.dumps(adopt))
    assert f"is in account {OTHER}, but the provider is in account 123456789012" in json.loads(ended.stdout)["Reason"]
