"""The commands know account sources, and call neither Organizations nor SSM."""

import json
from pathlib import Path
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from tests.cli.commands import EVENTS, EXAMPLES, command
from tests.cli.plans import Write, own, planned, reported
from tests.stack import Resource, ami

UNIT, NAME = "ou-ab12-11111111", "/images/accounts"
SOURCES = [{"OrganizationalUnit": UNIT, "Except": ["222233334444"]}, {"Parameter": NAME}]
FIRST, SECOND, THIRD = "111122223333", "333344445555", "444455556666"
LIST = "Distributions[0].AmiDistributionConfiguration.TargetAccountIds"
PATH = 'Distributions["us-east-1"].AmiDistributionConfiguration.TargetAccountIds'


def targets(*entries: object, **properties: Any) -> dict[str, Any]:
    """Properties with these target accounts."""
    return own(Distributions=[ami(TargetAccountIds=[*entries])], **properties)


RESOLVE = ("--resolve", f"{UNIT}={SECOND},222233334444", "--resolve", f"{NAME}={THIRD}")


def test_plan_shows_which_lists_depend_on_a_source(write: Write, resource: Resource) -> None:
    """Without its accounts, a source is shown in its list, marked and noted, and everything else is planned."""
    resource.create(**targets(FIRST, Description="before"))
    file = write(Golden=targets(FIRST, *SOURCES, Description="after"))
    change = planned(file, status=3)["Golden"]
    new = [FIRST, f"OrganizationalUnit {UNIT}", f"Parameter {NAME}"]
    assert reported(change) == [("Description", "before", "after"), (PATH, [FIRST], new)]
    assert [one["known"] for one in change["differences"]] == [True, False]
    notes = json.loads(command("plan", file, "--output", "json").stdout)["notes"]
    assert (
        f"Golden: {LIST} depends on Parameter {NAME}, which plan does not read; to give its accounts, use --resolve "
        f"{NAME}=ACCOUNTS"
    ) in notes


def test_plan_takes_the_accounts_of_sources(write: Write, resource: Resource, tmp_path: Path) -> None:
    """With the accounts of its sources, a list is compared with the live one, whatever its order."""
    resource.create(**targets(THIRD, SECOND, FIRST))
    file = write(Golden=targets(FIRST, *SOURCES))
    assert planned(file, *RESOLVE, status=0)["Golden"]["action"] == "none"
    ids = tmp_path / "accounts.json"
    ids.write_text(json.dumps([THIRD, "555566667777"]))
    change = planned(file, *RESOLVE[:2], "--resolve", f"{NAME}=file://{ids}", status=3)["Golden"]
    assert reported(change) == [(PATH, [THIRD, SECOND, FIRST], [FIRST, SECOND, THIRD, "555566667777"])]
    assert change["differences"][0]["known"]


def test_unchanged_properties_with_an_unknown_source_are_no_drift(write: Write, resource: Resource) -> None:
    """If the properties are unchanged, what an unknown source resolves to is no drift, but another difference is."""
    resource.create(**targets(FIRST, SECOND))
    file = write(Golden=targets(*SOURCES))
    assert planned(file, "--previous", file, status=0)["Golden"]["action"] == "none"
    assert planned(file, "--previous", file, *RESOLVE, status=4)["Golden"]["action"] == "drift"
    described = write("described.yaml", Golden=targets(*SOURCES, Description="x"))
    assert planned(described, "--previous", described, status=4)["Golden"]["action"] == "drift"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1234", "'1234' is not an account ID"),
        ("", "there is no account ID"),
        ("222233334444", "no account is left without those in Except"),
    ],
)
def test_an_invalid_value_is_a_mistake(write: Write, emulator: Emulator, value: str, problem: str) -> None:
    """A value that is no list of accounts is a mistake in the command."""
    ended = command("plan", write(Golden=targets(*SOURCES)), "--resolve", f"{UNIT}={value}")
    assert ended.status == 2
    assert f"--resolve {UNIT}: {problem}" in ended.stderr


@pytest.mark.parametrize(
    ("value", "problem"), [("1234", "--resolve NAME: '1234' is not"), ("file://none.json", "none.json: cannot be read")]
)
def test_an_invalid_value_ends_a_rehearsal(write: Write, value: str, problem: str) -> None:
    """A value that is no list of accounts, or a file that cannot be read, is a mistake in the command."""
    ended = command("rehearse", write(Golden=targets(*SOURCES)), "--resolve", f"{UNIT}={value}")
    assert ended.status == 2
    assert problem.replace("NAME", UNIT) in ended.stderr


