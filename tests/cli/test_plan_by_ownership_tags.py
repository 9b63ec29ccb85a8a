"""`plan` without the previous template: the plan that follows from the ownership tags of live configurations."""

import json
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from provider.stack_engine.sink import ResponseSink
from tests.cli.commands import command
from tests.cli.plans import RESOURCE_TYPE, Write, adopt, own, planned
from tests.stack import ARN, STACK_ID, Resource

NAMED = ("--stack-name", "images")
NEW_STACK_ID = STACK_ID[:-1] + "2"


@pytest.fixture
def stack(emulator: Emulator, sink: ResponseSink) -> "Stack":
    """A stack that has no resources yet."""
    return Stack(emulator, sink)


class Stack:
    """Creates resources of one or several stacks with the real handler."""

    def __init__(self, emulator: Emulator, sink: ResponseSink) -> None:
        self.emulator, self._sink = emulator, sink

    def has(self, logical_id: str, properties: dict[str, Any], stack_id: str = STACK_ID) -> Resource:
        """Create a resource."""
        resource = Resource(self.emulator, self._sink, logical_id, stack_id)
        assert resource.create(**properties).status == "SUCCESS"
        return resource


def test_another_name_replaces(write: Write, stack: Stack) -> None:
    """If a resource has another Name than the configuration with its ownership tags, that one is replaced."""
    golden = stack.has("Golden", own())
    renamed = own(Name="renamed")
    (change,) = planned(write(Golden=renamed), *NAMED, status=3).values()
    assert (change["action"], change["arn"]) == ("replace", f"{ARN}renamed")
    assert (change["replaced"]["action"], change["replaced"]["arn"]) == ("delete", f"{ARN}images")
    assert "OnDelete, as deployed, is not Retain; to find out, use --previous FILE" in change["replaced"]["reason"]
    reported = golden.send("Update", renamed, old=own())
    assert reported.physical_id == change["arn"]
    golden.delete()
    assert list(stack.emulator.configurations) == [f"{ARN}renamed"]


def test_policy_of_a_replacement(write: Write, stack: Stack) -> None:
    """UpdateReplacePolicy is in the new template, so a retained configuration is not shown as deleted."""
    stack.has("Golden", own())
    golden = {"Type": RESOURCE_TYPE, "UpdateReplacePolicy": "Retain", "Properties": own(Name="renamed")}
    (change,) = planned(write(Golden=golden), *NAMED, status=3).values()
    assert change["replaced"]["action"] == "retain"


def test_removed_resource(write: Write, stack: Stack) -> None:
    """A configuration with the ownership tags of a removed resource is deleted unless it is retained."""
    stack.has("Golden", own())
    stack.has("Gone", own(Name="gone"))
    changes = planned(write(Golden=own()), status=3)
    assert {name: (one["action"], one["arn"]) for name, one in changes.items()} == {
        "Golden": ("none", f"{ARN}images"),
        "Gone": ("delete", f"{ARN}gone"),
    }
    assert (
        "Gone is still in the stack and neither its OnDelete nor its DeletionPolicy, as deployed, is Retain"
        in changes["Gone"]["reason"]
    )
    shown = command("plan", write(Golden=own())).stdout
    assert f"- Gone: {ARN}gone is deleted: provided that Gone is still in the stack" in shown


def test_condition_that_is_false(write: Write, stack: Stack) -> None:
    """A resource whose condition is false counts as removed."""
    stack.has("Golden", own())
    file = write(Golden={"Type": RESOURCE_TYPE, "Condition": "Never", "Properties": own()}, Other=own(Name="other"))
    tree = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**tree, "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}}}), "utf-8")
    assert planned(file, *NAMED, status=3)["Golden"]["action"] == "delete"


def test_other_type_of_resource(write: Write, stack: Stack) -> None:
    """A logical ID that has another type now cannot be planned: its configuration may have been retained."""
    stack.has("Golden", own())
    changes = planned(write(Golden={"Type": "AWS::SNS::Topic"}, Other=own(Name="other")), *NAMED, status=3)
    assert changes["Golden"]["action"] == "unknown"
    assert "in this template its type is AWS::SNS::Topic" in changes["Golden"]["reason"]


def test_stack_is_known_by_the_ownership_tags(write: Write, stack: Stack) -> None:
    """Without --stack-name, a configuration of the template identifies the stack; otherwise nothing is listed."""
    stack.has("Golden", own())
    stack.has("Web", own(Name="web"))
    both = planned(write(Golden=own(), Web=own(Name="renamed")), status=3)
    assert both["Web"]["action"] == "replace"
    before = len(stack.emulator.requests)
    (alone,) = planned(write(Web=own(Name="renamed")), "--account", "123456789012", status=3).values()
    assert alone["action"] == "create"
    assert [one.operation for one in stack.emulator.requests[before:]] == ["GetDistributionConfiguration"]


def test_pages(write: Write, stack: Stack) -> None:
    """The list is read to its end."""
    for number in range(60):
        stack.emulator.seed(name=f"other-{number}", distributions=[])
    stack.has("Golden", own(Name="zzz"))
    (change,) = planned(write(Golden=own()), *NAMED, status=3).values()
    assert change["replaced"]["arn"] == f"{ARN}zzz"


