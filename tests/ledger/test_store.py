"""The records in a real DynamoDB emulator, with injected failures."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from provider.cloudformation.deadline import Deadline
from provider.emulator.faults import Fault
from provider.errors import Outcome, ProviderError
from provider.ledger.parts import Part, accept, reject, withdraw
from provider.ledger.store import Lease, LeaseLost, Store
from provider.ledger.table import DynamoTable, Key, Write
from tests.clock import SkippingClock
from tests.ledger.bodies import ARN, OWNER, accepted, content, event, proposed, team, users
from tests.ledger.dynamodb import Proxy

A = team("a")


def held(store: Store) -> Lease:
    """Return a lease that this test holds."""
    lease = store.take(store.lease(ARN), "test", 2000.0)
    assert lease is not None
    return lease


def written(store: Store, part: Part) -> Part:
    """Write a new part, and return it as it is read."""
    assert store.put(store.part(part.arn, part.owner), part)
    found = store.part(part.arn, part.owner)
    assert found is not None
    return found


def test_a_part_is_read_as_it_was_written(store: Store) -> None:
    """Every field of a record survives the table."""
    part = accepted(OWNER, content(), ["Distributions"], date=100.25)._replace(
        rejection="no",
        token="token",
        call="call",
        physical_id="id",
        rank=3,
        is_retained=True,
        previous=b"\x00\xff",
    )
    assert written(store, part) == part._replace(version=1)
    again = withdraw(part._replace(version=1), ARN, event(OWNER, 200, kind="Delete"), 200)
    assert written(store, again) == again._replace(version=2)
    assert store.parts(ARN) == [again._replace(version=2)]


def test_a_part_is_replaced_only_if_it_is_unchanged(store: Store) -> None:
    """A write that is based on an outdated read is refused."""
    first = written(store, proposed(A, users("1")))
    assert store.put(first, accept(first, 200))
    assert not store.put(first, reject(first, "late", 200))
    assert not store.put(None, proposed(A, users("2")))


def test_an_expired_record_counts_as_none(store: Store, new_table: Callable[[], DynamoTable]) -> None:
    """An expired tombstone that DynamoDB has not deleted yet is ignored, and can be replaced."""
    tombstone = withdraw(None, ARN, event(A, 100, kind="Delete"), 100)
    assert store.put(None, tombstone)
    assert store.part(ARN, A) == tombstone._replace(version=1)
    later = Store(new_table(), lambda: 100_000.0)
    assert later.part(ARN, A) is None
    assert later.parts(ARN) == []
    assert later.put(None, proposed(A, users("1"), date=50))
    assert [part.version for part in later.parts(ARN)] == [2]


def test_invariant_5_only_the_current_holder_settles(store: Store) -> None:
    """A holder whose lease was taken over cannot settle, mark the lease, or clear its dirty flag."""
    part = written(store, proposed(A, users("1")))
    first = held(store)
    store.mark_dirty(first, "digest", 1)
    second = store.take(store.lease(ARN), "other", 3000.0)
    assert second is not None
    assert second.epoch == first.epoch + 1
    with pytest.raises(LeaseLost):
        store.settle(first, [(part, accept(part, 200))])
    with pytest.raises(LeaseLost):
        store.mark_dirty(first, "digest", 1)
    store.release(first, is_clean=True)
    assert store.lease(ARN) == second._replace(is_dirty=True, waiting=1)
    assert store.part(ARN, A) == part
    store.release(second, is_clean=True)
    assert store.lease(ARN) == Lease(ARN, epoch=2, waiting=1)


def test_a_lease_is_taken_once(store: Store) -> None:
    """Of several attempts to take a free lease, one succeeds; the epoch only increases."""
    free = store.lease(ARN)
    assert [bool(store.take(free, str(number), 2000.0)) for number in range(3)] == [True, False, False]
    assert store.lease(ARN).epoch == 1


def test_parts_whose_condition_fails_are_left_out(store: Store) -> None:
    """A transaction is repeated without the parts that were withdrawn or replaced meanwhile."""
    parts = [written(store, proposed(team(str(number)), users("1"))) for number in range(3)]
    assert store.put(parts[1], reject(parts[1], "late", 200))
    store.settle(held(store), [(part, accept(part, 200)) for part in parts])
    assert [part.accepted is not None for part in store.parts(ARN)] == [True, False, True]


def test_many_parts_are_settled_in_several_transactions(store: Store, proxy: Proxy) -> None:
    """At most 99 parts are settled in one transaction."""
    parts = [written(store, proposed(team(f"{number:03}"), users("1"))) for number in range(120)]
    proxy.operations.clear()
    store.settle(held(store), [(part, accept(part, 200)) for part in parts])
    assert proxy.operations.count("TransactWriteItems") == 2
    assert all(part.accepted for part in store.parts(ARN))


def test_large_parts_are_settled_in_several_transactions(store: Store, proxy: Proxy) -> None:
    """Transactions have at most 3.5 MB."""
    noise = random.Random(0)
    parts = [
        proposed(team(f"{number:02}"), users("1"))._replace(proposed=noise.randbytes(170_000)) for number in range(25)
    ]
    parts = [written(store, part) for part in parts]
    proxy.operations.clear()
    store.settle(held(store), [(part, part._replace(accepted=part.proposed, proposed=None)) for part in parts])
    assert proxy.operations.count("TransactWriteItems") == 2


def test_all_pages_are_read(store: Store, proxy: Proxy) -> None:
    """A query and a scan read all pages, whether or not a page has items."""
    for number in range(5):
        written(store, proposed(team(str(number)), users("1")))
    store.mark_dirty(held(store), "digest", 5)
    proxy.empty_pages()
    assert len(store.parts(ARN)) == 5
    assert store.digests(ARN) == {"digest"}
    (summary,) = store.summaries()
    assert summary.has_newcomers
    assert summary.lease.is_dirty
    assert {"Query", "Scan"} <= {*proxy.operations}


def test_the_configuration_that_was_swept_longest_ago_comes_first(store: Store) -> None:
    """Summaries are in the order of the last sweep. Without a lease, it was never swept; without parts, it never is."""
    arns = [f"{ARN}-{name}" for name in "abcd"]
    for arn, swept in zip((arns[0], arns[1], arns[3]), (20.0, 10.0, 5.0), strict=True):
        lease = store.take(store.lease(arn), "sweep", 2000.0, swept)
        assert lease is not None
        store.release(lease, is_clean=True)
    for arn, part in zip(
        arns[:3], (accepted(A, users("1")), accepted(A, users("1")), proposed(A, users("1"))), strict=True
    ):
        assert store.put(None, part._replace(arn=arn))
    assert [summary.lease.arn for summary in store.summaries()] == [arns[2], arns[1], arns[0]]
    assert [summary.has_newcomers for summary in store.summaries()] == [True, False, False]


def test_digests_count_for_a_day(store: Store, new_table: Callable[[], DynamoTable]) -> None:
    """The digest of a write counts for a day."""
    store.mark_dirty(held(store), "digest", 1)
    assert Store(new_table(), lambda: 87_399.0).digests(ARN) == {"digest"}
    assert Store(new_table(), lambda: 87_401.0).digests(ARN) == set()


def test_a_token_is_used_once(store: Store) -> None:
    """A request's ID is the client token of one write only."""
    assert [store.use_token(ARN, "request") for _ in range(2)] == [True, False]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.GARBAGE])
