"""One emulator serves all Regions and accounts; a request's signature selects them."""

import contextlib
import http.client
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provider.emulator.emulator import Emulator
from tests.clock import SkippingClock

ENTRY: dict[str, Any] = {"region": "us-east-1", "amiDistributionConfiguration": {}}
ACCOUNT = "123456789012"
OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/team/images"


def arn(region: str = "us-east-1", account: str = ACCOUNT, name: str = "golden") -> str:
    return f"arn:aws:imagebuilder:{region}:{account}:distribution-configuration/{name}"


def create(client: Any, **parameters: Any) -> str:
    response = client.create_distribution_configuration(**{"name": "golden", "distributions": [ENTRY], **parameters})
    return str(response["distributionConfigurationArn"])


def code(call: Callable[..., Any], *arguments: Any, **parameters: Any) -> str:
    """The error code of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def assume(emulator: Emulator, connect: Any) -> Callable[..., dict[str, Any]]:
    """Assume a role, with parameters of AssumeRole, and return its credentials."""

    def assumed(role: str = ROLE, **parameters: Any) -> dict[str, Any]:
        sts = connect(emulator, "sts")
        return dict(sts.assume_role(**{"RoleArn": role, "RoleSessionName": "Golden", **parameters})["Credentials"])

    return assumed


def test_each_region_has_its_configurations(emulator: Emulator, connect: Any) -> None:
    """The Region of the signature decides where a configuration is created, with an ARN of that Region."""
    clients = {region: connect(emulator, region=region) for region in ("us-east-1", "eu-west-1", "us-wets-2")}
    assert [create(client) for client in clients.values()] == [arn(region) for region in clients]
    for region, client in clients.items():
        (listed,) = client.list_distribution_configurations()["distributionConfigurationSummaryList"]
        assert listed["arn"] == arn(region)
        assert [*emulator.at(region).configurations] == [arn(region)]
        assert code(create, client) == "ResourceAlreadyExistsException"
    assert [*emulator.configurations] == [arn(region) for region in clients]


def test_the_role_decides_the_account(emulator: Emulator, connect: Any, assume: Any) -> None:
    """Credentials of an assumed role create configurations in the account of that role, others in the own account."""
    there = connect(emulator, region="eu-west-1", credentials=assume())
    assert create(there) == arn("eu-west-1", OTHER)
    assert create(connect(emulator, region="eu-west-1")) == arn("eu-west-1")
    assert [*emulator.at("eu-west-1", OTHER).configurations] == [arn("eu-west-1", OTHER)]
    assert emulator.at(account=OTHER).configurations == {}
    assert [*emulator.configurations] == [arn("eu-west-1", OTHER), arn("eu-west-1")]


def test_partition_of_the_region() -> None:
    """ARNs have the partition of their Region."""
    with Emulator("cn-north-1") as emulator:
        found = emulator.at("cn-northwest-1").seed(name="golden", distributions=[ENTRY])
    assert found == arn("cn-northwest-1").replace("arn:aws:", "arn:aws-cn:")


def operations(client: Any, target: str) -> list[Callable[[], Any]]:
    """A call of each operation that takes an ARN."""
    named = {"distributionConfigurationArn": target}
    return [
        lambda: client.get_distribution_configuration(**named),
        lambda: client.update_distribution_configuration(**named, distributions=[ENTRY]),
        lambda: client.delete_distribution_configuration(**named),
        lambda: client.tag_resource(resourceArn=target, tags={"k": "v"}),
        lambda: client.untag_resource(resourceArn=target, tagKeys=["k"]),
        lambda: client.list_tags_for_resource(resourceArn=target),
    ]


@pytest.mark.parametrize("name", ["golden", "missing"])
def test_configurations_of_another_account(emulator: Emulator, client: Any, name: str) -> None:
    """Each operation is denied for another account's ARN, whether or not that exists, and changes nothing."""
    emulator.at(account=OTHER).seed(name="golden", distributions=[ENTRY])
    before = emulator.configurations
    for call in operations(client, arn(account=OTHER, name=name)):
        with pytest.raises(ClientError, match=r":user/emulator is not authorized to perform: imagebuilder:\w+ on") as e:
            call()
        assert e.value.response["Error"]["Code"] == "AccessDeniedException"
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert arn(account=OTHER, name=name) in str(e.value)
    assert emulator.configurations == before


def test_configurations_of_another_region(emulator: Emulator, client: Any) -> None:
    """Each operation returns not found for another Region's ARN, although that exists, and changes nothing."""
    emulator.at("eu-west-1").seed(name="golden", distributions=[ENTRY])
    before = emulator.configurations
    assert {code(call) for call in operations(client, arn("eu-west-1"))} == {"ResourceNotFoundException"}
    assert emulator.configurations == before


def test_helpers_find_the_location_of_an_arn(emulator: Emulator, connect: Any) -> None:
    """A pipeline is added in the location of its configuration, and a configuration is removed from its own."""
    target = emulator.at("eu-west-1").seed(name="golden", distributions=[ENTRY], tags={"a": "b"}, description="d")
    assert (
        emulator.seed_pipeline("pipeline", target)
        == f"arn:aws:imagebuilder:eu-west-1:{ACCOUNT}:image-pipeline/pipeline"
    )
    there = connect(emulator, region="eu-west-1")
    live = there.get_distribution_configuration(distributionConfigurationArn=target)["distributionConfiguration"]
    assert (live["tags"], live["description"]) == ({"a": "b"}, "d")
    remove = there.delete_distribution_configuration
    assert code(remove, distributionConfigurationArn=target) == "ResourceDependencyException"
    emulator.remove(target)
    assert emulator.configurations == {}
    with pytest.raises(KeyError):
        emulator.remove(target)


