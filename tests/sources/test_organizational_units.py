"""Lists of account IDs accept organizational units: all active accounts in them and beneath, without some."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from provider.marker import CreationStatus, status_in
from tests.preflight.account import Account
from tests.sources.conftest import Organization, Script
from tests.stack import Context, Resource, ami

UNIT = "ou-ab12-11111111"
LITERAL = "111122223333"
LIST = "Distributions[0].AmiDistributionConfiguration.TargetAccountIds"


def targets(*entries: object) -> dict[str, Any]:
    """Return properties with these target accounts."""
    return {"Name": "golden", "Distributions": [ami(TargetAccountIds=[*entries])]}


def unit(identifier: str = UNIT, *without: str) -> dict[str, Any]:
    """Return a source."""
    return {"OrganizationalUnit": identifier} | ({"Except": [*without]} if without else {})


def live(resource: Resource) -> list[str]:
    """Return the target accounts of the live configuration."""
    accounts: list[str] = resource.live["distributions"][0]["amiDistributionConfiguration"]["targetAccountIds"]
    return accounts


def found(*accounts: str, state: str = "ACTIVE", **more: Any) -> dict[str, Any]:
    """Return a page of accounts."""
    return {"Accounts": [{"Id": account, "State": state} for account in accounts], **more}


def test_all_accounts_of_nested_units_are_found(resource: Resource, organization: Organization) -> None:
    """A source resolves to the accounts of all pages in the unit and in the units beneath it, at every depth."""
    teams = organization.unit()
    inner = organization.unit(teams, "inner")
    innermost = organization.unit(inner, "innermost")
    other = organization.unit()
    expected = [*organization.accounts(teams, 23), *organization.accounts(innermost, 2)]
    organization.accounts(other, 1)
    assert resource.create(**targets(unit(teams))).status == "SUCCESS"
    assert live(resource) == sorted(expected)


def test_a_root_is_a_unit(resource: Resource, organization: Organization) -> None:
    """The ID of a root stands for all accounts of the organization."""
    expected = [*organization.accounts(organization.unit(), 1), *organization.accounts(organization.root, 1)]
    assert resource.create(**targets(unit(organization.root))).status == "SUCCESS"
    assert {*live(resource)} >= {*expected}


def test_only_active_accounts_are_found(resource: Resource, organization: Organization) -> None:
    """A suspended account is left out."""
    teams = organization.unit()
    first, second = organization.accounts(teams, 2)
    organization.suspend(first)
    assert resource.create(**targets(unit(teams))).status == "SUCCESS"
    assert live(resource) == [second]


@pytest.mark.parametrize("state", ["SUSPENDED", "PENDING_CLOSURE", "PENDING_ACTIVATION", "CLOSED"])
def test_no_other_state_is_active(resource: Resource, script: Script, state: str) -> None:
    """Accounts in any other state are left out."""
    other = found("222222222222", state=state)["Accounts"]
    script.respond = lambda operation, _: (
        {"Accounts": [*other, *found(LITERAL)["Accounts"]]} if "Accounts" in operation else {"OrganizationalUnits": []}
    )
    resource.create(**targets(unit()))
    assert live(resource) == [LITERAL]


def test_exceptions_apply_to_their_source_only(resource: Resource, organization: Organization) -> None:
    """Except leaves out accounts of its source, but not the same accounts in the list or in other sources."""
    teams = organization.unit()
    first, second, third = organization.accounts(teams, 3)
    response = resource.create(**targets(first, unit(teams, first, second), unit(teams, first, third)))
    assert response.status == "SUCCESS"
    assert live(resource) == sorted({first, third, second})


def test_the_list_is_sorted_without_duplicates(resource: Resource, organization: Organization) -> None:
    """A list with sources has each account once, in order, and entries of any order are the same list."""
    teams = organization.unit()
    members = organization.accounts(teams, 3)
    resource.create(**targets(members[0], unit(teams), LITERAL))
    resource.calls()
    assert live(resource) == sorted([*members, LITERAL])
    assert resource.update(**targets(LITERAL, unit(teams), unit(teams))).status == "SUCCESS"
    assert "Update" not in resource.calls()


def test_every_list_of_accounts_takes_sources(resource: Resource, organization: Organization) -> None:
    """User IDs of launch permissions take sources, too, in each spelling, and each unit is read once."""
    teams = organization.unit()
    members = organization.accounts(teams, 2)
    entry = {"organizationalUnit": teams, "except": [members[0]]}
    regions = [ami(region, LaunchPermission={"UserIds": [entry]}) for region in ("us-east-1", "eu-west-1")]
    organization.account.requests.clear()
    assert resource.create(Name="golden", Distributions=regions).status == "SUCCESS"
    for distribution in resource.live["distributions"]:
        assert distribution["amiDistributionConfiguration"]["launchPermission"]["userIds"] == [members[1]]
    assert organization.account.requests == [
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    ]


def test_a_unit_within_another_is_read_once(resource: Resource, script: Script) -> None:
    """A unit that is a source and also beneath another source is read once."""
    script.respond = lambda operation, given: (
        found(f"{len(given['ParentId']):012}")
        if "Accounts" in operation
        else {"OrganizationalUnits": [{"Id": "ou-ab12-222222222"}] if given["ParentId"] == UNIT else []}
    )
    resource.create(**targets(unit(), unit("ou-ab12-222222222")))
    assert len(script.calls) == 4


def test_an_empty_page_may_have_a_next_one(resource: Resource, script: Script) -> None:
    """An empty page with a NextToken is not the last."""

    def respond(operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation != "ListAccountsForParent":
            return {"OrganizationalUnits": []} | ({} if given.get("NextToken") else {"NextToken": "more"})
        return (
            found(LITERAL) if given.get("NextToken") == "2" else found(NextToken="2" if "NextToken" in given else "1")
        )

    script.respond = respond
    resource.create(**targets(unit()))
    assert live(resource) == [LITERAL]


def test_a_repeated_token_fails(resource: Resource, script: Script) -> None:
    """A NextToken that comes again fails the request instead of an endless loop or an incomplete list."""
    tokens = count()
    script.respond = lambda _, __: found(LITERAL, NextToken=f"{next(tokens) % 3}")
    response = resource.create(**targets(unit()))
    assert response.status == "FAILED"
    assert f"{LIST}[0]: OrganizationalUnit {UNIT} could not be resolved" in response.reason
    assert "the same NextToken twice" in response.reason
    assert resource.emulator.configurations == {}


def test_an_unknown_unit_fails(resource: Resource, organization: Organization) -> None:
    """An unknown unit fails with its path, ID, the error's code and request ID, and what to do, and is not retried."""
    organization.account.requests.clear()
    response = resource.create(**targets(LITERAL, unit()))
    assert response.status == "FAILED"
    assert response.reason.startswith(
        f"{LIST}[1]: OrganizationalUnit {UNIT} could not be resolved: ListAccountsForParent failed with "
        "ParentNotFoundException (API request ID "
    )
    assert "Correct the ID" in response.reason
    assert organization.account.requests == ["organizations:ListAccountsForParent"]
    assert resource.emulator.requests == []


