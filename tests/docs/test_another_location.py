"""docs/another-location.md: its policies suffice and are no wider than the provider's own, and its failures occur."""

import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from provider.aws.roles import ASSUMABLE_ROLES
from provider.emulator.emulator import Emulator, Trust
from provider.preflight.policies import Decision, Principal, decide
from provider.template.sections import load, parse
from tests.deployed import deployed
from tests.docs.page import DOCS, ROOT, blocks, rows
from tests.stack import ARN, STACK_ID, ReceivedResponse, Resource, ami

PAGE = DOCS / "another-location.md"
TRUST, PERMISSIONS = (json.loads(block.text) for block in blocks(PAGE) if block.language == "json")
ROLE_TEMPLATE = ROOT / "examples" / "cloudformation" / "another-account" / "role.yaml"
ROLE = "arn:aws:iam::210987654321:role/image-distribution"
OTHER_ROLE = "arn:aws:iam::210987654321:role/other"
THEIRS = "arn:aws:imagebuilder:us-east-1:210987654321:distribution-configuration/golden"
MINE: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}
FAILURES = {cause: reason for cause, reason, _ in rows(PAGE, "Failures")}


@pytest.fixture(autouse=True)
def _assumable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ASSUMABLE_ROLES, ROLE)


def statements(policies: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for policy in policies:
        yield from policy["PolicyDocument"]["Statement"]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions_and_resources(found: Iterator[dict[str, Any]]) -> dict[str, set[str]]:
    """The resources of each action without account, Region, and what the deployment chooses."""
    chosen = re.compile(
        r"(?<=:)(us-east-1|\*)(?=:)|[0-9]{12}|(?<=/)(golden-\*|images/\*|\*)$|(?<=:::)(golden-image-archive|\*)$"
    )
    return {
        action: {chosen.sub("-", one) for one in listed(statement["Resource"])}
        for statement in found
        for action in listed(statement["Action"])
    }


def test_the_permissions_are_those_of_the_providers_role() -> None:
    """The role in another account needs what the provider's role has, except for the log, Lambda, and STS."""
    own = deployed(load(ROOT / "template.yaml"), {"SsmParameterPattern": "images/*"})["ProviderRole"]["Properties"]
    expected = actions_and_resources(statements(own["Policies"]))
    theirs = {key: one for key, one in expected.items() if not key.startswith(("logs:", "lambda:"))}
    assert actions_and_resources(iter(PERMISSIONS["Statement"])) == theirs


def test_the_example_is_the_role_on_the_page() -> None:
    """The example's template creates a role with the page's two policies."""
    [principal] = {one["Principal"]["AWS"] for one in TRUST["Statement"]}
    stacks = TRUST["Statement"][0]["Condition"]["StringLike"]["sts:ExternalId"]
    parameters = {"ProviderRoleArn": principal, "StackIds": stacks}
    properties = deployed(load(ROLE_TEMPLATE), parameters)["ImageDistribution"]["Properties"]
    assert properties["AssumeRolePolicyDocument"] == TRUST
    found = json.loads(json.dumps([*statements(properties["Policies"])]).replace("123456789012", "210987654321"))
    assert found == PERMISSIONS["Statement"]


@pytest.mark.parametrize(
    ("stack_id", "decision"),
    [
        (STACK_ID, Decision.ALLOWED),
        (STACK_ID.replace("stack/images/", "stack/images2/"), Decision.DENIED),
        (STACK_ID.replace("us-east-1", "eu-west-1"), Decision.DENIED),
    ],
    ids=["the stack", "another stack", "another Region"],
)
def test_the_trust_policy_allows_one_stack(resource: Resource, stack_id: str, decision: Decision) -> None:
    """Only the named stack can use the role: by the policy itself, and with the external ID that is really sent."""
    [statement] = TRUST["Statement"]
    provider = Principal("123456789012", statement["Principal"]["AWS"])
    assert decide(TRUST, provider, "sts:AssumeRole", {"sts:externalid": stack_id}) == decision
    resource.emulator.sts.trust = {ROLE: Trust((statement["Condition"]["StringLike"]["sts:ExternalId"],))}
    found = resource.sibling(stack_id=stack_id).create(**MINE, RoleArn=ROLE)
    assert found.status == ("SUCCESS" if decision is Decision.ALLOWED else "FAILED")


def test_the_permissions_cover_a_lifecycle(resource: Resource) -> None:
    """With the role, everything that the provider calls from Create to Delete is allowed."""
    with_role = {**MINE, "Name": "golden-image", "RoleArn": ROLE}
    assert resource.create(**with_role, Tags={"team": "a"}).status == "SUCCESS"
    assert resource.update(**with_role, Description="new", Tags={"team": "b"}).status == "SUCCESS"
    first, before = resource.physical_id, resource.properties
    assert resource.update(**{**with_role, "Name": "golden-two"}).status == "SUCCESS"
    assert resource.send("Delete", before, physical_id=first).status == "SUCCESS"
    resource.emulator.seed_pipeline("nightly", resource.physical_id)
    assert "nightly" in resource.delete().reason
    requests = [one for one in resource.emulator.requests if one.role]
    assert requests
    for request in requests:
        given = request.parameters
        made = THEIRS.replace("golden", given["name"]) if "name" in given else "*"
        subject = given.get("distributionConfigurationArn") or given.get("resourceArn") or made
        assert any(
            f"imagebuilder:{request.operation}" in listed(one["Action"]) and fnmatchcase(subject, one["Resource"])
            for one in PERMISSIONS["Statement"]
        )


def test_the_stacks_on_the_page_are_created(resource: Resource) -> None:
    """The resources on the page are valid, and their configurations are where the page says."""
    templates = [parse(block.text, PAGE.name) for block in blocks(PAGE) if block.language == "yaml"]
    for template in templates:
        for logical_id, one in template.resources.items():
            properties = {key: value for key, value in one["Properties"].items() if not key.startswith("Service")}
            assert resource.sibling(logical_id).create(**properties).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {
        f"{ARN}golden-image".replace("us-east-1", "eu-west-1"),
        f"{THEIRS}-image",
    }


def not_assumable(one: Resource) -> ReceivedResponse:
    return one.create(**MINE, RoleArn=OTHER_ROLE)


def untrusted(one: Resource) -> ReceivedResponse:
    one.emulator.sts.trust = {ROLE: Trust(())}
    return one.create(**MINE, RoleArn=ROLE)


def missing(one: Resource) -> ReceivedResponse:
    one.emulator.sts.trust = {}
    return one.create(**MINE, RoleArn=ROLE)


def expired(one: Resource) -> ReceivedResponse:
    one.create(**MINE, RoleArn=ROLE)
    one.emulator.sts.expire_sessions(ROLE)
    return one.update(**MINE, RoleArn=ROLE, Description="new")


def denied(one: Resource) -> ReceivedResponse:
    deny(one.emulator)
    found = one.create(**MINE, RoleArn=ROLE)
    assert ROLE in found.reason
    return found


def region_not_allowed(one: Resource) -> ReceivedResponse:
    deny(one.emulator)
    return one.create(**MINE, Region="eu-west-1")


def deny(emulator: Emulator) -> None:
    emulator.fail_with("CreateDistributionConfiguration", "AccessDeniedException", 403, "not authorized", times=99)


def disabled(one: Resource) -> ReceivedResponse:
    one.emulator.disabled_regions.add("ap-east-1")
    return one.create(**MINE, Region="ap-east-1")


def misspelled(one: Resource) -> ReceivedResponse:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", "http://127.0.0.1:1")  # the name of no host
        return one.create(**MINE, Region="eu-wets-1")


def other_partition(one: Resource) -> ReceivedResponse:
    return one.create(**MINE, Region="cn-north-1")


def role_of_another_partition(one: Resource) -> ReceivedResponse:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ASSUMABLE_ROLES, "arn:aws-cn:iam::210987654321:role/*")
        return one.create(**MINE, RoleArn=ROLE.replace("arn:aws:", "arn:aws-cn:"))


