"""Rules that hold for all values that the model allows."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.model import ListShape, MapShape, Shape, StructureShape
from hypothesis import given, settings
from hypothesis import strategies as st

from provider.emulator.emulator import Emulator

MODEL = botocore.session.Session().get_service_model("imagebuilder")
AMI_NAME = "amiDistributionConfiguration.name"
ENDS = {
    AMI_NAME: st.sampled_from(["g {{imagebuilder:buildDate}}", "{{ imagebuilder:buildDate }}"]),
    "launchPermission.userGroups": st.just(["all"]),
}


def texts(shape: Shape) -> st.SearchStrategy[str]:
    limits = shape.metadata
    if "enum" in limits:
        return st.sampled_from(limits["enum"])
    low, high = limits.get("min", 0), limits.get("max", 200)
    if "pattern" not in limits:
        return st.text(st.characters(exclude_categories=["Cs"]), min_size=low, max_size=min(high, 20))
    pattern = re.compile(re.sub(r"\$$", r"\\Z", limits["pattern"]), re.ASCII)
    return st.from_regex(pattern).filter(lambda text: low <= len(text) <= high)


def values(shape: Shape, path: str = "") -> st.SearchStrategy[Any]:
    """Values that `shape` and the service's own rules allow."""
    for end, strategy in ENDS.items():
        if path.endswith(end):
            return strategy
    least = shape.metadata.get("min", 0)
    if isinstance(shape, StructureShape):
        members = {name: values(member, f"{path}.{name}") for name, member in shape.members.items()}
        required = {name: members.pop(name) for name in shape.required_members}
        return st.fixed_dictionaries(required, optional=members)
    if isinstance(shape, ListShape):
        return st.lists(values(shape.member, path), min_size=least, max_size=2)
    if isinstance(shape, MapShape):
        return st.dictionaries(texts(shape.key), texts(shape.value), min_size=least, max_size=2)
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "integer":
        return st.integers(least, shape.metadata.get("max", 2**31 - 1))
    return texts(shape)


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Emulator, Any]]:
    with Emulator() as emulator:
        session = boto3.session.Session("emulator", "emulator", region_name="us-east-1")
        config = Config(retries={"total_max_attempts": 1})
        client = session.client("imagebuilder", endpoint_url=emulator.url, config=config)
        yield emulator, client
        client.close()


def contents(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Members for `operation`, except for the name, the ARN, the client token, and `dryRun`."""
    shape = MODEL.operation_model(operation).input_shape
    assert isinstance(shape, StructureShape)
    entries = shape.members["distributions"]
    assert isinstance(entries, ListShape)
    apart = {"name", "distributionConfigurationArn", "distributions", "clientToken", "dryRun"}
    members = {name: values(each) for name, each in shape.members.items() if name not in apart}
    distributions = st.lists(
        values(entries.member).filter(lambda value: any(value[name] != [] for name in value if name != "region")),
        min_size=1,
        max_size=2,
        unique_by=lambda value: str(value["region"]),
    )
    return st.fixed_dictionaries({"distributions": distributions}, optional=members)


@settings(max_examples=25, deadline=None)
@given(first=contents("CreateDistributionConfiguration"), second=contents("UpdateDistributionConfiguration"))
def test_get_returns_the_last_write(
    shared: tuple[Emulator, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    """Get returns exactly the values of Create, and after an Update exactly those of the Update."""
    emulator, client = shared
    arn = client.create_distribution_configuration(name="golden", **first)["distributionConfigurationArn"]
    try:
        made = {name: emulator.configurations[arn][name] for name in ("arn", "name", "timeoutMinutes", "dateCreated")}
        assert live(client, arn) == {"tags": {}, **first, **made}
        client.update_distribution_configuration(distributionConfigurationArn=arn, **second)
        after = live(client, arn)
        made["dateUpdated"] = after["dateUpdated"]
        assert after == {"tags": first.get("tags", {}), **second, **made}
    finally:
        client.delete_distribution_configuration(distributionConfigurationArn=arn)


def live(client: Any, arn: str) -> dict[str, Any]:
    response = client.get_distribution_configuration(distributionConfigurationArn=arn)
    return dict(response["distributionConfiguration"])
