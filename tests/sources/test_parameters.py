"""Lists of account IDs accept SSM parameters that contain account IDs."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.preflight.account import Account
from tests.sources.conftest import Script
from tests.stack import Resource, ami

NAME = "/images/accounts"
FIRST, SECOND, THIRD = "111122223333", "222233334444", "333344445555"
LIST = "Distributions[0].AmiDistributionConfiguration.LaunchPermission.UserIds"
PutParameter = Callable[..., None]


def users(*entries: object) -> dict[str, Any]:
    """Return properties with these users."""
    return {"Name": "golden", "Distributions": [ami(LaunchPermission={"UserIds": [*entries]})]}


def live(resource: Resource) -> list[str]:
    """Return the users of the live configuration."""
    permission = resource.live["distributions"][0]["amiDistributionConfiguration"]["launchPermission"]
    accounts: list[str] = permission["userIds"]
    return accounts


@pytest.mark.parametrize("type_", ["String", "StringList"])
@pytest.mark.parametrize("value", [f"{SECOND},{FIRST}", f" {SECOND} ,\n{FIRST}\n", f"{FIRST},{SECOND},{FIRST}"])
def test_a_parameter_is_a_list(resource: Resource, put_parameter: PutParameter, value: str, type_: str) -> None:
    """A parameter of text or of a list contains account IDs, separated by commas, with any space around them."""
    put_parameter(NAME, value, type_)
    assert resource.create(**users(THIRD, {"Parameter": NAME})).status == "SUCCESS"
    assert live(resource) == [FIRST, SECOND, THIRD]


def test_each_deployment_reads_the_parameter(resource: Resource, put_parameter: PutParameter) -> None:
    """An Update resolves the sources again, and logs and writes only what changed."""
    put_parameter(NAME, FIRST)
    resource.create(**users({"Parameter": NAME}))
    resource.calls()
    resource.update(**users({"Parameter": NAME}))
    assert "Update" not in resource.calls()
    put_parameter(NAME, f"{FIRST},{SECOND}")
    resource.update(**users({"Parameter": NAME}))
    assert "Update" in resource.calls()
    assert live(resource) == [FIRST, SECOND]


def test_a_rollback_reads_the_parameter_again(resource: Resource, put_parameter: PutParameter) -> None:
    """The Update that rolls back a failed one resolves the sources of the previous properties again."""
    put_parameter(NAME, FIRST)
    resource.create(**users({"Parameter": NAME}))
    failed = users(SECOND)
    resource.send("Update", failed, old=resource.properties)
    assert live(resource) == [SECOND]
    put_parameter(NAME, f"{FIRST},{THIRD}")
    assert resource.roll_back(failed).status == "SUCCESS"
    assert live(resource) == [FIRST, THIRD]


def test_a_delete_accepts_invalid_sources(resource: Resource, account: Account) -> None:
    """A Delete never fails because of its sources, and reads none."""
    resource.create(**users(FIRST))
    account.requests.clear()
    assert resource.delete(**users({"Parameter": [NAME]}, {"Unknown": {}}, {}, None)).status == "SUCCESS"
    assert resource.emulator.configurations == {}
    assert account.requests == []


def test_a_parameter_is_read_once(resource: Resource, put_parameter: PutParameter, account: Account) -> None:
    """A parameter in several lists is read once for a request."""
    put_parameter(NAME, FIRST)
    account.requests.clear()
    lists = {"TargetAccountIds": [{"Parameter": NAME}], "LaunchPermission": {"UserIds": [{"parameter": NAME}]}}
    resource.create(Name="golden", Distributions=[ami(region, **lists) for region in ("us-east-1", "us-west-2")])
    assert account.requests == ["ssm:GetParameter"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"{FIRST},secret-{SECOND}", "entries that are not account IDs of 12 digits: 2 of its 2"),
        (f"{FIRST},", "entries that are not account IDs of 12 digits: 2 of its 2"),
        ("a,b,c,d,e,f,g", "1, 2, 3, 4, 5 and 2 more of its 7"),
        ("\uff11" * 12, "1 of its 1"),
        (" ", "the parameter is empty"),
    ],
)
def test_anything_else_is_a_finding(resource: Resource, put_parameter: PutParameter, value: str, expected: str) -> None:
    """A parameter with anything but account IDs fails with its path and the places, but without its value."""
    put_parameter(NAME, value, "String")
    response = resource.create(**users(THIRD, {"Parameter": NAME}))
    assert response.status == "FAILED"
    assert response.reason.startswith(f"{LIST}[1]: Parameter {NAME} could not be resolved: the parameter")
    assert expected in response.reason
    assert "secret" not in response.reason
    assert resource.emulator.requests == []


def test_a_secret_parameter_fails(resource: Resource, put_parameter: PutParameter) -> None:
    """A SecureString is not decrypted."""
    put_parameter(NAME, FIRST, "SecureString")
    response = resource.create(**users({"Parameter": NAME}))
    assert "the parameter is a SecureString. Use a StringList or a String" in response.reason


def test_a_missing_parameter_fails(resource: Resource, account: Account) -> None:
    """A parameter that does not exist fails with its path, the error's code, and what to do, and is not retried."""
    account.requests.clear()
    response = resource.create(**users({"Parameter": NAME}))
    assert response.status == "FAILED"
    assert f"{LIST}[0]: Parameter {NAME} could not be resolved: GetParameter failed with ParameterNotFound" in (
        response.reason
    )
    assert "Create the parameter in the provider's account and Region" in response.reason
    assert account.requests == ["ssm:GetParameter"]


def test_a_denied_read_names_the_providers_parameter(resource: Resource, account: Account) -> None:
    """If the role may not read the parameter, the reason names the provider's parameter that allows it."""
    resource.create(**users(FIRST))
    account.refuse("ssm:GetParameter", "AccessDeniedException")
    response = resource.update(**users({"Parameter": NAME}))
    assert "AccessDeniedException" in response.reason
    assert "SourceParameterPattern" in response.reason


def test_an_unusable_response_fails(resource: Resource, script: Script) -> None:
    """A response without a parameter is no empty list."""
    script.respond = lambda *_: {}
    assert f"{LIST}[0]: Parameter {NAME}" in resource.create(**users({"Parameter": NAME})).reason