def test_a_write_whose_response_is_lost_succeeded(store: Store, proxy: Proxy, fault: Fault) -> None:
    """A write that took effect, although its responses were lost, is recognized by a repetition."""
    part = written(store, proposed(A, users("1")))
    lease = held(store)
    lost = {"UpdateItem": 4, "TransactWriteItems": 4}

    def fail(operation: str, _parameters: dict[str, Any]) -> Fault | None:
        lost[operation] = lost.get(operation, 0) - 1
        return Fault.RESET if lost[operation] >= 0 else None

    proxy.fail = fail
    store.settle(lease, [(part, accept(part, 200))])
    assert store.use_token(ARN, "request")
    assert [part.accepted is not None for part in store.parts(ARN)] == [True]


@pytest.mark.parametrize("seed", range(1))
def test_increments_are_exact_under_contention_and_failures(
    new_table: Callable[[], DynamoTable], proxy: Proxy, seed: int
) -> None:
    """Fifty threads that take and release one lease, while a fifth of all calls fails, lose no epoch."""
    proxy.fail_at_random(0.2, seed)
    taken: list[int] = []

    def contend(number: int) -> None:
        store = Store(new_table(), lambda: 1000.0)
        while True:
            lease = store.lease(ARN)
            if lease.is_free(1000.0) and (mine := store.take(lease, str(number), 2000.0)):
                taken.append(mine.epoch)
                store.release(mine, is_clean=True)
                return

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [*range(1, 51)]


def test_an_unreachable_ledger_is_reported(store: Store, proxy: Proxy) -> None:
    """If the table does not exist or access is denied, the error names the table and how to fix it."""
    for code in ("ResourceNotFoundException", "AccessDeniedException"):
        proxy.fail = lambda _operation, _parameters, code=code: code  # type: ignore[misc]  # a default binds the loop's value
        with pytest.raises(
            ProviderError, match=r"the ledger \(DynamoDB table ledger-\d+\) cannot be reached"
        ) as caught:
            store.parts(ARN)
        assert caught.value.outcome is Outcome.REFUSED
        assert "the provider's role may access it" in str(caught.value)


def test_nothing_is_written_after_the_deadline(table_name: str, proxy: Proxy) -> None:
    """No call starts when the time is up."""
    table = DynamoTable(table_name, "us-east-1", Deadline(0, clock=SkippingClock()), random.Random(0))
    with pytest.raises(ProviderError, match="no time was left") as caught:
        table.write(Write(Key("p", "s"), {"a": 1}, {}))
    assert caught.value.outcome is Outcome.OUT_OF_TIME
    assert proxy.operations == []


def test_lasting_throttling_ends_with_the_deadline(table_name: str, proxy: Proxy) -> None:
    """Throttled calls are retried until the time is up."""
    proxy.fail = lambda _operation, _parameters: "ThrottlingException"
    table = DynamoTable(table_name, "us-east-1", Deadline(4, clock=SkippingClock()), random.Random(0))
    with pytest.raises(ProviderError, match="cannot be reached"):
        table.get(Key("p", "s"))
    assert len(proxy.operations) >= 3
