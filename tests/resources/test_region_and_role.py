"""`Region` and `RoleArn`: configurations in another Region or account."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from provider.aws.client import _client
from provider.aws.roles import ASSUMABLE_ROLES, is_assumable, session_name
from provider.emulator.emulator import Emulator, Fault, Trust
from provider.marker import CreationStatus, status_in
from provider.resources.ownership import Owner, State
from tests.stack import NAME, STACK_ID, Resource, ami

OTHER_ACCOUNT = "210987654321"
ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/images/distribution"
OTHER_ROLE = f"arn:aws:iam::{OTHER_ACCOUNT}:role/images/other"
OWN_ROLE = "arn:aws:iam::123456789012:role/images/own"
OTHER_REGION = "eu-west-1"
MINE: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}
THEIRS = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": "y {{ imagebuilder:buildDate }}"}}]


@pytest.fixture(autouse=True)
def _assumable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ASSUMABLE_ROLES, f"{ROLE}, arn:aws:iam::*:role/images/o*")


@pytest.fixture(autouse=True)
def _no_request_goes_to_the_wrong_place(emulator: Emulator) -> Iterator[None]:
    """After each test: a call about a configuration is signed for its Region, with credentials of its account."""
    yield
    for request in emulator.requests:
        arn = next((value for key, value in request.parameters.items() if key.endswith("Arn")), "")
        if isinstance(arn, str) and ":imagebuilder:" in arn:
            assert [request.region, request.account] == arn.split(":")[3:5]


def arn(name: str = "golden", region: str = "us-east-1", account: str = "123456789012") -> str:
    """The ARN of a configuration."""
    return f"arn:aws:imagebuilder:{region}:{account}:distribution-configuration/{name}"


def places(resource: Resource) -> set[tuple[str, str]]:
    """The Regions and accounts of all calls of Image Builder so far."""
    return {(one.region, one.account) for one in resource.emulator.requests if one.operation != "AssumeRole"}


def assumptions(resource: Resource) -> list[dict[str, Any]]:
    """The parameters of all calls of AssumeRole so far."""
    return [one.parameters for one in resource.emulator.requests if one.operation == "AssumeRole"]


# Region


def test_a_configuration_in_another_region(resource: Resource) -> None:
    """With `Region`, all calls of a resource's life go to that Region, and no role is assumed."""
    assert resource.create(**MINE, Region=OTHER_REGION).physical_id == arn(region=OTHER_REGION)
    assert resource.update(**MINE, Region=OTHER_REGION, Description="new").status == "SUCCESS"
    assert resource.live["description"] == "new"
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}
    assert places(resource) == {(OTHER_REGION, "123456789012")}
    assert assumptions(resource) == []


def test_without_a_role_there_is_no_client_of_sts(resource: Resource) -> None:
    """A resource without `RoleArn` creates one client for each Region that it uses, and none of STS."""
    _client.cache_clear()
    resource.create(**MINE)
    resource.update(**MINE, Region=OTHER_REGION)
    assert _client.cache_info().currsize == 2
    resource.sibling("Other").create(**{**MINE, "Name": "other"}, RoleArn=ROLE)
    assert _client.cache_info().currsize == 4


def test_the_same_name_in_two_regions(resource: Resource) -> None:
    """The same name in another Region is another configuration."""
    resource.create(**MINE)
    other = resource.sibling("Other")
    assert other.create(**MINE, Region=OTHER_REGION).physical_id == arn(region=OTHER_REGION)
    assert set(resource.emulator.configurations) == {arn(), arn(region=OTHER_REGION)}


def test_a_changed_region_is_a_replacement(resource: Resource) -> None:
    """A changed Region creates a configuration there, and CloudFormation's Delete removes the old one."""
    resource.create(**MINE)
    before = dict(resource.properties)
    assert resource.update(**MINE, Region=OTHER_REGION).physical_id == arn(region=OTHER_REGION)
    assert set(resource.emulator.configurations) == {arn(), arn(region=OTHER_REGION)}
    assert resource.send("Delete", before, physical_id=arn()).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {arn(region=OTHER_REGION)}