def test_plan_checks_the_given_accounts(write: Write, emulator: Emulator) -> None:
    """The limits of a list apply to the given accounts."""
    many = ",".join(f"{number:012}" for number in range(1537))
    change = planned(write(Golden=targets(*SOURCES)), *RESOLVE[2:], "--resolve", f"{UNIT}={many}", status=1)["Golden"]
    assert change["action"] == "refused"
    assert f"{LIST}: must have at most 1536 entries, but has 1538" in str(change["findings"])


def test_rehearse_takes_the_accounts_of_sources(write: Write) -> None:
    """A rehearsal deploys the given accounts, also after an update and a rollback to them."""
    first, second = write(Golden=targets(FIRST, *SOURCES)), write("two.yaml", Golden=targets(*SOURCES))
    ended = command("rehearse", first, second, *RESOLVE)
    assert ended.status == 0, ended.stdout
    assert f'"{SECOND}"' in ended.stdout
    assert f'- "{FIRST}"' in ended.stdout
    assert "222233334444" not in ended.stdout


def test_rehearse_replaces_unknown_sources_by_placeholders(write: Write) -> None:
    """Without its accounts, a source is one placeholder account, which the rehearsal reports."""
    ended = command("rehearse", write(Golden=targets(FIRST, *SOURCES)))
    assert ended.status == 0, ended.stdout
    assert f"the accounts of OrganizationalUnit {UNIT} are assumed to be" in ended.stdout
    assert f"the accounts of Parameter {NAME} are assumed to be" in ended.stdout


def test_a_rollback_restores_the_accounts_of_sources(write: Write) -> None:
    """After a failed update, the rehearsal compares the live configuration with what its sources resolved to."""
    bad = write("bad.yaml", Golden=targets(FIRST, Description="x" * 2000))
    ended = command("rehearse", write(Golden=targets(FIRST, *SOURCES)), bad, *RESOLVE)
    assert ended.status == 1
    assert "UPDATE_ROLLBACK_COMPLETE" in ended.stdout
    assert "differs from the template after the rollback" not in ended.stdout


def test_invoke_emulates_sources(tmp_path: Path) -> None:
    """An event with sources is processed offline, with placeholders."""
    event = json.loads((EVENTS / "create-own.json").read_text())
    event["ResourceProperties"]["Distributions"] = [ami(TargetAccountIds=SOURCES)]
    ended = command("invoke", "-", stdin=json.dumps(event))
    assert json.loads(ended.stdout)["Status"] == "SUCCESS"
    assert f"the accounts of Parameter {NAME} are assumed to be" in ended.stderr


def test_convert_to_native_reports_sources(write: Write) -> None:
    """The native resource has no sources, so each is reported."""
    ended = command("convert", "--to", "native", write(Golden=targets(FIRST, *SOURCES)))
    assert ended.status == 1
    assert ended.stderr.count("the native resource accepts no account sources; replace this one by account IDs") == 2
    assert "W9335" not in ended.stderr


def test_convert_to_cli_reports_sources(write: Write) -> None:
    """The API takes no sources, so there is no input of the AWS CLI with the same effect."""
    ended = command("convert", "--to", "cli", write(Golden=targets(FIRST, *SOURCES)))
    assert (ended.status, ended.stdout.strip()) == (1, "")
    assert f"{LIST}[1]: the API accepts no account sources. Write the account IDs" in ended.stderr


def test_the_update_command_rejects_sources() -> None:
    """The AWS CLI's command accepts what the API accepts: account IDs only."""
    entry = {"region": "us-east-1", "amiDistributionConfiguration": {"targetAccountIds": [FIRST, {"parameter": NAME}]}}
    arn = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden"
    ended = command(
        *("update-distribution-configuration", "--distribution-configuration-arn", arn, "--dry-run"),
        *("--distributions", json.dumps([entry])),
    )
    assert ended.status != 0
    path = "distributions[0].amiDistributionConfiguration.targetAccountIds[1]"
    assert f"{path}: must be a string, not a mapping" in ended.stdout + ended.stderr


def test_the_example_validates_with_its_warning_only() -> None:
    """The example has no finding besides the warning that its sources are resolved at deployment."""
    report = json.loads(command("validate", "--format", "json", EXAMPLES / "accounts-from-organization.yaml").stdout)
    assert [one["id"] for one in report["findings"]] == ["W9335"]
