"""Lets long loops over input stop in time. This package has no clock: the caller's checkpoint decides."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain, islice
from typing import Final, TypeVar

_T = TypeVar("_T")

Checkpoint = Callable[[], None]
"""Called repeatedly during long work. It raises an exception to stop the work."""

STRIDE: Final = 32
"""How many entries of a collection are processed between two calls of the checkpoint."""


def proceed() -> None:
    """Do nothing: the checkpoint of a caller without a deadline."""


def paced(entries: Collection[_T], checkpoint: Checkpoint) -> Iterable[_T]:
    """Return the entries. If there are more than `STRIDE`, iterating calls the checkpoint before each `STRIDE` of them.

    Lists in the properties are nested two deep, so at most `STRIDE` squared entries pass without a call.
    """
    return entries if len(entries) <= STRIDE else chain.from_iterable(_strides(entries, checkpoint))


def _strides(entries: Collection[_T], checkpoint: Checkpoint) -> Iterator[Iterable[_T]]:
    rest = iter(entries)
    for _ in range(0, len(entries), STRIDE):
        checkpoint()
        yield islice(rest, STRIDE)
