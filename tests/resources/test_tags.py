"""Tags are merged three ways: the new template, the old template, and the live tags."""

from provider.schema.rules import OWNERSHIP_TAGS
from tests.stack import Resource, ami


def user_tags(resource: Resource) -> dict[str, str]:
    return {key: value for key, value in resource.live.get("tags", {}).items() if key not in OWNERSHIP_TAGS}


def test_tags_follow_the_template(resource: Resource) -> None:
    """Tags are set, changed, and removed as in the template, without an Update call."""
    resource.create(Name="golden", Distributions=[ami()], Tags={"a": "1", "b": "2"})
    resource.calls()
    resource.update(Name="golden", Distributions=[ami()], Tags={"b": "3", "c": "1.10"})
    assert user_tags(resource) == {"b": "3", "c": "1.10"}
    assert resource.calls() == ["Get", "UntagResource", "TagResource"]
    resource.update(Name="golden", Distributions=[ami()])
    assert user_tags(resource) == {}


def test_empty_tags_are_no_tags(resource: Resource) -> None:
    """`Tags: {}` creates a configuration without tags, and an update to it removes the template's tags."""
    assert resource.create(Name="golden", Distributions=[ami()], Tags={}).status == "SUCCESS"
    assert user_tags(resource) == {}
    resource.update(Name="golden", Distributions=[ami()], Tags={"a": "1"})
    assert resource.update(Name="golden", Distributions=[ami()], Tags={}).status == "SUCCESS"
    assert user_tags(resource) == {}


def test_empty_tags_of_an_adopted_configuration(resource: Resource) -> None:
    """`Tags: {}` keeps the tags of an adopted configuration, as omitting Tags does."""
    arn = resource.emulator.seed(name="theirs", distributions=[], tags={"others": "x"})
    assert resource.create(DistributionConfigurationArn=arn, Distributions=[ami()], Tags={}).status == "SUCCESS"
    assert resource.live["tags"] == {"others": "x"}


def test_tags_of_others_stay(resource: Resource) -> None:
    """An Update keeps tags that the template never had."""
    arn = resource.emulator.seed(name="theirs", distributions=[], tags={"others": "x", "a": "0"})
    resource.create(DistributionConfigurationArn=arn, Distributions=[ami()], Tags={"a": "1"})
    resource.update(DistributionConfigurationArn=arn, Distributions=[ami()])
    assert resource.live["tags"] == {"others": "x"}


def test_all_tags_can_be_replaced_at_the_limit(resource: Resource) -> None:
    """48 tags can be replaced by 48 others, because the old ones are removed first."""
    resource.create(Name="golden", Distributions=[ami()], Tags={f"a{i}": "1" for i in range(48)})
    response = resource.update(Name="golden", Distributions=[ami()], Tags={f"b{i}": "1" for i in range(48)})
    assert response.status == "SUCCESS"
    assert set(user_tags(resource)) == {f"b{i}" for i in range(48)}


def test_an_owned_configuration_can_have_48_tags(resource: Resource) -> None:
    """A 49th tag is rejected with the reason for an owned configuration, and accepted for an adopted one."""
    tags = {f"a{i}": "1" for i in range(49)}
    response = resource.create(Name="golden", Distributions=[ami()], Tags=tags)
    assert response.status == "FAILED"
    assert "Tags: must have at most 48 entries" in response.reason
    arn = resource.emulator.seed(name="theirs", distributions=[])
    assert resource.create(DistributionConfigurationArn=arn, Distributions=[ami()], Tags=tags).status == "SUCCESS"


def test_tag_keys_are_never_renamed(resource: Resource) -> None:
    """Tag keys keep their letter case."""
    resource.create(
        Name="golden", Distributions=[ami(AmiTags={"Name": "a", "region": "b"})], Tags={"Name": "x", "nAme": "y"}
    )
    assert user_tags(resource) == {"Name": "x", "nAme": "y"}
    assert resource.live["distributions"][0]["amiDistributionConfiguration"]["amiTags"] == {"Name": "a", "region": "b"}


def test_a_rollback_keeps_tags_that_others_set(resource: Resource) -> None:
    """The rollback of a failed replacement keeps tags that only the failed template and other people set."""
    arn = resource.emulator.seed(name="theirs", distributions=[], tags={"z": "foreign"})
    resource.create(DistributionConfigurationArn=arn, Distributions=[ami()])
    failed = {"Name": "other", "Distributions": [ami()], "Tags": {"z": "1"}}
    assert resource.roll_back(failed).status == "SUCCESS"
    assert resource.live["tags"] == {"z": "foreign"}
