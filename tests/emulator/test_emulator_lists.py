"""What the emulator lists and tags."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provider.emulator.emulator import Emulator

PREFIX = "arn:aws:imagebuilder:us-east-1:123456789012"
ENTRY: dict[str, Any] = {"region": "us-east-1", "amiDistributionConfiguration": {}}


def summaries(client: Any, **parameters: Any) -> Any:
    return client.list_distribution_configurations(**parameters)["distributionConfigurationSummaryList"]


def test_summaries(client: Any, emulator: Emulator) -> None:
    """A summary has the Regions in the place of the distributions, and the tags."""
    regions = ["us-east-1", "eu-west-1"]
    distributions = [{**ENTRY, "region": region} for region in regions]
    arn = emulator.seed(name="Golden", distributions=distributions, description="d", tags={"k": "v"})
    (summary,) = summaries(client)
    assert summary.pop("dateCreated") == emulator.configurations[arn]["dateCreated"]
    assert summary == {
        "arn": arn,
        "name": "Golden",
        "description": "d",
        "tags": {"k": "v"},
        "regions": regions,
    }


def test_filter_by_name(client: Any, emulator: Emulator) -> None:
    """A filter passes the names it has among its values, as they are spelt."""
    for name in ("One", "two", "three"):
        emulator.seed(name=name, distributions=[ENTRY])
    found = summaries(client, filters=[{"name": "name", "values": ["One", "two", "Three"]}])
    assert [each["name"] for each in found] == ["One", "two"]


def test_filters_that_do_not_exist(client: Any) -> None:
    """A filter by something else is refused with the names there are."""
    with pytest.raises(ClientError, match="Filter by one of: name"):
        summaries(client, filters=[{"name": "arn", "values": ["x"]}])


def test_pages(client: Any, emulator: Emulator) -> None:
    """Pages of the size asked for give everything once, and the last has no token."""
    arns = [emulator.seed(name=f"golden-{n}", distributions=[ENTRY]) for n in range(5)]
    pages = client.get_paginator("list_distribution_configurations").paginate(PaginationConfig={"PageSize": 2})
    found = [[each["arn"] for each in page["distributionConfigurationSummaryList"]] for page in pages]
    assert found == [arns[:2], arns[2:4], arns[4:]]


def test_a_full_last_page(client: Any, emulator: Emulator) -> None:
    """A page that ends with the last one there is has no token."""
    for n in range(2):
        emulator.seed(name=f"golden-{n}", distributions=[ENTRY])
    assert "nextToken" not in client.list_distribution_configurations(maxResults=2)


def test_pages_without_a_size(client: Any, emulator: Emulator) -> None:
    """Who asks for no size gets a first page only, so that forgetting the rest shows."""
    for n in range(30):
        emulator.seed(name=f"golden-{n}", distributions=[ENTRY])
    first = client.list_distribution_configurations()
    assert len(first["distributionConfigurationSummaryList"]) == 25
    assert len(summaries(client, nextToken=first["nextToken"])) == 5


def test_pages_while_things_go_away(client: Any, emulator: Emulator) -> None:
    """What is deleted between two pages hides nothing else from the second."""
    arns = [emulator.seed(name=f"golden-{n}", distributions=[ENTRY]) for n in range(4)]
    token = client.list_distribution_configurations(maxResults=2)["nextToken"]
    for arn in arns[:2]:
        client.delete_distribution_configuration(distributionConfigurationArn=arn)
    assert [each["arn"] for each in summaries(client, nextToken=token)] == arns[2:]


@pytest.mark.parametrize("token", ["x", "bm90IG91cnM=", "é"])
def test_tokens_of_somebody_elses(client: Any, token: str) -> None:
    """A token that no page gave is refused."""
    with pytest.raises(client.exceptions.InvalidPaginationTokenException):
        summaries(client, nextToken=token)


def test_pipelines_of_a_configuration(client: Any, emulator: Emulator) -> None:
    """Pipelines can be listed by the configuration they use."""
    golden = emulator.seed(name="golden", distributions=[ENTRY])
    other = emulator.seed(name="other", distributions=[ENTRY])
    pipelines = [emulator.seed_pipeline(name, golden) for name in ("Nightly Build", "weekly")]
    emulator.seed_pipeline("unrelated", other)
    found = client.list_image_pipelines(filters=[{"name": "distributionConfigurationArn", "values": [golden]}])
    assert [each["arn"] for each in found["imagePipelineList"]] == pipelines
    assert pipelines[0] == f"{PREFIX}:image-pipeline/nightly-build"
    assert {each["distributionConfigurationArn"] for each in found["imagePipelineList"]} == {golden}


def test_pipelines_have_pages(client: Any, emulator: Emulator) -> None:
    """Pipelines come in pages as configurations do."""
    golden = emulator.seed(name="golden", distributions=[ENTRY])
    pipelines = [emulator.seed_pipeline(f"nightly-{n}", golden) for n in range(3)]
    pages = client.get_paginator("list_image_pipelines").paginate(PaginationConfig={"PageSize": 2})
    assert [each["arn"] for page in pages for each in page["imagePipelineList"]] == pipelines


def test_tags(client: Any, emulator: Emulator) -> None:
    """TagResource adds and overwrites, UntagResource removes what is there, and both show everywhere."""
    arn = emulator.seed(name="golden", distributions=[ENTRY], tags={"kept": "1", "changed": "1", "gone": "1"})
    client.tag_resource(resourceArn=arn, tags={"changed": "2", "with space/and:more": ""})
    client.untag_resource(resourceArn=arn, tagKeys=["gone", "never there"])
    tags = {"kept": "1", "changed": "2", "with space/and:more": ""}
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    assert emulator.configurations[arn]["tags"] == tags
    assert summaries(client)[0]["tags"] == tags


def test_tags_are_no_update(client: Any, emulator: Emulator) -> None:
    """Tagging leaves the configuration's dates alone."""
    arn = emulator.seed(name="golden", distributions=[ENTRY])
    client.tag_resource(resourceArn=arn, tags={"k": "v"})
    assert "dateUpdated" not in emulator.configurations[arn]


def test_fifty_tags(client: Any, emulator: Emulator) -> None:
    """A resource holds fifty tags, and a call that would make more of them sets none."""
    arn = emulator.seed(name="golden", distributions=[ENTRY], tags={f"k{n}": "" for n in range(49)})
    with pytest.raises(client.exceptions.InvalidParameterException, match="50 tags at most"):
        client.tag_resource(resourceArn=arn, tags={"one": "", "two": ""})
    client.tag_resource(resourceArn=arn, tags={"one": "", "k0": "overwritten"})
    assert len(emulator.configurations[arn]["tags"]) == 50
