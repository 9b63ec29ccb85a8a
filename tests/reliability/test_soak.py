"""A short soak; `make soak` runs a long one and prints its figures."""

from tests.reliability.soak import soak


def test_a_tenth_of_all_calls_failing_loses_nothing() -> None:
    """With a tenth of calls and deliveries failing, every request has its answer and every state is the last wanted."""
    figures, left, _, _ = soak(requests=100, processes=2, seed=7)
    assert [one.wrong for one in figures] == [[], []]
    assert sum(one.answers for one in figures) == sum(one.requests for one in figures) >= 100
    assert left == {arn: text for one in figures for arn, text in one.expected.items()}
