"""The measurement of many contributors at once, with few of them."""

import pytest

from benchmarks import scale
from benchmarks.contention import LedgerCalls
from benchmarks.cost import READ_UNIT, WRITE_UNIT, ledger_dollars
from tests.ledger.dynamodb import PYTHON

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="the DynamoDB emulator is installed by `make unit` into .venv-ministack"
)


@pytest.mark.parametrize("contributors", [1, 10])
def test_contributors_at_once_lose_no_part(contributors: int) -> None:
    """Through the handler, each contributor gets one response, and all parts are live after a few writes."""
    measured = scale.measure(contributors)
    assert measured.recorded.lost == 0
    assert 1 <= measured.recorded.api_writes <= scale.MAX_WRITES
    assert measured.ledger.writes >= 2 * contributors
    assert measured.sweep.calls["Scan"] == 1
    assert measured.unrecorded.api_writes == contributors


def test_the_costs_of_calls() -> None:
    """A write of a started KB costs a unit, or two in a transaction; a consistent read costs a unit for each 4 KB."""
    calls = LedgerCalls({"UpdateItem": 3, "TransactWriteItems": 1, "GetItem": 5, "Query": 2}, 10)
    expected = (3 * 2 + 2 * (10 * 2 + 1)) * WRITE_UNIT + (5 + 2 * 37) * READ_UNIT
    assert ledger_dollars(calls, 100, 1_500) == pytest.approx(expected)
