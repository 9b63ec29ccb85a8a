"""The emulator's lists and tags have the service's semantics."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from provider.emulator.emulator import Emulator

PREFIX = "arn:aws:imagebuilder:us-east-1:123456789012"
ENTRY: dict[str, Any] = {"region": "us-east-1", "amiDistributionConfiguration": {}}


def summaries(client: Any, **parameters: Any) -> Any:
    return client.list_distribution_configurations(**parameters)["distributionConfigurationSummaryList"]


def test_summaries(client: Any, emulator: Emulator) -> None:
    """A summary has the Regions instead of the distributions, and the tags."""
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
    """A filter selects the configurations whose exact name is among its values."""
    for name in ("One", "two", "three"):
        emulator.seed(name=name, distributions=[ENTRY])
    found = summaries(client, filters=[{"name": "name", "values": ["One", "two", "Three"]}])
    assert [each["name"] for each in found] == ["One", "two"]


def test_unknown_filters(client: Any) -> None:
    """An unknown filter is rejected with the names of the known ones."""
    with pytest.raises(ClientError, match="Filter by one of: name"):
        summaries(client, filters=[{"name": "arn", "values": ["x"]}])


def test_pages(client: Any, emulator: Emulator) -> None:
    """Pages of the requested size return each item once, and the last one has no token."""
    arns = [emulator.seed(name=f"golden-{n}", distributions=[ENTRY]) for n in range(5)]
    pages = client.get_paginator("list_distribution_configurations").paginate(PaginationConfig={"PageSize": 2})
    found = [[each["arn"] for each in page["distributionConfigurationSummaryList"]] for page in pages]
    assert found == [arns[:2], arns[2:4], arns[4:]]


def test_full_last_page(client: Any, emulator: Emulator) -> None:
    """A full page that ends with the last item has no token."""
    for n in range(2):
        emulator.seed(name=f"golden-{n}", distributions=[ENTRY])
    assert "nextToken" not in client.list_distribution_configurations(maxResults=2)


def test_pages_without_a_size(client: Any, emulator: Emulator) -> None:
    """Without a page size, a list still has pages, so that a client that reads only the first one is detected."""
    for n in range(30):
        emulator.seed(name=f"golden-{n}", distributions=[ENTRY])
    first = client.list_distribution_configurations()
    assert len(first["distributionConfigurationSummaryList"]) == 25
    assert len(summaries(client, nextToken=first["nextToken"])) == 5


def test_deletion_between_pages(client: Any, emulator: Emulator) -> None:
    """A deletion between two pages hides no other item from the second page."""
    arns = [emulator.seed(name=f"golden-{n}", distributions=[ENTRY]) for n in range(4)]
    token = client.list_distribution_configurations(maxResults=2)["nextToken"]
    for arn in arns[:2]:
        client.delete_distribution_configuration(distributionConfigurationArn=arn)
    assert [each["arn"] for each in summaries(client, nextToken=token)] == arns[2:]


@pytest.mark.parametrize("token", ["x", "bm90IG91cnM=", "é"])
def test_unknown_page_tokens(client: Any, token: str) -> None:
    """A token that no page returned is rejected."""
    with pytest.raises(client.exceptions.InvalidPaginationTokenException):
        summaries(client, nextToken=token)


def test_pipelines_of_a_configuration(client: Any, emulator: Emulator) -> None:
    """Pipelines can be listed by the configuration that they use."""
    golden = emulator.seed(name="golden", distributions=[ENTRY])
    other = emulator.seed(name="other", distributions=[ENTRY])
    pipelines = [emulator.seed_pipeline(name, golden) for name in ("Nightly Build", "weekly")]
    emulator.seed_pipeline("unrelated", other)
    found = client.list_image_pipelines(filters=[{"name": "distributionConfigurationArn", "values": [golden]}])
    assert [each["arn"] for each in found["imagePipelineList"]] == pipelines
    assert pipelines[0] == f"{PREFIX}:image-pipeline/nightly-build"
    assert {each["distributionConfigurationArn"] for each in found["imagePipelineList"]} == {golden}


def test_pipelines_have_pages(client: Any, emulator: Emulator) -> None:
    """Lists of pipelines have pages, like lists of configurations."""
    golden = emulator.seed(name="golden", distributions=[ENTRY])
    pipelines = [emulator.seed_pipeline(f"nightly-{n}", golden) for n in range(3)]
    pages = client.get_paginator("list_image_pipelines").paginate(PaginationConfig={"PageSize": 2})
    assert [each["arn"] for page in pages for each in page["imagePipelineList"]] == pipelines


def test_tags(client: Any, emulator: Emulator) -> None:
    """TagResource adds and replaces tags, UntagResource removes them, and all reads return the result."""
    arn = emulator.seed(name="golden", distributions=[ENTRY], tags={"kept": "1", "changed": "1", "gone": "1"})
    client.tag_resource(resourceArn=arn, tags={"changed": "2", "with space/and:more": ""})
    client.untag_resource(resourceArn=arn, tagKeys=["gone", "never there"])
    tags = {"kept": "1", "changed": "2", "with space/and:more": ""}
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    assert emulator.configurations[arn]["tags"] == tags
    assert summaries(client)[0]["tags"] == tags


def test_tags_keep_the_update_date(client: Any, emulator: Emulator) -> None:
    """Tagging does not change the configuration's dates."""
    arn = emulator.seed(name="golden", distributions=[ENTRY])
    client.tag_resource(resourceArn=arn, tags={"k": "v"})
    assert "dateUpdated" not in emulator.configurations[arn]


def test_fifty_tags(client: Any, emulator: Emulator) -> None:
    """A resource has at most fifty tags; a call that exceeds the limit sets none."""
    arn = emulator.seed(name="golden", distributions=[ENTRY], tags={f"k{n}": "" for n in range(49)})
    with pytest.raises(client.exceptions.InvalidParameterException, match="50 tags at most"):
        client.tag_resource(resourceArn=arn, tags={"one": "", "two": ""})
    client.tag_resource(resourceArn=arn, tags={"one": "", "k0": "overwritten"})
    assert len(emulator.configurations[arn]["tags"]) == 50
