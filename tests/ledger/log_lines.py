"""Makes the ledger write its log lines: sweeps with drift, held removals, a missing configuration, and no table."""

import random
from typing import NoReturn

import pytest

from provider.arn import Location
from provider.aws.client import client
from provider.cloudformation.deadline import Deadline
from provider.emulator.emulator import Emulator
from provider.errors import ProviderError
from provider.handler import LEDGER_TABLE, SWEEP, respond
from provider.ledger.combine import Ledger
from provider.ledger.configurations import ImageBuilderConfigurations
from provider.ledger.participate import participate
from provider.ledger.parts import Body, Event, Revision, accept, propose, source_id
from provider.ledger.sources import Refresh, resolved
from provider.ledger.store import Store
from provider.ledger.sweep import DriftMode, Sweep
from provider.observability import logger
from provider.reconciler.api_calls import ApiCalls
from provider.resources.image_builder import ImageBuilder
from provider.resources.locations import Locations
from tests.clock import SkippingClock
from tests.ledger import bodies
from tests.ledger.bodies import ARN, OWNER, USER_IDS, accepted, content, team, users
from tests.ledger.memory import MemoryTable


def _not_resolved(_share: float) -> NoReturn:
    raise ProviderError("the parameter does not exist")


def write(emulator: Emulator, context: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweep with drift and held removals, deploy over drift, and sweep without the configuration and the table."""
    deadline = Deadline(120, clock=SkippingClock())
    here = Location("aws", "us-east-1", "123456789012", is_verified=True)
    calls = ApiCalls(lambda _location, _renew: client("imagebuilder", "us-east-1"), deadline)
    store = Store(MemoryTable(), deadline.now)
    configurations = ImageBuilderConfigurations(ImageBuilder(calls, Locations(here, here, here)), calls)
    ledger = Ledger(store, configurations, deadline, random.Random(), logger())
    now = deadline.now()

    assert store.put(None, accepted(OWNER, content(), [USER_IDS], date=1.0))
    emulator.seed(name="golden", distributions=content(description="by hand")["distributions"])
    Sweep(ledger, DriftMode.REPORT, lambda _arn: None).run()
    source = {"parameter": "/images/accounts"}
    known = Body(
        content(targetAccountIds=[source]), resolved={source_id(source): [f"{number:012}" for number in range(9)]}
    )
    held = accept(propose(None, f"{ARN}-2", bodies.event(OWNER), known), now)
    assert store.put(None, held)
    emulator.seed(name="golden-2", distributions=known.content["distributions"])
    Sweep(ledger, DriftMode.REPORT, lambda _arn: None, Refresh(lambda _source: ("000000000001",), 20)).run()
    resolved(known, held, _not_resolved, 20, ledger.log, is_update=True)
    event = Event(team("a"), Revision(now, "request"), "Create", now + 3600)
    participate(ledger, ARN, event, Body(users("000000000001")))
    emulator.remove(ARN)
    Sweep(ledger, DriftMode.REPORT, lambda _arn: None).run()
    monkeypatch.setenv(LEDGER_TABLE, "ledger")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    respond(SWEEP, context, SkippingClock())
    monkeypatch.delenv(LEDGER_TABLE)