@pytest.mark.parametrize(
    ("code", "remediation"),
    [
        ("AccessDeniedException", "OrganizationsRoleArn"),
        ("AWSOrganizationsNotInUseException", "OrganizationsRoleArn"),
        ("InvalidInputException", "Correct the properties"),
    ],
)
def test_an_error_fails(resource: Resource, script: Script, code: str, remediation: str) -> None:
    """An error that no retry can solve fails with its code, its request ID, and what to do."""
    script.respond = lambda _, __: code
    response = resource.create(**targets(unit()))
    assert response.status == "FAILED"
    assert f"failed with {code} (API request ID 5e0b0c7e-0000-4000-8000-00000000feed): on purpose" in response.reason
    assert remediation in response.reason
    assert resource.emulator.requests == []


@pytest.mark.parametrize(
    "response", ["TooManyRequestsException", "ThrottlingException", "ServiceException", 503], ids=str
)
def test_what_can_recover_is_retried(resource: Resource, script: Script, response: str | int) -> None:
    """Throttling and service errors are retried, as often as time allows."""
    attempts = count(1)
    script.respond = lambda *_: response if next(attempts) <= 4 else found(LITERAL) | {"OrganizationalUnits": []}
    assert resource.create(**targets(unit())).status == "SUCCESS"
    assert live(resource) == [LITERAL]


