"""The interface of a resource type. Each type's module defines an instance of `ResourceType`, `RESOURCE_TYPE`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ProviderError
from ..plan import Configuration, NeedsRead, Observed, Plan, ReadAgain, Step, Target, WriteResult
from ..schema.finding import Finding
from ..schema.model import Schema
from ..schema.rules import Rule
from .locations import Locations

if TYPE_CHECKING:
    from typing import Protocol

    from ..cloudformation.request import Request
    from ..reconciler.api_calls import ApiCalls

    class Adapter(Protocol):
        """Reads and writes resources of one type."""

        not_found: ProviderError | None
        """The API's last error about a resource that does not exist."""

        def arn(self, target: Target) -> str:
            """Return the physical ID of a target, whether it exists or not."""

        def read(self, target: Target) -> Configuration | None:
            """Return the observed state of a target; None if it does not exist."""

        def execute(self, step: Step, token: str) -> WriteResult:
            """Execute one step. `token` is the client token for calls that take one. Raises ProviderError."""


Properties = Mapping[str, Any]
"""Resource properties by the API's names."""


class ResourceType(NamedTuple):
    """One resource type. Everything but `connect` is pure.

    `service` is botocore's name of the service whose `operations` the function calls, one of `SERVICES` in
    `schema.model`; empty if it calls no AWS service. `decide` and `decide_after_create` are documented in
    `distribution_configuration`. `attributes` are the names for `Fn::GetAtt` with their descriptions.
    `attribute_values` returns their values, from the observed state, the properties, and the last write. Without a last
    write, it returns only those that a plan can predict. If they do not fit into a response, those in
    `expendable_attributes` are dropped. `check_request_id` checks the ID of a Create or Update.
    """

    service: str
    operations: tuple[str, ...]
    load_schema: Callable[[], Schema]
    rules: tuple[Rule, ...]
    attributes: Mapping[str, str]
    attribute_values: Callable[[Configuration, Properties, WriteResult | None], dict[str, str]]
    decide: Callable[["Request", Properties, Properties, Locations, Observed, float], NeedsRead | Plan]
    decide_after_create: Callable[["Request", Properties, Locations, str, Configuration | None], ReadAgain | Plan]
    connect: Callable[["ApiCalls", Locations], "Adapter"]
    expendable_attributes: tuple[str, ...] = ()
    check_request_id: Callable[[str], Sequence[Finding]] = lambda _: ()

    @property
    def schema(self) -> Schema:
        """The schema of the resource's properties, loaded on first use."""
        return self.load_schema()
