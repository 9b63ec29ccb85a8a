"""What the provider needs to know of a resource type. A type's module has one of these as its `RESOURCE_TYPE`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..arn import Location
from ..errors import ProviderError
from ..plan import Configuration, NeedsRead, Observed, Plan, ReadAgain, Step, Target, WriteResult
from ..schema.model import Schema
from ..schema.rules import Rule

if TYPE_CHECKING:
    from ..cloudformation.request import Request

Properties = Mapping[str, Any]
"""Resource properties by the API's names."""


class Calls(Protocol):
    """Calls of an API on behalf of one request: within its time, with retries."""

    def call(self, operation: str, subject: str, expected: str = "", /, **parameters: Any) -> dict[str, Any]:
        """Call an operation. `subject` is what it is about; a response without its `expected` member is none."""

    def pages(self, operation: str, subject: str, member: str, /, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """The entries of all pages of a list operation; they are in this `member`."""

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Allow the calls in this block some seconds at most."""


class Adapter(Protocol):
    """A resource type's API as the reconciler uses it."""

    not_found: ProviderError | None
    """The API's last response about a resource that does not exist."""

    def arn(self, target: Target) -> str:
        """The physical ID that a target has, whether it exists or not."""

    def read(self, target: Target) -> Configuration | None:
        """The observed state of a target; None if it does not exist."""

    def carry_out(self, step: Step, token: str) -> WriteResult:
        """Execute one step. `token` is the client token for calls that take one. Raises ProviderError."""


class ResourceType(NamedTuple):
    """One resource type. Everything but `connect` is pure.

    `decide` and `decide_after_create` are described in `distribution_configuration`. `attributes` are the names for
    `Fn::GetAtt` with their descriptions; `attribute_values` returns those that follow from the resource itself.
    """

    load_schema: Callable[[], Schema]
    rules: tuple[Rule, ...]
    attributes: Mapping[str, str]
    attribute_values: Callable[[str, str, Properties], dict[str, str]]
    decide: Callable[["Request", Properties, Properties, Observed, float], NeedsRead | Plan]
    decide_after_create: Callable[["Request", Properties, str, Configuration | None], ReadAgain | Plan]
    connect: Callable[[Calls, Location], Adapter]

    @property
    def schema(self) -> Schema:
        """The schema of the resource's properties, loaded when it is first used."""
        return self.load_schema()