def test_the_own_region_spelled_out_is_no_replacement(resource: Resource) -> None:
    """A Region that equals the function's changes nothing."""
    resource.create(**MINE)
    assert resource.update(**MINE, Region="us-east-1").physical_id == arn()
    assert resource.update(**MINE).physical_id == arn()


@pytest.mark.parametrize("region", ["us-east1", "US-EAST-1", "us-east-1 ", "", "us-east-1a", "{}"])
def test_a_malformed_region_is_an_error(resource: Resource, region: str) -> None:
    """What does not have the form of a Region's name is an error before any call."""
    response = resource.create(**MINE, Region=region)
    assert response.status == "FAILED"
    assert "Region: must be a Region name like us-east-1" in response.reason
    assert resource.emulator.requests == []


def test_an_adopted_configuration_in_another_region(resource: Resource) -> None:
    """An ARN contains its Region, so an adoption needs no `Region`."""
    resource.emulator.at(OTHER_REGION).seed(name="golden", distributions=THEIRS)
    there = arn(region=OTHER_REGION)
    assert resource.create(DistributionConfigurationArn=there, Distributions=[ami()]).physical_id == there
    assert resource.live["distributions"][0]["amiDistributionConfiguration"]["name"].startswith("x ")
    assert resource.delete().status == "SUCCESS"
    assert there in resource.emulator.configurations


def test_a_disabled_region(resource: Resource) -> None:
    """In a Region that the account has not enabled, a Create fails and says so."""
    resource.emulator.disabled_regions.add("af-south-1")
    response = resource.create(**MINE, Region="af-south-1")
    assert response.status == "FAILED"
    assert "the account has not enabled the Region" in response.reason


# RoleArn


def test_a_configuration_in_another_account(resource: Resource) -> None:
    """With `RoleArn`, all calls of a resource's life use the role's session, which is reused."""
    assert resource.create(**MINE, RoleArn=ROLE).physical_id == arn(account=OTHER_ACCOUNT)
    assert resource.update(**MINE, RoleArn=ROLE, Tags={"team": "a"}).status == "SUCCESS"
    assert resource.live["tags"]["team"] == "a"
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}
    assert places(resource) == {("us-east-1", OTHER_ACCOUNT)}
    (assumed,) = assumptions(resource)
    assert assumed == {"RoleArn": ROLE, "RoleSessionName": "Golden", "ExternalId": STACK_ID}


def test_sts_is_called_in_the_functions_region(resource: Resource) -> None:
    """AssumeRole goes to the STS endpoint of the function's Region, not of the configuration's."""
    resource.create(**MINE, RoleArn=ROLE, Region=OTHER_REGION)
    [assumed] = [one for one in resource.emulator.requests if one.operation == "AssumeRole"]
    assert assumed.region == "us-east-1"
    assert places(resource) == {(OTHER_REGION, OTHER_ACCOUNT)}


def test_each_stack_has_its_own_session(resource: Resource) -> None:
    """Two stacks never share credentials, because a trust policy can allow only one of them."""
    resource.create(**MINE, RoleArn=ROLE)
    stack = STACK_ID.replace("images", "others")
    resource.emulator.sts.trust = {ROLE: Trust([STACK_ID])}
    response = resource.sibling("Other", stack).create(**{**MINE, "Name": "other"}, RoleArn=ROLE)
    assert response.status == "FAILED"
    assert {one["ExternalId"] for one in assumptions(resource)} == {STACK_ID, stack}


def test_a_trust_policy_can_require_the_stack(resource: Resource) -> None:
    """The external ID is the stack's ID, so a trust policy can require it with a pattern."""
    resource.emulator.sts.trust = {ROLE: Trust(["arn:aws:cloudformation:*:123456789012:stack/images/*"])}
    assert resource.create(**MINE, RoleArn=ROLE).status == "SUCCESS"


def test_a_changed_account_is_a_replacement(resource: Resource) -> None:
    """A role of another account replaces the configuration; each Delete uses the role of its own properties."""
    resource.create(**MINE, RoleArn=ROLE)
    before = dict(resource.properties)
    assert resource.update(**MINE).physical_id == arn()
    assert set(resource.emulator.configurations) == {arn(), arn(account=OTHER_ACCOUNT)}
    assert resource.send("Delete", before, physical_id=arn(account=OTHER_ACCOUNT)).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {arn()}


