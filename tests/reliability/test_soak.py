"""A short soak; `make soak` runs a long one and prints its figures."""

from tests.reliability.soak import soak


def test_a_tenth_of_all_calls_failing_loses_nothing() -> None:
    """If a tenth of all calls and deliveries fail, every request gets its response and nothing is lost."""
    figures, left, _, _ = soak(requests=100, processes=2, seed=7)
    assert [one.wrong for one in figures] == [[], []]
    assert sum(one.responses for one in figures) == sum(one.requests for one in figures) >= 100
    assert left == {arn: text for one in figures for arn, text in one.expected.items()}