def test_lasting_throttling_fails_in_time(resource: Resource, script: Script) -> None:
    """If throttling lasts, the request fails before its time is up, with the error that was retried."""
    script.respond = lambda _, __: "TooManyRequestsException"
    resource.context = Context(milliseconds=6_000)
    response = resource.create(**targets(unit(), {"Parameter": "/images/accounts"}))
    assert response.status == "FAILED"
    assert "TooManyRequestsException" in response.reason
    assert resource.emulator.requests == []
    assert {operation for operation, _ in script.calls} == {"ListAccountsForParent"}


@pytest.mark.parametrize(
    "output",
    [
        {},
        {"Accounts": [{"Id": LITERAL}]},
        {"Accounts": [{"State": "ACTIVE"}]},
        {"Accounts": [{"Id": "1", "State": "ACTIVE"}]},
        b"<html>a proxy's page</html>",
    ],
    ids=str,
)
def test_an_unusable_response_fails(resource: Resource, script: Script, output: Any) -> None:
    """A response without the list, or with an account without an ID or a state, is not an empty list."""
    script.respond = lambda _, __: output
    response = resource.create(**targets(LITERAL, unit()))
    assert response.status == "FAILED"
    assert f"{LIST}[1]: OrganizationalUnit {UNIT}" in response.reason
    assert resource.emulator.requests == []


@pytest.mark.parametrize("without", [(), ("222222222222",)])
def test_an_empty_result_fails(resource: Resource, organization: Organization, without: tuple[str, ...]) -> None:
    """A source without an active account fails, also if Except leaves none."""
    teams = organization.unit()
    excepted = organization.accounts(teams, 1) if without else []
    response = resource.create(**targets(LITERAL, unit(teams, *excepted)))
    assert response.status == "FAILED"
    assert f"{LIST}[1]: OrganizationalUnit {teams} could not be resolved: there is no active account" in response.reason


def test_all_failures_are_reported(resource: Resource, organization: Organization) -> None:
    """If several sources fail, the reason has all of them, each once."""
    teams, other = organization.unit(), "ou-ab12-22222222"
    response = resource.create(**targets(unit(teams), unit(other), unit(other), {"Parameter": "missing"}))
    assert response.reason.startswith("3 account sources could not be resolved; nothing was changed")
    for expected in (
        f"{LIST}[0]: OrganizationalUnit {teams}",
        f"{LIST}[1]: OrganizationalUnit {other}",
        "ParameterNotFound",
    ):
        assert response.reason.count(expected) == 1