def test_a_changed_role_of_the_same_account_is_an_update(resource: Resource) -> None:
    """Another role of the same account changes nothing but the role."""
    resource.create(**MINE, RoleArn=ROLE)
    assert resource.update(**MINE, RoleArn=OTHER_ROLE, Description="new").physical_id == arn(account=OTHER_ACCOUNT)
    assert resource.emulator.requests[-1].role == OTHER_ROLE
    own = resource.sibling("Own")
    assert own.create(**{**MINE, "Name": "own"}).physical_id == arn("own")
    assert own.update(**{**MINE, "Name": "own"}, RoleArn=OWN_ROLE).physical_id == arn("own")


def test_an_adopted_configuration_in_another_account(resource: Resource) -> None:
    """With a role of its account, a configuration of another account is adopted, and retained by the Delete."""
    there = resource.emulator.at(OTHER_REGION, OTHER_ACCOUNT).seed(name="golden", distributions=THEIRS)
    properties: dict[str, Any] = {"DistributionConfigurationArn": there, "RoleArn": ROLE, "Distributions": [ami()]}
    assert resource.create(**properties).physical_id == there
    assert resource.update(**properties, Description="new").status == "SUCCESS"
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations[there]["description"] == "new"


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"Region": OTHER_REGION}, "Region: contradicts DistributionConfigurationArn, which is in us-east-1"),
        ({"RoleArn": ROLE}, f"RoleArn: is a role of account {OTHER_ACCOUNT}, but DistributionConfigurationArn is in"),
        ({"RoleArn": "arn:aws:iam::1:role/x"}, "RoleArn: must be the ARN of an IAM role"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/no"}, "its parameter AssumableRoleArns does not cover this role"),
    ],
)
def test_contradictions_are_errors(resource: Resource, properties: dict[str, str], problem: str) -> None:
    """A Region or role that contradicts the ARN, and a role that is not allowed, are errors before any call."""
    response = resource.create(DistributionConfigurationArn=arn(), Distributions=[ami()], **properties)
    assert response.status == "FAILED"
    assert problem in response.reason
    assert status_in(response.physical_id) is CreationStatus.NOTHING_CREATED
    assert resource.emulator.requests == []


@pytest.mark.parametrize("trust", [{}, {ROLE: Trust([])}, {ROLE: Trust(["other"])}])
def test_a_role_that_cannot_be_assumed(resource: Resource, trust: dict[str, Trust]) -> None:
    """A denied AssumeRole is retried for about 20 seconds; the reason names the role and both possible causes."""
    resource.emulator.sts.trust = trust
    start = resource.clock.time()
    response = resource.create(**MINE, RoleArn=ROLE)
    assert response.status == "FAILED"
    assert 15 < resource.clock.time() - start < 25
    causes = (
        "Either the role does not exist, or its trust policy does not allow the provider's role with sts:ExternalId"
    )
    for text in (f"sts:AssumeRole of {ROLE} was denied", f"{causes} {STACK_ID}"):
        assert text in response.reason
    assert status_in(response.physical_id) is CreationStatus.DENIED
    assert resource.send("Delete", {**MINE, "RoleArn": ROLE}, physical_id=response.physical_id).status == "SUCCESS"
    assert places(resource) == set()


def test_a_new_role_may_take_time(resource: Resource) -> None:
    """A role that was created in the same deployment can be assumed some seconds later."""
    resource.emulator.sts.trust = {}

    def grant(operation: str, _parameters: object, when: str) -> None:
        if operation == "AssumeRole" and when == "before" and len(assumptions(resource)) > 2:
            resource.emulator.sts.trust = None

    resource.emulator.interruption = grant
    assert resource.create(**MINE, RoleArn=ROLE).status == "SUCCESS"
    resource.emulator.sts.trust = {}
    assert resource.update(**MINE, RoleArn=OTHER_ROLE).status == "SUCCESS"


