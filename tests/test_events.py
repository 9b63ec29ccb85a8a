"""The real handler processes each sample event against the emulator."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from provider.cloudformation.response_url import expiry
from provider.emulator.emulator import Emulator
from provider.handler import respond
from provider.resources.ownership import Owner, State
from provider.stack_engine.sink import AnswerSink, CheckedAnswer, read
from tests.clock import SkippingClock

EVENTS = Path(__file__).parent.parent / "events"
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration"
OWN, RENAMED, ADOPTED = f"{ARN}/golden-image", f"{ARN}/golden-image-al2023", f"{ARN}/team-images"


@dataclass(frozen=True)
class Case:
    """An event, the events before it, and its outcome.

    `before` are the events before it. `found` are the names of existing configurations of other owners.
    `physical_id` is the ARN in the response, or None. `left` are the ARNs that exist afterward.
    """

    event: str
    succeeds: bool
    physical_id: str | None
    before: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    note: str = field(default="")

    def __str__(self) -> str:
        return f"{self.event}-{self.note}" if self.note else self.event


OWNED = ("create-own",)
FOUND = ("team-images",)
CASES = [
    Case("create-own", True, OWN, left=(OWN,)),
    Case("create-own", True, OWN, before=OWNED, left=(OWN,), note="delivered-twice"),
    Case("create-own", False, None, found=("golden-image",), left=(OWN,), note="name-taken"),
    Case("create-own-export", True, OWN, left=(OWN,)),
    Case("create-invalid", False, None),
    Case("create-adopt", True, ADOPTED, found=FOUND, left=(ADOPTED,)),
    Case("create-adopt", False, None, note="nothing-there"),
    Case("update-in-place", True, OWN, before=OWNED, left=(OWN,)),
    Case("update-in-place", True, OWN, left=(OWN,), note="vanished"),
    Case("update-no-change", True, OWN, before=OWNED, left=(OWN,)),
    Case("update-tags", True, OWN, before=OWNED, left=(OWN,)),
    Case("update-rename", True, RENAMED, before=OWNED, left=(OWN, RENAMED)),
    Case("update-rename-rollback", True, OWN, before=OWNED, left=(OWN,)),
    Case("update-adopt-to-own", True, ADOPTED, before=("create-adopt",), found=FOUND, left=(ADOPTED,)),
    Case("update-own-to-adopt", True, OWN, before=OWNED, left=(OWN,)),
    Case("update-invalid", False, OWN, before=OWNED, left=(OWN,)),
    Case("delete-own", True, OWN, before=OWNED),
    Case("delete-own", True, OWN, note="already-gone"),
    Case("delete-own-retain", True, OWN, before=OWNED, left=(OWN,)),
    Case("delete-adopted", True, ADOPTED, before=("create-adopt",), found=FOUND, left=(ADOPTED,)),
    Case("delete-adopted-too", True, ADOPTED, before=("create-adopt",), found=FOUND),
    Case("delete-after-failed-create", True, None, before=OWNED, left=(OWN,), note="created-since"),
    Case("delete-after-failed-create", True, None, found=("golden-image",), left=(OWN,), note="never-ours"),
]


class Context:
    """The part of Lambda's context that the function reads."""

    function_name = "provider"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:provider"
    memory_limit_in_mb = 512
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    log_group_name = "/aws/lambda/provider"
    log_stream_name = "2026/11/23/[$LATEST]0"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator() as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text("utf-8"))
    return event


@pytest.fixture
def response_to(emulator: Emulator) -> Iterator[Callable[[str], CheckedAnswer]]:
    """Sends a sample event to the handler and returns the response."""
    with AnswerSink() as sink:

        def send(name: str) -> CheckedAnswer:
            event = load(name)
            slot = sink.open(event["StackId"], event["LogicalResourceId"], event["RequestId"])
            respond({**event, "ResponseURL": slot.url}, Context(), SkippingClock())
            [put] = slot.puts
            return read(put, event)

        yield send


def scalars(value: object) -> Iterator[object]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if children is None:
        yield value
    else:
        for child in children:
            yield from scalars(child)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_event_has_its_outcome(
    case: Case, emulator: Emulator, response_to: Callable[[str], CheckedAnswer]
) -> None:
    """Each event has the expected status, physical ID, and remaining configurations."""
    for name in case.found:
        emulator.seed(name=name, distributions=[{"region": "us-east-1", "amiDistributionConfiguration": {}}])
    for earlier in case.before:
        assert response_to(earlier).succeeded
    response = response_to(case.event)
    assert response.succeeded is case.succeeds, response.reason
    assert set(emulator.configurations) == set(case.left)
    if case.physical_id:
        assert response.physical_id == case.physical_id
    elif not case.succeeds:
        assert not response.physical_id.startswith("arn:")


def test_a_configuration_in_use_is_not_deleted(emulator: Emulator, response_to: Callable[[str], CheckedAnswer]) -> None:
    """The Delete of a configuration that a pipeline uses fails and names the pipeline."""
    response_to("create-own")
    emulator.seed_pipeline("nightly", OWN)
    response = response_to("delete-own")
    assert not response.succeeded
    assert "nightly" in response.reason


def test_an_unfinished_configuration_is_deleted(
    emulator: Emulator, response_to: Callable[[str], CheckedAnswer]
) -> None:
    """The Delete of a Create that never responded deletes its unfinished configuration."""
    event = load("delete-after-failed-create")
    tags = Owner(event["StackId"], event["LogicalResourceId"]).tags(State.UNFINISHED)
    emulator.seed(name="golden-image", distributions=[], tags=tags)
    assert response_to("delete-after-failed-create").succeeded
    assert emulator.configurations == {}


def test_every_sample_is_tested() -> None:
    """Every sample event has a case here and a line in the samples' README."""
    names = {path.stem for path in EVENTS.glob("*.json")}
    assert names == {case.event for case in CASES}
    readme = (EVENTS / "README.md").read_text("utf-8")
    assert not [name for name in names if f"`{name}.json`" not in readme]


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_samples_look_like_cloudformation_s(path: Path) -> None:
    """Every scalar is a string, the IDs match the URL, and Update and Delete have their own fields."""
    event = load(path.stem)
    assert all(isinstance(value, str) for value in scalars(event))
    assert event["ResponseURL"].startswith("https://")
    assert event["RequestId"] in event["ResponseURL"]
    assert ("PhysicalResourceId" in event) is (event["RequestType"] != "Create")
    assert ("OldResourceProperties" in event) is (event["RequestType"] == "Update")


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_samples_do_not_age(path: Path) -> None:
    """No sample's URL has an expiry, because the function rejects a request after its URL's expiry."""
    assert expiry(load(path.stem)["ResponseURL"]) is None
