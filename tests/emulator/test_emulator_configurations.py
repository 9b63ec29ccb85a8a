"""The emulator's operations on distribution configurations have the service's semantics."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provider.emulator.emulator import Emulator

PREFIX = "arn:aws:imagebuilder:us-east-1:123456789012"
ARN = f"{PREFIX}:distribution-configuration/golden"
ENTRY: dict[str, Any] = {"region": "us-east-1", "amiDistributionConfiguration": {}}
OTHER: dict[str, Any] = {"region": "eu-west-1", "ssmParameterConfigurations": [{"parameterName": "/golden"}]}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def create(client: Any, **parameters: Any) -> Any:
    return client.create_distribution_configuration(**{"name": "golden", "distributions": [ENTRY], **parameters})


def update(client: Any, **parameters: Any) -> Any:
    wanted = {"distributionConfigurationArn": ARN, "distributions": [ENTRY], **parameters}
    return client.update_distribution_configuration(**wanted)


def get(client: Any, arn: str = ARN) -> Any:
    return client.get_distribution_configuration(distributionConfigurationArn=arn)["distributionConfiguration"]


def delete(client: Any, arn: str = ARN) -> Any:
    return client.delete_distribution_configuration(distributionConfigurationArn=arn)


def test_create_then_get(client: Any, emulator: Emulator) -> None:
    """Get returns the values of Create with the ARN, the creation date, and the unused timeout, but no update date."""
    response = create(client, description="d", tags={"k": "v"}, clientToken="token")
    live = get(client)
    assert (response["distributionConfigurationArn"], response["clientToken"]) == (ARN, "token")
    assert TIMESTAMP.fullmatch(live.pop("dateCreated"))
    assert live == {
        "arn": ARN,
        "name": "golden",
        "description": "d",
        "distributions": [ENTRY],
        "tags": {"k": "v"},
        "timeoutMinutes": 720,
    }
    assert emulator.configurations[ARN]["distributions"] == [ENTRY]


@pytest.mark.parametrize(
    ("name", "last"), [("My Golden_Image 1", "my-golden-image-1"), ("a__B", "a--b"), ("x-1", "x-1")]
)
def test_arn_of_a_name(client: Any, name: str, last: str) -> None:
    """The ARN ends with the lowercase name, with hyphens for spaces and underscores; the name is unchanged."""
    arn = create(client, name=name)["distributionConfigurationArn"]
    assert arn == f"{PREFIX}:distribution-configuration/{last}"
    assert get(client, arn)["name"] == name


def test_other_partitions() -> None:
    """The ARN contains the partition, Region, and account of the emulator."""
    with Emulator(region="cn-north-1", account="210987654321") as emulator:
        arn = emulator.seed(name="golden", distributions=[ENTRY])
    assert arn == "arn:aws-cn:imagebuilder:cn-north-1:210987654321:distribution-configuration/golden"


@pytest.mark.parametrize("name", ["golden", "GOLDEN"])
def test_names_with_the_same_arn(client: Any, name: str) -> None:
    """A name whose ARN exists cannot be created again in any spelling."""
    create(client)
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException, match=ARN):
        create(client, name=name, description="another")
    assert "description" not in get(client)


def test_update_replaces_everything(client: Any) -> None:
    """An Update clears what it omits, except for the name, tags, and creation date; it sets the update date."""
    create(client, description="d", tags={"k": "v"}, distributions=[ENTRY, OTHER])
    before = get(client)
    update(client, distributions=[OTHER])
    after = get(client)
    assert TIMESTAMP.fullmatch(after.pop("dateUpdated"))
    kept = {name: before[name] for name in ("arn", "name", "tags", "dateCreated", "timeoutMinutes")}
    assert after == {**kept, "distributions": [OTHER]}


@pytest.mark.parametrize(
    "arn",
    [
        ARN,
        "arn:aws:imagebuilder:eu-west-1:123456789012:distribution-configuration/there",
        "arn:aws-cn:imagebuilder:us-east-1:123456789012:distribution-configuration/there",
    ],
)
def test_missing_configurations(client: Any, emulator: Emulator, arn: str) -> None:
    """Every operation returns not found for a configuration that does not exist, or of another Region."""
    emulator.seed(name="there", distributions=[ENTRY])
    calls: list[Callable[[], Any]] = [
        lambda: get(client, arn),
        lambda: update(client, distributionConfigurationArn=arn),
        lambda: delete(client, arn),
        lambda: client.tag_resource(resourceArn=arn, tags={"k": "v"}),
        lambda: client.untag_resource(resourceArn=arn, tagKeys=["k"]),
        lambda: client.list_tags_for_resource(resourceArn=arn),
    ]
    for call in calls:
        with pytest.raises(ClientError, match=arn) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_delete(client: Any, emulator: Emulator) -> None:
    """Delete returns the ARN and removes the configuration; its name can be used again."""
    create(client)
    assert delete(client)["distributionConfigurationArn"] == ARN
    assert emulator.configurations == {}
    create(client)


def test_delete_of_a_used_configuration(client: Any, emulator: Emulator) -> None:
    """A configuration that a pipeline uses cannot be deleted; others can."""
    emulator.seed_pipeline("nightly", emulator.seed(name="golden", distributions=[ENTRY]))
    other = emulator.seed(name="other", distributions=[ENTRY])
    with pytest.raises(client.exceptions.ResourceDependencyException, match="has other resources depended on it"):
        delete(client)
    delete(client, other)
    assert set(emulator.configurations) == {ARN}


def test_repeated_create(client: Any, emulator: Emulator) -> None:
    """A repeated Create with the same token returns the first response and has no effect, even after a Delete."""
    first = create(client, clientToken="t")
    delete(client)
    again = create(client, clientToken="t")
    assert again["distributionConfigurationArn"] == first["distributionConfigurationArn"] == ARN
    assert emulator.configurations == {}


def test_repeated_update(client: Any) -> None:
    """A repeated Update does not revert later changes."""
    create(client)
    update(client, description="first", clientToken="1")
    update(client, description="second", clientToken="2")
    update(client, description="first", clientToken="1")
    assert get(client)["description"] == "second"


def test_token_with_other_parameters(client: Any) -> None:
    """A token that was used with other parameters is rejected, and nothing changes."""
    create(client)
    update(client, description="first", clientToken="1")
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        update(client, description="other", clientToken="1")
    assert get(client)["description"] == "first"


def test_tokens_belong_to_an_operation(client: Any) -> None:
    """The same token can be used for one Create and one Update."""
    create(client, clientToken="t")
    update(client, clientToken="t", description="d")
    assert get(client)["description"] == "d"


def test_token_of_a_rejected_request(client: Any) -> None:
    """The token of a rejected request can be used again, with the same or other parameters."""
    with pytest.raises(ClientError, match="cannot be found"):
        update(client, clientToken="t")
    create(client)
    update(client, clientToken="t", description="d")
    assert get(client)["description"] == "d"


def test_dry_run(client: Any, emulator: Emulator) -> None:
    """A dry run returns status 412 if it would succeed, and otherwise its error; it creates nothing."""
    with pytest.raises(client.exceptions.DryRunOperationException) as caught:
        create(client, dryRun=True)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    with pytest.raises(ClientError, match="One or more outputs"):
        create(client, dryRun=True, distributions=[{"region": "us-east-1"}])
    assert emulator.configurations == {}
    create(client, dryRun=False)


def named(name: str) -> dict[str, Any]:
    return {"region": "us-east-1", "amiDistributionConfiguration": {"name": name}}


def shared(group: str) -> dict[str, Any]:
    return {
        "region": "us-east-1",
        "amiDistributionConfiguration": {"launchPermission": {"userGroups": [group]}},
    }


@pytest.mark.parametrize(
    ("distributions", "text"),
    [
        (
            [OTHER, {"region": "us-east-1"}],
            "The value supplied for parameter 'distributions[1]' is not valid. "
            "One or more outputs should be provided for each region in a distribution configuration.",
        ),
        (
            [{"region": "us-east-1", "ssmParameterConfigurations": []}],
            "One or more outputs should be provided for each region",
        ),
        (
            [OTHER, named("golden")],
            "The value supplied for parameter 'distributions[1].amiDistributionConfiguration.name' is not valid. "
            "The EC2 AMI name must contain '{{ imagebuilder:buildDate }}'",
        ),
        ([ENTRY, ENTRY], "'distributions[1].region'"),
        ([shared("everybody")], "'distributions[0].amiDistributionConfiguration.launchPermission.userGroups'"),
    ],
)
def test_rejections_beyond_the_model(client: Any, distributions: list[Any], text: str) -> None:
    """Create and Update reject some values that the model allows, with the service's messages."""
    with pytest.raises(ClientError, match=re.escape(text)) as caught:
        create(client, distributions=distributions)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    create(client)
    with pytest.raises(ClientError, match=re.escape(text)):
        update(client, distributions=distributions)
    assert get(client)["distributions"] == [ENTRY]