def test_a_delete_by_arn_needs_its_role(resource: Resource) -> None:
    """A Delete by ARN whose role cannot be assumed, or is of another account, fails and loses nothing."""
    resource.create(**MINE, RoleArn=ROLE)
    resource.emulator.sts.trust = {}
    there = arn(account=OTHER_ACCOUNT)
    assert resource.send("Delete", {**MINE, "RoleArn": OTHER_ROLE}).status == "FAILED"
    assert resource.send("Delete", {**MINE, "RoleArn": OWN_ROLE}).status == "FAILED"
    assert resource.send("Delete", MINE).status == "FAILED"
    assert there in resource.emulator.configurations
    before = len(resource.emulator.requests)
    assert resource.send("Delete", {**MINE, "RoleArn": OTHER_ROLE, "OnDelete": "Retain"}).status == "SUCCESS"
    assert len(resource.emulator.requests) == before


def test_an_invented_id_with_a_role_that_cannot_be_assumed(resource: Resource) -> None:
    """If the role cannot be assumed, the Delete of an invented ID succeeds, because nothing was created with it."""
    resource.emulator.sts.trust = {}
    response = resource.send("Delete", {**MINE, "RoleArn": ROLE}, physical_id="images-Golden-1ABC")
    assert response.status == "SUCCESS"
    resource.emulator.fail_with("AssumeRole", "ExpiredToken", 403, "The security token is expired", times=50)
    response = resource.send("Delete", {**MINE, "RoleArn": OTHER_ROLE}, physical_id="images-Golden-1ABC")
    assert response.status == "FAILED"


def test_expired_credentials_are_renewed(resource: Resource) -> None:
    """If a role's session expires between or during requests, the role is assumed again, and the call is repeated."""
    resource.create(**MINE, RoleArn=ROLE)
    resource.emulator.sts.expire_sessions(ROLE)
    assert resource.update(**MINE, RoleArn=ROLE, Description="1").status == "SUCCESS"
    assert len(assumptions(resource)) == 2

    def expire(operation: str, _parameters: object, when: str) -> None:
        if operation == "UpdateDistributionConfiguration" and when == "before":
            resource.emulator.interruption = None
            resource.emulator.sts.expire_sessions(ROLE)

    resource.emulator.interruption = expire
    assert resource.update(**MINE, RoleArn=ROLE, Description="2").status == "SUCCESS"
    assert resource.live["description"] == "2"
    assert len(assumptions(resource)) == 3


def test_credentials_that_always_expire(resource: Resource) -> None:
    """If renewed credentials expire, too, the request fails and says so, instead of assuming the role for ever."""
    resource.create(**MINE, RoleArn=ROLE)
    resource.emulator.fail_with("UpdateDistributionConfiguration", "ExpiredTokenException", 403, "expired", times=99)
    response = resource.update(**MINE, RoleArn=ROLE, Description="new")
    assert response.status == "FAILED"
    assert "have expired" in response.reason
    assert len(assumptions(resource)) < 5


def test_credentials_are_not_reused_after_their_lifetime(resource: Resource) -> None:
    """Credentials are reused until shortly before they expire."""
    resource.create(**MINE, RoleArn=ROLE)
    resource.clock.sleep(3500)
    resource.update(**MINE, RoleArn=ROLE, Description="1")
    assert len(assumptions(resource)) == 1
    resource.clock.sleep(60)
    resource.update(**MINE, RoleArn=ROLE, Description="2")
    assert len(assumptions(resource)) == 2


def test_sts_failures_are_retried(resource: Resource) -> None:
    """A throttled, unreachable, or failing STS is asked again while time remains; nothing is unknown afterward."""
    resource.emulator.fail_with("AssumeRole", "Throttling", 400, "Rate exceeded", times=9)
    assert resource.create(**MINE, RoleArn=ROLE).status == "SUCCESS"
    resource.emulator.fail("AssumeRole", Fault.RESET, times=9)
    assert resource.update(**MINE, RoleArn=OTHER_ROLE, Description="new").status == "SUCCESS"
    assert resource.calls().count("Create") == 1


def test_a_proxys_page_instead_of_a_session(resource: Resource) -> None:
    """A response that is not from STS is no session; STS is asked again."""
    resource.emulator.fail("AssumeRole", Fault.GARBAGE, times=2)
    assert resource.create(**MINE, RoleArn=ROLE).status == "SUCCESS"
    assert len(assumptions(resource)) == 3


