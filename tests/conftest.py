"""Shared by tests of the handler: an emulator, a sink for responses, and a resource."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from provider.emulator.emulator import Emulator
from provider.stack_engine.sink import AnswerSink
from tests.clock import SkippingClock
from tests.stack import Resource

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long something takes on a loaded machine is no finding


@pytest.fixture
def clock() -> SkippingClock:
    """A clock whose waits take no time."""
    return SkippingClock()


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch, clock: SkippingClock) -> Iterator[Emulator]:
    """A fresh emulator with the clock's dates; botocore's environment variables point to it."""
    with Emulator(clock=clock.time) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def sink() -> Iterator[AnswerSink]:
    """A sink that receives responses like CloudFormation's bucket."""
    with AnswerSink() as running:
        yield running


@pytest.fixture
def resource(emulator: Emulator, sink: AnswerSink, clock: SkippingClock) -> Resource:
    """A custom resource that does not exist yet."""
    return Resource(emulator, sink, clock=clock)
