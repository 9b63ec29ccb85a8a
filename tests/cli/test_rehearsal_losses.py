"""A rehearsal finds the losses that a faulty provider would cause: the real function runs, and a fault is injected."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from provider.cli import rehearsal as rehearsal_module
from provider.cli.emulated_sources import EmulatedSources
from provider.cli.emulation import EmulatedLocation
from provider.cli.function import LambdaContext
from provider.cli.rehearsal import Rehearsal
from provider.cli.screen import Screen
from provider.cli.source_values import SourceValues
from provider.cli.warning_log import WarningLog
from provider.emulator.emulator import Emulator
from provider.emulator.source_emulator import SourceEmulator
from provider.handler import handler
from provider.stack_engine.sink import ResponseSink
from provider.template.external_values import ExternalValues
from tests.stack_engine.scripted import Event, fail, respond, response, template

PREFIX = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
ALPHA, BETA = f"{PREFIX}alpha", f"{PREFIX}beta"
ANCHOR = {"Name": "anchor", "Distributions": [{"Region": "us-east-1", "AmiDistributionConfiguration": {}}]}
BAD = {"Name": "bad", "Distributions": [{"Region": "us-east-1", "Color": "red"}]}

Step = Mapping[str, Any]


def own(name: str = "alpha", **properties: Any) -> dict[str, Any]:
    return {**ANCHOR, "Name": name, **properties}


def adopt(arn: str = ALPHA, **properties: Any) -> dict[str, Any]:
    return {"DistributionConfigurationArn": arn, "Distributions": ANCHOR["Distributions"], **properties}


FAILING = {"A": own(), "B": own("beta"), "C": {**BAD, "Description": {"Ref": "B"}}}
FAILED = "the update from template.json ended in UPDATE_ROLLBACK_COMPLETE (C failed)"


class Setup:
    """Rehearses steps (properties or whole resources by logical ID), with `meddle` after each request."""

    def __init__(self, emulator: Emulator, sink: ResponseSink) -> None:
        self.emulator = emulator
        self.sink = sink
        self.out = io.StringIO()
        self.function: Callable[[Event], object] = lambda event: handler(event, LambdaContext())
        self.meddle: Callable[[Event], object] = lambda event: None

    def rehearse(self, *steps: Step) -> list[str]:
        rehearsal = Rehearsal(
            Screen(self.out),
            self.emulator,
            self.sink,
            EmulatedLocation("us-east-1", "123456789012", ""),
            self._invoke,
            WarningLog(None),
            ExternalValues(),
            EmulatedSources(SourceEmulator(), SourceValues({}), print),
        )
        return rehearsal.run([rehearsal_module.Step("images", template(step), {}) for step in steps])

    def _invoke(self, event: Event) -> None:
        self.function(event)
        self.meddle(event)

    @property
    def shown(self) -> list[str]:
        return [line.strip() for line in self.out.getvalue().splitlines()]

    def remove(self, arn: str, request: str, logical_id: str) -> None:
        """Delete a configuration after each request of this type for a logical ID."""

        def meddle(event: Event) -> None:
            if (event["RequestType"], event["LogicalResourceId"]) == (request, logical_id):
                self.emulator.remove(arn)

        self.meddle = meddle


@pytest.fixture
def setup(emulator: Emulator, sink: ResponseSink) -> Setup:
    return Setup(emulator, sink)


def test_live_resource_lost(setup: Setup) -> None:
    """If the configuration of a live resource is missing after a step, the rehearsal ends and names the resource."""
    setup.remove(ALPHA, "Create", "B")
    found = setup.rehearse({"A": own()}, {"A": own(), "B": own("beta")}, {"A": own()})
    assert found == ["A lost its configuration"]
    assert f"A lost its configuration: {ALPHA}" in setup.shown
    assert not any(line.startswith("Delete images") for line in setup.shown)


def test_live_resource_lost_in_a_rollback(setup: Setup) -> None:
    """A rollback must not lose the configuration of a live resource."""
    setup.remove(ALPHA, "Delete", "B")
    found = setup.rehearse({"A": own()}, {"A": own(), "B": BAD})
    assert found == [
        "the update from template.json ended in UPDATE_ROLLBACK_COMPLETE (B failed)",
        "A lost its configuration",
    ]


def test_nothing_lost(setup: Setup) -> None:
    """A rehearsal without losses has no findings, whatever was created, replaced, and deleted."""
    steps = {"A": own()}, {"A": own("beta"), "B": own("gamma")}, {"B": own("gamma", Description="new")}
    assert setup.rehearse(*steps) == []
    assert setup.emulator.configurations == {}


def test_lost_configuration_gets_no_placeholder(setup: Setup) -> None:
    """A configuration that was deleted in the rehearsal gets no placeholder when it is adopted or rolled back."""
    found = setup.rehearse({"A": own(), "Z": ANCHOR}, {"Z": ANCHOR}, {"Z": ANCHOR, "B": adopt()})
    assert found == ["the update from template.json ended in UPDATE_ROLLBACK_COMPLETE (B failed)"]
    assert not any("placeholder content" in line for line in setup.shown)


def test_lost_adopted_configuration(setup: Setup) -> None:
    """A rollback does not hide the loss of an adopted configuration."""
    setup.remove(ALPHA, "Create", "B")
    after = {"A": adopt(Description="new"), "B": {**own("beta"), "Description": {"Ref": "A"}}, "C": FAILING["C"]}
    found = setup.rehearse({"A": adopt()}, after)
    assert "A lost its configuration" in found
    assert sum("placeholder content" in line for line in setup.shown) == 1


RETAINED = {
    "OnDelete": ({"A": own(OnDelete="Retain")}, {}),
    "DeletionPolicy": ({"A": {"Properties": own(), "DeletionPolicy": "Retain"}}, {}),
    "UpdateReplacePolicy": (
        {"A": own()},
        {"A": {"Properties": own("beta"), "UpdateReplacePolicy": "Retain"}},
    ),
}


@pytest.mark.parametrize("how", RETAINED)
def test_retained_configuration_deleted(setup: Setup, how: str) -> None:
    """A configuration that was retained must not be deleted in a later step."""
    first, second = ({**step, "Z": ANCHOR} for step in RETAINED[how])
    setup.remove(ALPHA, "Create", "B")
    found = setup.rehearse(first, second, {**second, "B": own("gamma")})
    assert found == ["1 retained configuration was deleted"]
    assert f"{ALPHA}: retained configuration was deleted" in setup.shown


@pytest.mark.parametrize("how", RETAINED)
def test_retained_configuration_kept(setup: Setup, how: str) -> None:
    """A configuration that was retained and still exists at the end is not a problem."""
    first, second = ({**step, "Z": ANCHOR} for step in RETAINED[how])
    assert setup.rehearse(first, second, {**second, "B": own("gamma")}) == []
    assert ALPHA in setup.emulator.configurations


def test_retained_adoption_deleted(setup: Setup) -> None:
    """An adopted configuration is retained by default, so it must not be deleted later."""
    setup.emulator.seed(name="alpha", distributions=[])
    setup.remove(ALPHA, "Create", "B")
    found = setup.rehearse({"A": adopt(), "Z": ANCHOR}, {"Z": ANCHOR}, {"Z": ANCHOR, "B": own("beta")})
    assert found == ["1 retained configuration was deleted"]


def test_retained_configuration_adopted_to_be_deleted(setup: Setup) -> None:
    """A retained configuration that is adopted with OnDelete: Delete is not deleted if another resource owns it."""
    steps = ({"A": own(OnDelete="Retain"), "Z": ANCHOR}, {"Z": ANCHOR}, {"Z": ANCHOR, "B": adopt(OnDelete="Delete")})
    assert setup.rehearse(*steps) == []
    assert set(setup.emulator.configurations) == {ALPHA}


def ignoring(request: str, nth: int) -> Callable[[Event], None]:
    """The real function, but the nth request of this type succeeds without doing anything."""
    met: list[Event] = []

    def function(event: Event) -> None:
        if event["RequestType"] == request:
            met.append(event)
            if len(met) == nth:
                respond(event, response(event))
                return
        handler(event, LambdaContext())

    return function


CHANGED = {"A": own(Description="new", Tags={"Team": "new"}), "B": {**BAD, "Description": {"Ref": "A"}}}


def test_content_after_a_rollback(setup: Setup) -> None:
    """If a rollback does not restore the content of a live resource, the difference is shown."""
    setup.function = ignoring("Update", nth=2)
    found = setup.rehearse({"A": own(Description="old")}, CHANGED)
    assert found == [
        "the update from template.json ended in UPDATE_ROLLBACK_COMPLETE (B failed)",
        "A's configuration differs from the template after the rollback",
    ]
    shown = setup.shown
    assert f"A: {ALPHA} differs from the template after the rollback" in shown
    assert '~ Description: "old" -> "new"' in shown
    assert '+ Tags["Team"]: "new"' in shown


def test_restored_content_after_a_rollback(setup: Setup) -> None:
    """A rollback that restores the content passes, also next to tags that somebody else set."""

    def tag(event: Event) -> None:
        if event["RequestType"] == "Create" and event["LogicalResourceId"] == "A":
            boto3.client("imagebuilder").tag_resource(resourceArn=ALPHA, tags={"Cost": "1"})

    setup.meddle = tag
    found = setup.rehearse({"A": own(Description="old")}, CHANGED)
    assert found == ["the update from template.json ended in UPDATE_ROLLBACK_COMPLETE (B failed)"]


def test_failed_step_reports_remaining_configurations(setup: Setup) -> None:
    """A failed step reports the configurations that it left behind, even if the stack has other resources."""
    setup.function = ignoring("Delete", nth=2)
    assert setup.rehearse({"A": own()}, FAILING) == [FAILED, "1 configuration left behind"]
    assert f"{BETA}: left behind" in setup.shown


def test_failed_step_reports_deleted_configurations(setup: Setup) -> None:
    """A failed step reports existing configurations that were deleted although no resource adopted them."""
    setup.emulator.seed(name="gamma", distributions=[])
    setup.remove(f"{PREFIX}gamma", "Delete", "B")
    assert setup.rehearse({"A": own()}, FAILING) == [FAILED, "1 existing configuration was deleted"]
    assert f"{PREFIX}gamma: existing configuration was deleted" in setup.shown


def test_failed_step_that_leaves_nothing(setup: Setup) -> None:
    """A step that is rolled back completely reports only its failure."""
    setup.emulator.seed(name="gamma", distributions=[])
    assert setup.rehearse({"A": own()}, FAILING) == [FAILED]


def test_failed_rollback_can_be_continued(setup: Setup) -> None:
    """Configurations that a failed rollback has not reached are not left behind: it can be continued."""
    updates: list[Event] = []

    def function(event: Event) -> None:
        if event["RequestType"] == "Update":
            updates.append(event)
        if len(updates) == 2:
            fail()(event)
        else:
            handler(event, LambdaContext())

    setup.function = function
    found = setup.rehearse({"A": own()}, {"A": own("beta"), "B": {**BAD, "Description": {"Ref": "A"}}})
    assert found == ["the update from template.json ended in UPDATE_ROLLBACK_FAILED (B, A failed)"]
    assert set(setup.emulator.configurations) == {ALPHA, BETA}