def test_the_role_is_assumed(resource: Resource, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a role, Organizations is read in the role's account, with credentials that the next request reuses."""
    role = "arn:aws:iam::999988887777:role/read-organization"
    keys = account.call("sts", "assume_role", "us-east-1", RoleArn=role, RoleSessionName="setup")["Credentials"]
    as_management = account.as_role(keys)
    as_management("create_organization", FeatureSet="ALL")
    root = as_management("list_roots")["Roots"][0]["Id"]
    teams = as_management("create_organizational_unit", ParentId=root, Name="teams")["OrganizationalUnit"]["Id"]
    made = as_management("create_account", AccountName="a", Email="a@example.com")["CreateAccountStatus"]["AccountId"]
    as_management("move_account", AccountId=made, SourceParentId=root, DestinationParentId=teams)
    failed = resource.create(**targets(unit(teams)))
    assert "ParentNotFoundException" in failed.reason  # it is in another organization
    monkeypatch.setenv("ORGANIZATIONS_ROLE_ARN", role)
    account.requests.clear()
    assert resource.create(**targets(unit(teams))).status == "SUCCESS"
    assert live(resource) == [made]
    assert account.requests[0] == "sts:AssumeRole"
    account.requests.clear()
    assert resource.update(**targets(unit(teams), LITERAL)).status == "SUCCESS"
    assert "sts:AssumeRole" not in account.requests, "the credentials are reused"


def test_a_role_that_cannot_be_assumed_fails(
    resource: Resource, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the role cannot be assumed, the reason names it and both possible causes."""
    role = "arn:aws:iam::999988887777:role/read-organization"
    monkeypatch.setenv("ORGANIZATIONS_ROLE_ARN", role)
    account.refuse("sts:AssumeRole", "AccessDenied")
    before = resource.clock.monotonic()
    response = resource.create(**targets(unit(), unit("r-ab12")))
    assert response.status == "FAILED"
    assert 20 < resource.clock.monotonic() - before < 22, "both sources share the retries of a Create"
    assert response.reason.count("AssumeRole failed with AccessDenied") == 2
    assert "OrganizationsRoleArn. Either the role does not exist, or its trust policy" in response.reason
    assert "ExternalId" not in response.reason


def test_a_create_that_may_have_run_before_says_so(resource: Resource, script: Script) -> None:
    """The marker of a Create whose source failed says that an earlier delivery may have created something."""
    script.respond = lambda _, __: "ParentNotFoundException"
    response = resource.create(**targets(unit()))
    assert status_in(response.physical_id) is CreationStatus.MAY_HAVE_CREATED


def test_a_failed_update_keeps_its_id(resource: Resource, script: Script) -> None:
    """An Update whose source fails returns its physical ID and changes nothing."""
    resource.create(**targets(LITERAL))
    resource.calls()
    script.respond = lambda _, __: "ParentNotFoundException"
    response = resource.update(**targets(unit()))
    assert (response.status, response.physical_id) == ("FAILED", resource.physical_id)
    assert resource.calls() == []


def test_a_delete_resolves_nothing(resource: Resource, script: Script) -> None:
    """A Delete never resolves sources, whatever its physical ID is."""
    script.respond = lambda operation, _: found(LITERAL) | {"OrganizationalUnits": []}
    resource.create(**targets(unit()))
    script.calls.clear()
    assert resource.send("Delete", targets(unit()), physical_id="invented").status == "SUCCESS"
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}
    assert script.calls == []


def test_old_properties_are_not_resolved(resource: Resource, script: Script) -> None:
    """An Update from sources to literal accounts calls no service of sources."""
    script.respond = lambda operation, _: found(LITERAL) | {"OrganizationalUnits": []}
    resource.create(**targets(unit()))
    script.calls.clear()
    assert resource.update(**targets("222222222222")).status == "SUCCESS"
    assert live(resource) == ["222222222222"]
    assert script.calls == []


def test_too_many_accounts_fail(resource: Resource, script: Script) -> None:
    """The limits of a list apply to what it resolves to."""
    many = found(*(f"{number:012}" for number in range(1537)))
    script.respond = lambda operation, _: many | {"OrganizationalUnits": []}
    response = resource.create(**targets(unit()))
    assert response.status == "FAILED"
    assert f"{LIST}: must have at most 1536 entries, but has 1537" in response.reason
    assert resource.emulator.requests == []


def test_an_unreachable_service_fails_in_time(resource: Resource, script: Script) -> None:
    """If Organizations cannot be reached, the request is retried and then fails, and nothing is written."""
    script.close()
    resource.context = Context(milliseconds=6_000)
    response = resource.create(**targets(unit()))
    assert response.status == "FAILED"
    assert "ListAccountsForParent" in response.reason
    assert "Could not connect to the endpoint URL" in response.reason
    assert resource.emulator.requests == []