def test_no_secret_of_a_session_is_logged(
    resource: Resource, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At no level is a key or a token of a role's session logged, or part of a response."""
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    resource.create(**MINE, RoleArn=ROLE)
    resource.emulator.sts.expire_sessions(ROLE)
    resource.emulator.fail_with("UpdateDistributionConfiguration", "ExpiredTokenException", 403, "expired", times=99)
    response = resource.update(**MINE, RoleArn=ROLE, Description="new")
    output = "".join(capfd.readouterr())
    assert "request received" in output
    for key in {one.access_key for one in resource.emulator.requests if one.role}:
        assert key not in f"{output}{response}"
    assert "SessionToken" not in output


def test_requests_of_several_places_run_at_the_same_time(resource: Resource) -> None:
    """Requests that run in threads of one process use their own Regions and credentials."""
    places = [{}, {"Region": OTHER_REGION}, {"RoleArn": ROLE}, {"RoleArn": OTHER_ROLE, "Region": OTHER_REGION}] * 3
    resources = [resource.sibling(f"Golden{number}") for number in range(len(places))]

    def live(one: Resource, place: dict[str, str]) -> list[str]:
        properties: dict[str, Any] = {"Name": one.logical_id, "Distributions": [ami()], **place}
        return [
            one.create(**properties).status,
            one.update(**properties, Description="new").status,
            one.delete().status,
        ]

    with ThreadPoolExecutor(len(places)) as pool:
        assert [*pool.map(live, resources, places)] == [["SUCCESS"] * 3] * len(places)
    assert resource.emulator.configurations == {}


def test_an_unreachable_region_is_named(resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another Region cannot be reached, the reason says so and asks for a check of `Region`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", "http://127.0.0.1:1")
    response = resource.create(**MINE, Region=OTHER_REGION)
    assert response.status == "FAILED"
    assert "could not be sent" in response.reason
    assert "Check that Region is correct" in response.reason


def test_denied_calls_name_the_role(resource: Resource) -> None:
    """A denied call names who needs the permission: the role, or the function's role in another Region."""
    denied = ("CreateDistributionConfiguration", "AccessDeniedException", 403, "no")
    resource.emulator.fail_with(*denied, times=99)
    assert f"Allow the role {ROLE} to call" in resource.create(**MINE, RoleArn=ROLE).reason
    reason = resource.create(**MINE, Region=OTHER_REGION).reason
    assert "Allow the provider's role to call imagebuilder:CreateDistributionConfiguration (" in reason
    assert f"parameter Regions must include {OTHER_REGION}" in reason


# Failures between two places


def test_a_failed_replacement_cleans_up_in_its_place(resource: Resource) -> None:
    """If a replacement fails after it created a configuration, it deletes that one in the other place."""
    resource.create(**MINE)
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=9)
    response = resource.update(**MINE, RoleArn=ROLE, Region=OTHER_REGION)
    assert response.status == "FAILED"
    assert response.physical_id == arn()
    assert set(resource.emulator.configurations) == {arn()}


def test_a_rollback_cleans_up_in_the_other_place(resource: Resource) -> None:
    """What a failed replacement left in another place, the rollback's Update deletes with the old properties' role."""
    resource.create(**MINE)
    failed = {**MINE, "RoleArn": ROLE, "Region": OTHER_REGION}
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=9)
    resource.emulator.fail_with("DeleteDistributionConfiguration", "InvalidRequestException", 400, "no", times=9)
    response = resource.update(**failed)
    there = arn(region=OTHER_REGION, account=OTHER_ACCOUNT)
    assert f"{there} may exist and could not be deleted" in response.reason
    assert there in resource.emulator.configurations
    resource.emulator.reset_faults()
    assert resource.roll_back(failed).physical_id == arn()
    assert set(resource.emulator.configurations) == {arn()}


def test_a_rollback_succeeds_if_the_other_place_cannot_be_reached(resource: Resource) -> None:
    """If the place of a failed replacement cannot be reached, the rollback succeeds all the same."""
    resource.create(**MINE)
    resource.emulator.sts.trust = {}
    failed = {**MINE, "RoleArn": ROLE}
    assert resource.update(**failed).status == "FAILED"
    assert resource.roll_back(failed).status == "SUCCESS"
    resource.emulator.disabled_regions.add("af-south-1")
    assert resource.update(**MINE, Region="af-south-1").status == "FAILED"
    assert resource.roll_back({**MINE, "Region": "af-south-1"}).status == "SUCCESS"


