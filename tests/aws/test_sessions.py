"""Sessions of one process that are in use at the same time."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from threading import Barrier
from typing import Any

import pytest

from provider.aws import client as aws
from provider.aws.roles import Assumption, credentials
from provider.emulator.emulator import Emulator
from provider.schema.model import SERVICE

ACCOUNTS = ("111111111111", "222222222222")
REGIONS = ("us-east-1", "eu-west-1")
ROUNDS = 10
LIST = "ListDistributionConfigurations"
ASSUMPTION = Assumption("arn:aws:iam::333333333333:role/images", "arn:aws:cloudformation:us-east-1:1:stack/images/1")


@pytest.fixture
def emulators() -> Iterator[list[Emulator]]:
    """One emulator for each account."""
    with ExitStack() as contexts:
        yield [contexts.enter_context(Emulator(account=account)) for account in ACCOUNTS]


def session(account: str) -> Any:
    """A session with a key that shows the account."""
    found = aws.light_session()
    found.set_credentials(f"AKID{account}", "secret")
    return found


def listed(region: str, keys: aws.Credentials | None = None) -> Any:
    return aws.call(aws.client(SERVICE, region, keys), LIST, {})


def test_threads_use_their_own_sessions(emulators: list[Emulator]) -> None:
    """Threads with sessions of their own never use another one's credentials, endpoint, or role."""
    barrier = Barrier(len(emulators), timeout=30)

    def work(emulator: Emulator, account: str) -> None:
        with aws.using_session(session(account), {SERVICE: emulator.url, "sts": emulator.url}):
            for _ in range(ROUNDS):
                for region in REGIONS:
                    barrier.wait()
                    listed(region)
                    barrier.wait()
                    listed(region, credentials(ASSUMPTION, "Golden", region, time.time))

    with ThreadPoolExecutor(len(emulators)) as pool:
        for done in [pool.submit(work, *pair) for pair in zip(emulators, ACCOUNTS, strict=True)]:
            done.result()
    for emulator, account in zip(emulators, ACCOUNTS, strict=True):
        plain = [one for one in emulator.requests if not one.role]
        assumed = [one for one in emulator.requests if one.role]
        assert {one.access_key for one in plain} == {f"AKID{account}"}
        assert [one.region for one in plain if one.operation == LIST] == [*REGIONS] * ROUNDS
        assert [one.operation for one in plain].count("AssumeRole") == 1
        assert {(one.account, one.role) for one in assumed} == {("333333333333", ASSUMPTION.role)}
        assert [one.region for one in assumed] == [*REGIONS] * ROUNDS


def test_a_thread_in_a_copy_of_the_context(emulators: list[Emulator]) -> None:
    """A thread that runs in a copy of the context uses its session, as the handler's work does."""
    with aws.using_session(session(ACCOUNTS[0]), {SERVICE: emulators[0].url}), ThreadPoolExecutor(1) as pool:
        pool.submit(copy_context().run, listed, "us-east-1").result()
    assert [one.access_key for one in emulators[0].requests] == [f"AKID{ACCOUNTS[0]}"]


def test_the_session_before(emulators: list[Emulator], settings: pytest.MonkeyPatch) -> None:
    """At the end of the block, the session and the endpoints from before are in use."""
    settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", emulators[1].url)
    with aws.using_session(session(ACCOUNTS[0]), {SERVICE: emulators[0].url}):
        with aws.using_session(session(ACCOUNTS[1])):
            listed("us-east-1")
        listed("us-east-1")
    listed("us-east-1")
    assert [one.access_key for one in emulators[0].requests] == [f"AKID{ACCOUNTS[0]}"]
    assert [one.access_key for one in emulators[1].requests] == [f"AKID{ACCOUNTS[1]}", "AKIDFROMENVIRONMENT"]
