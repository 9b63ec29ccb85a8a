"""Reads and writes configurations for the algorithm, with the calls of one request."""

from typing import TYPE_CHECKING

from ..plan import Configuration, UpdateConfiguration, WriteResult
from ..resources.ownership import Owner
from .sharing import marking_steps

if TYPE_CHECKING:
    from ..reconciler.api_calls import ApiCalls
    from ..resources.interface import Adapter


class ImageBuilderConfigurations:
    """The configurations that one adapter reaches. `calls` are the adapter's calls."""

    def __init__(self, adapter: "Adapter", calls: "ApiCalls") -> None:
        self._adapter, self._calls = adapter, calls

    def read(self, arn: str) -> Configuration | None:
        return self._adapter.read(arn)

    def update(self, step: UpdateConfiguration, token: str, seconds: float) -> WriteResult:
        with self._calls.within(seconds):
            return self._adapter.execute(step, token)

    def mark(self, arn: str, owner: Owner | None) -> None:
        live = self._adapter.read(arn)
        for step in marking_steps(live, owner) if live is not None else ():
            self._adapter.execute(step, "")