def test_a_rollback_between_accounts_leaves_a_handed_over_configuration(resource: Resource) -> None:
    """A rollback never deletes a configuration of the other place that was handed over."""
    resource.create(**MINE)
    there = {**MINE, "RoleArn": ROLE}
    kept = dict(resource.properties)
    assert resource.update(**there).physical_id == arn(account=OTHER_ACCOUNT)
    response = resource.send("Update", kept, old=there, physical_id=arn(account=OTHER_ACCOUNT))
    assert response.physical_id == arn()
    assert set(resource.emulator.configurations) == {arn(), arn(account=OTHER_ACCOUNT)}
    assert resource.send("Delete", there, physical_id=arn(account=OTHER_ACCOUNT)).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {arn()}


def test_a_marker_leads_to_its_place(resource: Resource) -> None:
    """The Delete of a marker removes what the Create left unfinished in its Region and account."""
    properties = {**MINE, "RoleArn": ROLE, "Region": OTHER_REGION}
    owner = Owner(STACK_ID, "Golden")
    there = resource.emulator.at(OTHER_REGION, OTHER_ACCOUNT).seed(
        name="golden", distributions=THEIRS, tags=owner.tags(State.UNFINISHED)
    )
    here = resource.emulator.seed(name="golden", distributions=THEIRS, tags=owner.tags(State.UNFINISHED))
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=9)
    response = resource.create(**properties)
    assert response.status == "FAILED"
    resource.emulator.reset_faults()
    assert resource.send("Delete", properties, physical_id=response.physical_id).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {here}
    assert there not in resource.emulator.configurations


def test_an_update_of_a_marker_cleans_up_in_the_old_place(resource: Resource) -> None:
    """An Update after a failed Create that was not rolled back deletes what that Create left in another place."""
    owner = Owner(STACK_ID, "Golden")
    resource.emulator.at(OTHER_REGION).seed(name="golden", distributions=THEIRS, tags=owner.tags(State.UNFINISHED))
    marker = f"no-distribution-configuration/may-have-created/id/Golden/{STACK_ID}"
    old = {**MINE, "Region": OTHER_REGION}
    assert resource.send("Update", MINE, old=old, physical_id=marker).physical_id == arn()
    assert set(resource.emulator.configurations) == {arn()}


def test_a_late_copy_recreates_nothing_in_another_place(resource: Resource) -> None:
    """A late copy of an Update to another Region creates nothing once the resource has moved on."""
    resource.create(**MINE)
    resource.update(**MINE, Region=OTHER_REGION)
    late = resource.sent
    resource.send("Delete", MINE, physical_id=arn())
    resource.delete()
    resource.emulator.forget_tokens()
    resource.clock.sleep(120)
    assert resource.redeliver(late).status == "FAILED"
    assert resource.emulator.configurations == {}


def test_both_spellings(resource: Resource) -> None:
    """`Region` and `RoleArn` are accepted in camelCase, too."""
    response = resource.create(name="golden", distributions=[ami()], region=OTHER_REGION, roleArn=ROLE)
    assert response.physical_id == arn(region=OTHER_REGION, account=OTHER_ACCOUNT)


# What a failed move left behind


def fail(resource: Resource, **properties: Any) -> None:
    """Let a move create a configuration that it can neither hand over nor delete; then clear the faults."""
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=9)
    resource.emulator.fail_with("DeleteDistributionConfiguration", "InvalidRequestException", 400, "no", times=9)
    assert resource.update(**properties).status == "FAILED"
    resource.emulator.reset_faults()


@pytest.mark.parametrize("name", ["second", "golden"])
def test_a_rollback_to_an_adoption_in_another_region(resource: Resource, name: str) -> None:
    """The rollback to an adopted configuration, whose ARN alone names its Region, cleans up where the move was."""
    there = resource.emulator.at(OTHER_REGION).seed(name="golden", distributions=THEIRS)
    resource.create(DistributionConfigurationArn=there, Distributions=[ami()])
    failed = {**MINE, "Name": name}
    fail(resource, **failed)
    assert set(resource.emulator.configurations) == {there, arn(name)}
    assert resource.roll_back(failed).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {there}