def test_client_tokens_belong_to_a_location(emulator: Emulator, connect: Any) -> None:
    """The same client token in two Regions is not a repetition; forgetting tokens affects both Regions."""
    clients = [connect(emulator, region=region) for region in ("us-east-1", "eu-west-1")]
    for client, region in zip(clients, ("us-east-1", "eu-west-1"), strict=True):
        assert create(client, clientToken="t") == create(client, clientToken="t") == arn(region)
    emulator.forget_tokens()
    for client in clients:
        assert code(create, client, clientToken="t") == "ResourceAlreadyExistsException"


def test_delayed_reads_everywhere(emulator: Emulator, connect: Any, clock: SkippingClock) -> None:
    """Delayed reads apply to every location, also to one that is first used later."""
    known = connect(emulator)
    create(known, name="first")
    emulator.lag_reads(60)
    for client, region in ((known, "us-east-1"), (connect(emulator, region="eu-west-1"), "eu-west-1")):
        create(client)
        get = client.get_distribution_configuration
        assert code(get, distributionConfigurationArn=arn(region)) == "ResourceNotFoundException"
    clock.sleep(61)
    assert get(distributionConfigurationArn=arn("eu-west-1"))["distributionConfiguration"]["name"] == "golden"


def test_disabled_regions(emulator: Emulator, connect: Any, assume: Any) -> None:
    """In a Region that is not enabled, all credentials are invalid until it is enabled."""
    credentials = assume()
    emulator.disabled_regions.add("ap-east-1")
    for keys in (None, credentials):
        client = connect(emulator, region="ap-east-1", credentials=keys)
        assert code(client.list_distribution_configurations) == "UnrecognizedClientException"
        assert code(connect(emulator, "sts", "ap-east-1", keys).get_caller_identity) == "InvalidClientTokenId"
        connect(emulator, credentials=keys).list_distribution_configurations()
    emulator.disabled_regions.clear()
    client.list_distribution_configurations()


@pytest.mark.parametrize("region", ["cn-north-1", "moon-1"])
def test_regions_outside_the_partition(emulator: Emulator, connect: Any, assume: Any, region: str) -> None:
    """Credentials are invalid in Regions of another partition, and in those of none."""
    for keys in (None, assume()):
        client = connect(emulator, region=region, credentials=keys)
        with pytest.raises(ClientError, match="security token included in the request is invalid") as caught:
            client.list_distribution_configurations()
        assert caught.value.response["Error"]["Code"] == "UnrecognizedClientException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def send(emulator: Emulator, target: str, authorization: str) -> tuple[int, str]:
    """Send a request with this Authorization header, and return the response's status and body."""
    with contextlib.closing(http.client.HTTPConnection(emulator.url.removeprefix("http://"))) as connection:
        connection.request("POST", target, b"{}", {"Authorization": authorization})
        response = connection.getresponse()
        return response.status, (response.headers["x-amzn-ErrorType"] or "") + response.read().decode()


@pytest.mark.parametrize(("target", "service"), [("/ListDistributionConfigurations", "imagebuilder"), ("/", "sts")])
def test_scope_of_another_service(emulator: Emulator, target: str, service: str) -> None:
    """A signature whose scope names another service is rejected with the right service."""
    for other in {"imagebuilder", "sts", "ec2"} - {service}:
        scope = f"AKIDEXAMPLE/20261129/us-east-1/{other}/aws4_request"
        status, body = send(emulator, target, f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0")
        assert status == 403
        assert f"Credential should be scoped to correct service: '{service}'" in body
        assert ("SignatureDoesNotMatch" if service == "sts" else "InvalidSignatureException") in body


@pytest.mark.parametrize("authorization", ["", "Basic x", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/us-east-1"])
def test_unreadable_signatures(authorization: str) -> None:
    """A request without a signature, or with an unreadable one, is served in the emulator's own location."""
    with Emulator("eu-west-1", OTHER) as emulator:
        seeded = emulator.seed(name="golden", distributions=[ENTRY])
        status, body = send(emulator, "/ListDistributionConfigurations", authorization)
        assert (status, seeded in body) == (200, True)
        (request,) = emulator.requests
    assert (request.region, request.account, request.access_key, request.role) == ("eu-west-1", OTHER, "", "")


def test_records_who_sent_a_request(emulator: Emulator, connect: Any, assume: Any) -> None:
    """Each request is recorded with its Region, and the account, access key, and role of its signature."""
    credentials = assume()
    connect(emulator, region="eu-west-1").list_distribution_configurations()
    connect(emulator, region="eu-west-1", credentials=credentials).list_image_pipelines()
    sent = [(one.operation, one.region, one.account, one.access_key, one.role) for one in emulator.requests]
    assert sent == [
        ("AssumeRole", "us-east-1", ACCOUNT, "emulator", ""),
        ("ListDistributionConfigurations", "eu-west-1", ACCOUNT, "emulator", ""),
        ("ListImagePipelines", "eu-west-1", OTHER, credentials["AccessKeyId"], ROLE),
    ]
