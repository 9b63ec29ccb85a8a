"""Reads and writes configurations for the algorithm, with the calls of one request."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..plan import Configuration, DeleteConfiguration, UpdateConfiguration, WriteResult
from ..resources.ownership import Owner
from .owner_roles import Reached
from .sharing import marking_steps

if TYPE_CHECKING:
    from ..reconciler.api_calls import ApiCalls
    from ..resources.interface import Adapter


class ImageBuilderConfigurations:
    """The configurations that one adapter reaches. `calls` are the adapter's calls.

    `elsewhere` returns what reaches a configuration instead, once for each; None if the adapter does.
    """

    def __init__(
        self, adapter: "Adapter", calls: "ApiCalls", elsewhere: Callable[[str], Reached | None] = lambda _arn: None
    ) -> None:
        self._default, self._elsewhere = Reached(adapter, calls), elsewhere
        self._reached: dict[str, Reached] = {}

    def read(self, arn: str) -> Configuration | None:
        return self._at(arn).adapter.read(arn)

    def update(self, step: UpdateConfiguration, token: str, seconds: float) -> WriteResult:
        adapter, calls = self._at(step.arn)
        with calls.within(seconds):
            return adapter.execute(step, token)

    def mark(self, arn: str, owner: Owner | None) -> None:
        live = self.read(arn)
        for step in marking_steps(live, owner) if live is not None else ():
            self._at(arn).adapter.execute(step, "")

    def delete(self, arn: str) -> None:
        """Delete a configuration. Raises ProviderError."""
        self._at(arn).adapter.execute(DeleteConfiguration(arn), "")

    def _at(self, arn: str) -> Reached:
        if arn not in self._reached:
            self._reached[arn] = self._elsewhere(arn) or self._default
        return self._reached[arn]