@pytest.mark.parametrize(("survivor", "moved"), [({}, OWN_ROLE), ({"RoleArn": ROLE}, OTHER_ROLE)])
def test_a_rollback_uses_the_role_of_the_failed_move(resource: Resource, survivor: dict[str, str], moved: str) -> None:
    """What a move left in another Region of the same account is deleted with the move's own role."""
    resource.create(**MINE, **survivor)
    failed = {**MINE, "RoleArn": moved, "Region": OTHER_REGION}
    fail(resource, **failed)
    assert resource.roll_back(failed).status == "SUCCESS"
    assert {one.role for one in resource.emulator.requests if one.region == OTHER_REGION} == {moved}
    assert set(resource.emulator.configurations) == {resource.physical_id}


@pytest.mark.parametrize("operation", ["AssumeRole", "GetDistributionConfiguration"])
def test_a_rollback_does_not_wait_for_another_place(resource: Resource, operation: str) -> None:
    """If the other place does not respond in time, the rollback still succeeds: its own work is done."""
    resource.create(**MINE)
    released = threading.Event()

    def hang(called: str, parameters: Mapping[str, Any], when: str) -> None:
        arn_of_call = str(parameters.get("distributionConfigurationArn", OTHER_ACCOUNT))
        if (called, when) == (operation, "before") and OTHER_ACCOUNT in arn_of_call:
            released.wait(60)

    resource.emulator.interruption = hang
    resource.context = replace(resource.context, milliseconds=3000)
    try:
        response = resource.roll_back({**MINE, "RoleArn": ROLE})
    finally:
        released.set()
    assert response.status == "SUCCESS"
    assert response.data["Arn"] == arn()


@pytest.mark.parametrize("lag", [0.0, 2.0])
@pytest.mark.parametrize("place", [{}, {"Region": OTHER_REGION}])
def test_a_leftover_that_is_adopted_is_not_deleted(resource: Resource, place: dict[str, str], lag: float) -> None:
    """An Update from a marker that adopts what the Create left unfinished never deletes it, even if reads lag."""
    region = place.get("Region", "us-east-1")
    content = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}]
    tags = Owner(STACK_ID, "Golden").tags(State.UNFINISHED)
    there = resource.emulator.at(region).seed(name="golden", distributions=content, tags=tags)
    resource.emulator.lag_reads(lag)
    marker = f"no-distribution-configuration/may-have-created/id/Golden/{STACK_ID}"
    new = {"DistributionConfigurationArn": there, "Distributions": [ami()]}
    assert resource.send("Update", new, old={**MINE, **place}, physical_id=marker).physical_id == there
    assert there in resource.emulator.configurations


def test_a_rollback_of_a_rejected_move(resource: Resource) -> None:
    """A move that failed validation created nothing: the rollback neither waits nor calls another place."""
    resource.create(**MINE, RoleArn=ROLE)
    for rejected in ({"RoleArn": "arn:aws:iam::333333333333:role/no"}, {"RoleArn": ROLE, "Region": "us-east1"}):
        failed = {**MINE, **rejected}
        assert resource.update(**failed).status == "FAILED"
        start = resource.clock.time()
        assert resource.roll_back(failed).status == "SUCCESS"
        assert resource.clock.time() - start < 3
    assert places(resource) == {("us-east-1", OTHER_ACCOUNT)}


def test_the_warning_names_what_may_remain(resource: Resource, capfd: pytest.CaptureFixture[str]) -> None:
    """If the other place of a failed move cannot be reached, the log names the configuration that may remain there."""
    resource.create(**MINE)
    resource.emulator.sts.trust = {}
    resource.roll_back({**MINE, "RoleArn": ROLE})
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    [warning] = [line for line in lines if line["level"] == "WARNING"]
    assert warning["configuration"] == arn(account=OTHER_ACCOUNT)


# Reasons


def test_an_arn_of_another_account_and_a_stack_elsewhere(resource: Resource) -> None:
    """The account of the function decides whether an ARN needs a role, even if the stack is in another account."""
    resource.stack_id = STACK_ID.replace("123456789012", OTHER_ACCOUNT)
    response = resource.create(DistributionConfigurationArn=arn(account=OTHER_ACCOUNT), Distributions=[ami()])
    assert "but the provider is in account 123456789012" in response.reason
    assert resource.emulator.requests == []


