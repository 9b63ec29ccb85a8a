"""Several stacks in one account import what others export, by CloudFormation's rules."""

from collections.abc import Iterator
from typing import Any

import pytest

from provider.template.sections import Template
from tests.stack_engine.scripted import TOKEN, Rig, rig, succeed, template

IMPORT = {"Fn::ImportValue": "owner-Arn"}


@pytest.fixture
def stage() -> Iterator[Rig]:
    with rig() as made:
        yield made


def exporting(name: Any = "owner-Arn", **properties: str) -> Template:
    """A template that exports the ID of its resource."""
    made = template({"A": properties}, {"Arn": {"Ref": "A"}})
    return made._replace(outputs={"Arn": {**made.outputs["Arn"], "Export": {"Name": name}}})


def test_import(stage: Rig) -> None:
    """An import has the value that another stack exports; the name of the export can be a function's result."""
    owner = stage.create(exporting({"Fn::Sub": "${AWS::StackName}-Arn"}))
    assert owner.exports == {"images-Arn": "physical-A"}
    importing = template({"B": {"Of": {"Fn::ImportValue": "images-Arn"}}})
    stage.engine.create("other", importing, {}, [owner])
    assert stage.provider.events[-1]["ResourceProperties"] == {"ServiceToken": TOKEN, "Of": "physical-A"}
    assert "NOTICE" not in {event.status for event in stage.events}


def test_duplicate_export(stage: Rig) -> None:
    """A stack that exports a name of another stack is rolled back."""
    owner = stage.create(exporting())
    second = stage.engine.create("second", exporting(), {}, [owner])
    assert (second.status, second.exports) == ("ROLLBACK_COMPLETE", {})
    assert stage.reason("CREATE_FAILED") == "Export with name owner-Arn is already exported by stack images."


@pytest.mark.parametrize(("new", "verb"), [("owner-Arn", "updated"), ("other-Arn", "deleted")])
def test_export_in_use(stage: Rig, new: str, verb: str) -> None:
    """An update that changes or removes an export that another stack imports is rolled back."""
    owner = stage.create(exporting(Name="a"))
    other = stage.engine.create("other", template({"B": {"Of": IMPORT}}), {}, [owner])
    assert other.imports == {"owner-Arn"}
    stage.provider.script("A", succeed(PhysicalResourceId="physical-A2"))
    updated = stage.engine.update(owner, exporting(new, Name="b"), {}, [other])
    assert (updated.status, updated.exports) == ("UPDATE_ROLLBACK_COMPLETE", {"owner-Arn": "physical-A"})
    assert stage.reason("UPDATE_FAILED") == f"Export owner-Arn cannot be {verb} as it is in use by other"


def test_export_no_longer_in_use(stage: Rig) -> None:
    """An update may change an export that no stack imports any more."""
    owner = stage.create(exporting(Name="a"))
    other = stage.engine.create("other", template({"B": {"Of": IMPORT}}), {}, [owner])
    other = stage.engine.delete(other)
    stage.provider.script("A", succeed(PhysicalResourceId="physical-A2"))
    updated = stage.engine.update(owner, exporting(Name="b"), {}, [other])
    assert (updated.status, updated.exports) == ("UPDATE_COMPLETE", {"owner-Arn": "physical-A2"})