@pytest.mark.parametrize(
    "stack_id",
    [
        STACK_ID.replace("stack/images/", "stack/images-2/"),
        STACK_ID.replace("123456789012", "210987654321"),
        STACK_ID.replace("us-east-1", "eu-west-1"),
    ],
    ids=["name", "account", "Region"],
)
def test_other_stacks(write: Write, stack: Stack, stack_id: str) -> None:
    """Configurations with another stack's ownership tags are ignored."""
    stack.has("Golden", own(), stack_id)
    stack.has("Gone", own(Name="gone"), stack_id)
    changes = planned(write(Golden=own(Name="renamed")), *NAMED, status=3)
    assert {name: one["action"] for name, one in changes.items()} == {"Golden": "create"}


def test_stack_that_was_created_again(write: Write, stack: Stack) -> None:
    """If two stacks had the same name, the template's live configurations identify the current one."""
    stack.has("Golden", own(Name="former"))
    stack.has("Golden", own(), NEW_STACK_ID)
    stack.has("Gone", own(Name="gone"), NEW_STACK_ID)
    assert planned(write(Golden=own()), *NAMED, status=3)["Gone"]["arn"] == f"{ARN}gone"
    renamed = write(Golden=own(Name="renamed"))
    assert planned(renamed, *NAMED, status=3)["Golden"]["action"] == "create"
    shown = command("plan", renamed, *NAMED).stdout
    assert "the ownership tags name several stacks, so replacements and deletions are unknown" in shown
    assert f"{STACK_ID}, {NEW_STACK_ID}" in shown


def test_retained_earlier_configuration(write: Write, stack: Stack) -> None:
    """If the template's own configuration exists, another one with the same ownership tags is only a warning."""
    golden = stack.has("Golden", own(OnDelete="Retain"))
    golden.update(**own(Name="second"))
    (change,) = planned(write(Golden=own(Name="second")), status=0).values()
    assert change["action"] == "none"
    assert change["replaced"] is None
    (warning,) = change["warnings"]
    assert warning.startswith(
        f"{ARN}images has this resource's ownership tags: either an earlier replacement retained it, or"
    )


def test_several_earlier_configurations(write: Write, stack: Stack) -> None:
    """If several configurations have the same ownership tags, all are named, because any may be the replaced one."""
    golden = stack.has("Golden", own(OnDelete="Retain"))
    golden.update(**own(Name="second"))
    (change,) = planned(write(Golden=own(Name="third")), *NAMED, status=3).values()
    assert change["action"] == "create"
    assert [one.partition(" ")[0] for one in change["warnings"]] == [f"{ARN}images", f"{ARN}second"]


def test_released_by_adoption(write: Write, stack: Stack) -> None:
    """A configuration that another resource adopts is released, so it is not deleted with its former resource."""
    stack.has("Former", own(Name="web"))
    (change,) = planned(write(Golden=adopt()), *NAMED, status=3).values()
    assert (change["action"], change["differences"]) == ("update", [])
    assert any("is owned by resource Former" in one and "is released to" in one for one in change["warnings"])


def test_same_arn(write: Write, stack: Stack) -> None:
    """Another spelling of a name with the same ARN does not replace the configuration."""
    stack.has("Golden", own(Name="golden-image"))
    (change,) = planned(write(Golden=own(Name="Golden_Image")), *NAMED, status=0).values()
    assert (change["action"], change["replaced"]) == ("none", None)


def test_chosen_resource(write: Write, stack: Stack) -> None:
    """--resource accepts a removed resource, and rejects an unknown one."""
    stack.has("Golden", own())
    stack.has("Gone", own(Name="gone"))
    file = write(Golden=own())
    assert list(planned(file, "--resource", "Gone", status=3)) == ["Gone"]
    assert list(planned(file, "--resource", "Golden", status=0)) == ["Golden"]
    ended = command("plan", file, "--resource", "Nobody")
    assert ended.status == 2
    assert "no such resource: Nobody; choose from Golden, Gone" in ended.stderr


def test_previous_template_takes_precedence(write: Write, stack: Stack) -> None:
    """With --previous, the ownership tags of other configurations are not read."""
    stack.has("Golden", own())
    stack.has("Retained", own(Name="retained"))
    before = len(stack.emulator.requests)
    file = write(Golden=own())
    assert list(planned(file, "--previous", file, *NAMED, status=0)) == ["Golden"]
    assert {one.operation for one in stack.emulator.requests[before:]} == {"GetDistributionConfiguration"}


def test_list_that_cannot_be_read(write: Write, stack: Stack) -> None:
    """If the configurations cannot be listed, the status is 2, and the message has the service's error."""
    stack.has("Golden", own())
    stack.emulator.fail_with("ListDistributionConfigurations", "AccessDeniedException", 403, "You shall not list.")
    ended = command("plan", write(Golden=own()))
    assert (ended.status, ended.stdout) == (2, "")
    assert "You shall not list" in ended.stderr