def test_a_timeout_names_the_call_that_took_long(resource: Resource) -> None:
    """The reason of a timeout names the call that did not return, not the role that had been assumed before."""
    released = threading.Event()

    def hang(called: str, _parameters: object, when: str) -> None:
        if (called, when) == ("CreateDistributionConfiguration", "before"):
            released.wait(60)

    resource.emulator.interruption = hang
    resource.context = replace(resource.context, milliseconds=3000)
    try:
        reason = resource.create(**MINE, RoleArn=ROLE).reason
    finally:
        released.set()
    assert "timed out during CreateDistributionConfiguration of golden" in reason


@pytest.mark.parametrize(
    "properties",
    [
        {**MINE, "Region": "cn-north-1"},
        {"DistributionConfigurationArn": arn().replace("aws", "aws-cn", 1), "Distributions": [ami()]},
    ],
)
def test_another_partition_is_a_warning(
    resource: Resource, capfd: pytest.CaptureFixture[str], properties: dict[str, Any]
) -> None:
    """A Region, or the ARN of an adoption, in another partition than the provider's is a warning."""
    resource.create(**properties)
    assert "is in the partition aws-cn, but the provider is in aws" in capfd.readouterr().out


def test_an_unreachable_sts_is_named(resource: Resource) -> None:
    """If STS does not respond, the reason says that Image Builder was not called, and nothing about `Region`."""
    resource.emulator.fail("AssumeRole", Fault.RESET, times=999)
    reason = resource.create(**MINE, RoleArn=ROLE, Region=OTHER_REGION).reason
    assert f"{ROLE} could not be assumed" in reason
    assert "Image Builder was not called" in reason
    assert "Region is correct" not in reason


def test_revoked_sessions_are_replaced(resource: Resource) -> None:
    """If a role's sessions were revoked, or the role was created again, the role is assumed again, once."""
    resource.create(**MINE, RoleArn=ROLE)
    resource.emulator.sts.revoke_sessions(ROLE)
    assert resource.update(**MINE, RoleArn=ROLE, Description="1").status == "SUCCESS"
    resource.emulator.fail_with("GetDistributionConfiguration", "UnrecognizedClientException", 403, "invalid")
    assert resource.update(**MINE, RoleArn=ROLE, Description="2").status == "SUCCESS"
    assert len(assumptions(resource)) == 3


def test_a_long_role_takes_no_time(resource: Resource) -> None:
    """A role that is too long to be valid is not compared with the patterns, whose wildcards could take long."""
    response = resource.create(**MINE, RoleArn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/{'a/' * 20_000}")
    assert "RoleArn: must have at most 2048 characters" in response.reason
    patterns = ",".join(["arn:aws:iam::*:role/*/*/*/*/*-distribution"] * 10)
    assert not is_assumable(f"arn:aws:iam::{OTHER_ACCOUNT}:role/{'a/' * 1000}", patterns)


# Pure parts


@given(st.text(min_size=1, max_size=255))
def test_a_session_name_is_valid_for_any_logical_id(logical_id: str) -> None:
    """STS accepts the session's name for any logical ID."""
    shape = get_session().get_service_model("sts").operation_model("AssumeRole").input_shape
    assert shape is not None
    limits = shape.members["RoleSessionName"].metadata
    name = session_name(logical_id)
    assert limits["min"] <= len(name) <= limits["max"]
    assert re.fullmatch(limits["pattern"], name, re.ASCII)


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("", False),
        (" , ", False),
        (ROLE, True),
        (f"arn:aws:iam::1:role/x,{ROLE}", True),
        ("arn:aws:iam::*:role/images/*", True),
        ("arn:aws:iam::21098765432?:role/images/distribution", True),
        ("*", True),
        ("arn:aws:iam::210987654321:role/images", False),
        (ROLE.upper(), False),
        (ROLE.replace("distribution", "[d]istribution"), False),
    ],
)
def test_which_roles_are_assumable(patterns: str, *, expected: bool) -> None:
    """The patterns have the wildcards * and ? of IAM, and are separated by commas."""
    assert is_assumable(ROLE, patterns) is expected
