"""Our client retries as often as a plain botocore client."""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from provider.aws.client import call
from provider.emulator.emulator import Emulator, Fault
from provider.errors import ProviderError
from tests.aws.wire import CERTIFICATE, client, plain_client

LIST = "ListDistributionConfigurations"
TROUBLE = (Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.THROTTLE, Fault.RESET, Fault.DENIED)
FOR_EVER = 100


@pytest.fixture
def emulator(settings: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An Image Builder over TLS, without pauses between attempts; the environment points to it."""
    settings.setattr("random.random", lambda: 0.0)
    with Emulator(certificate=CERTIFICATE) as running:
        for name, value in running.environment().items():
            settings.setenv(name, value)
        yield running


def attempts(emulator: Emulator, fault: Fault, one_call: Callable[[], Any]) -> int:
    """Return how often a call arrives if each attempt fails in the same way."""
    emulator.fail(LIST, fault, FOR_EVER)
    before = len(emulator.requests)
    with suppress(ProviderError, BotoCoreError, ClientError):
        one_call()
    emulator.reset_faults()
    return len(emulator.requests) - before


@pytest.mark.parametrize(
    ("mode", "most"),
    [*product(("legacy", "standard", "adaptive"), (None, "2")), (None, None), (None, "1")],
    ids=lambda setting: setting or "default",
)
def test_calls_are_retried_like_a_plain_clients(
    emulator: Emulator, settings: pytest.MonkeyPatch, mode: str | None, most: str | None
) -> None:
    """In every retry mode and for any number of attempts, each failure is retried as often as by a plain client."""
    for name, value in (("AWS_RETRY_MODE", mode), ("AWS_MAX_ATTEMPTS", most)):
        if value:
            settings.setenv(name, value)
    with closing(plain_client()) as plain:
        plain_attempts = [attempts(emulator, fault, plain.list_distribution_configurations) for fault in TROUBLE]
    ours = [attempts(emulator, fault, lambda: call(client(), LIST, {})) for fault in TROUBLE]
    assert dict(zip(TROUBLE, ours, strict=True)) == dict(zip(TROUBLE, plain_attempts, strict=True))
    assert max(ours) == int(most or {"legacy": 5}.get(mode or "", 3))