@pytest.mark.parametrize(
    "output",
    [
        {"amiDistributionConfiguration": {}},
        {"amiDistributionConfiguration": {"name": "g {{imagebuilder:buildDate}}"}},
        {"amiDistributionConfiguration": {"name": "g {{  imagebuilder:buildDate }}"}},
        {"amiDistributionConfiguration": {"launchPermission": {"userGroups": ["all"]}}},
        {"launchTemplateConfigurations": [{"launchTemplateId": "lt-0123456789abcdef0"}]},
        {"s3ExportConfiguration": {"roleName": "r", "diskImageFormat": "RAW", "s3Bucket": "b"}},
        {"fastLaunchConfigurations": [{"enabled": False}]},
        {"ssmParameterConfigurations": [{"parameterName": "/golden"}]},
    ],
)
def test_accepted_outputs(client: Any, output: dict[str, Any]) -> None:
    """One output of any type is enough for a Region; an empty AMI configuration counts as one."""
    distributions = [{"region": "us-east-1", **output}]
    create(client, distributions=distributions)
    assert get(client)["distributions"] == distributions


def test_seed(client: Any, emulator: Emulator) -> None:
    """A seeded configuration is visible to clients, but neither validated nor recorded; its name must be new."""
    arn = emulator.seed(name="golden", distributions=[{"region": "nowhere"}], description="d", tags={"k": "v"})
    assert emulator.requests == []
    live = get(client, arn)
    assert (live["distributions"], live["description"], live["tags"]) == (
        [{"region": "nowhere"}],
        "d",
        {"k": "v"},
    )
    with pytest.raises(ValueError, match="already exists"):
        emulator.seed(name="golden", distributions=[])