def contradicting_region(one: Resource) -> ReceivedResponse:
    return one.create(DistributionConfigurationArn=f"{ARN}golden", Region="eu-west-1", Distributions=[ami()])


def contradicting_role(one: Resource) -> ReceivedResponse:
    return one.create(DistributionConfigurationArn=f"{ARN}golden", RoleArn=ROLE, Distributions=[ami()])


def no_role(one: Resource) -> ReceivedResponse:
    return one.create(DistributionConfigurationArn=THEIRS, Distributions=[ami()])


def role_changed_before_delete(one: Resource) -> ReceivedResponse:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ASSUMABLE_ROLES, "*")
        one.create(**MINE, RoleArn=ROLE)
        return one.delete(**MINE, RoleArn="arn:aws:iam::345678901234:role/image-distribution")


SCENARIOS = (not_assumable, untrusted, missing, expired, denied, region_not_allowed, disabled, misspelled,
             other_partition, role_of_another_partition, contradicting_region, contradicting_role, no_role,
             role_changed_before_delete)  # fmt: skip
"""A scenario for each row of the page's table of failures, in its order."""


def reasons() -> list[str]:
    """The reasons in the table; "the same" is the one above."""
    found: list[str] = []
    for reason in FAILURES.values():
        found.append(found[-1] if reason.startswith("the same") else reason)
    return found


@pytest.mark.parametrize(
    ("scenario", "reason"), [*zip(SCENARIOS, reasons(), strict=True)], ids=[one.__name__ for one in SCENARIOS]
)
def test_each_failure_has_its_reason(
    resource: Resource, scenario: Callable[[Resource], ReceivedResponse], reason: str
) -> None:
    """Each cause in the table leads to its reason, and "none" to success."""
    found = scenario(resource)
    texts = re.findall("`([^`]+)`", reason)
    assert (found.status == "SUCCESS") == (not texts)
    for text in texts:
        assert re.search(".+".join(map(re.escape, text.split("…"))), found.reason), found.reason
