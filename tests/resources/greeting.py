"""A second, tiny resource type: one module, and one row in the registry.

It keeps greetings on an HTTP server: PUT, GET, and DELETE of /<name>, whose body is a JSON object with the message and
the ownership tags. The server is no AWS service, so the adapter sends the requests itself. The adapter of an AWS
service uses `calls.call` instead, which retries, stays within the deadline, and translates errors.
"""

import json
import os
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from provider.errors import Outcome, ProviderError
from provider.marker import CreationStatus, status_in
from provider.plan import (
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    NeedsRead,
    Observed,
    Plan,
    PutTags,
    ReadAgain,
    Step,
    Target,
    UpdateConfiguration,
    WriteResult,
)
from provider.resources.interface import ResourceType
from provider.resources.ownership import Owner, State
from provider.schema.model import PROPERTIES, Schema
from provider.schema.validation import validate

if TYPE_CHECKING:
    from provider.cloudformation.request import Request
    from provider.reconciler.api_calls import ApiCalls
    from provider.resources.locations import Locations

NAME: Final = "Custom::Greeting"
SERVER: Final = "GREETING_SERVER"
"""The environment variable with the server's URL."""

_PREFIX: Final = "greeting/"
"""The start of a physical ID; the name follows."""
_MAX_SECONDS: Final = 10.0


def schema() -> Schema:
    """`Name` and `Message` are required, `Loud` is not."""
    members = {
        "name": Schema(type_name="string", shape="GreetingName", pattern="^[a-z]{1,20}$"),
        "message": Schema(type_name="string", shape="GreetingMessage", minimum=1),
        "loud": Schema(type_name="boolean", shape="GreetingLoud"),
    }
    return Schema(type_name="structure", shape=PROPERTIES, members=members, required=("name", "message"))


class Greetings:
    """The server's API."""

    def __init__(self, calls: "ApiCalls", locations: "Locations") -> None:
        self.not_found: ProviderError | None = None
        self._calls = calls

    def arn(self, target: Target) -> str:
        """The physical ID is `greeting/` and the name."""
        return target if isinstance(target, str) else f"{_PREFIX}{target.name}"

    def read(self, target: Target) -> Configuration | None:
        """The greeting, if the server has it."""
        arn = self.arn(target)
        status, body = self._send("GET", arn)
        if status == 404:
            return None
        found = json.loads(body)
        return Configuration(arn, arn.removeprefix(_PREFIX), {"message": found["message"]}, found["tags"])

    def execute(self, step: Step, token: str) -> WriteResult:
        """PUT a greeting, or DELETE it. Both may be repeated."""
        match step:
            case CreateConfiguration(name, content, tags):
                return self._put(f"{_PREFIX}{name}", {**content, "tags": tags})
            case UpdateConfiguration(arn, content):
                return self._change(arn, content)
            case PutTags(arn, tags):
                return self._change(arn, {"tags": tags})
            case DeleteConfiguration(arn):
                self._send("DELETE", arn)
                return WriteResult(arn)
        raise AssertionError("no plan of a greeting has other steps")

    def _change(self, arn: str, part: Mapping[str, Any]) -> WriteResult:
        status, body = self._send("GET", arn)
        if status == 404:
            raise ProviderError(f"{arn} was not found", outcome=Outcome.NOT_FOUND)
        return self._put(arn, {**json.loads(body), **part})

    def _put(self, arn: str, greeting: Mapping[str, Any]) -> WriteResult:
        self._send("PUT", arn, json.dumps(greeting))
        return WriteResult(arn)

    def _send(self, method: str, arn: str, body: str = "") -> tuple[int, str]:
        """Send a request within the deadline. Raises ProviderError unless the status is 200 or 404."""
        subject, left = f"{method} of {arn}", self._calls.left()
        if left <= 0:
            raise ProviderError(f"no time was left for {subject}", outcome=Outcome.OUT_OF_TIME)
        connection = HTTPConnection(urlsplit(os.environ[SERVER]).netloc, timeout=min(_MAX_SECONDS, left))
        try:
            connection.request(method, f"/{arn.removeprefix(_PREFIX)}", body)
            response = connection.getresponse()
            status, text = response.status, response.read().decode()
        except (OSError, HTTPException) as error:
            # The reconciler reads again and makes a new plan.
            raise ProviderError(f"{subject} failed: {error}", outcome=Outcome.UNKNOWN) from error
        finally:
            connection.close()
        if status not in (200, 404):
            outcome = Outcome.UNKNOWN if status >= 500 else Outcome.REFUSED
            raise ProviderError(f"{subject} failed with status {status}", outcome=outcome)
        return status, text


def decide(
    request: "Request",
    desired: Mapping[str, Any],
    old: Mapping[str, Any],
    locations: "Locations",
    observed: Observed,
    now: float,
) -> NeedsRead | Plan:
    """Plan the Create, Update, or Delete of a greeting. Another name is a replacement."""
    owner = Owner.of(request)
    if request.request_type == "Delete":
        return _decide_delete(request, owner, desired, observed)
    arn, content = f"{_PREFIX}{desired['name']}", {"message": desired["message"]}
    if arn not in observed:
        return NeedsRead(arn)
    live = observed[arn]
    if live is None:
        # CloudFormation may deliver a request twice. Its resource's tags show that the greeting is from the first one.
        return Plan(steps=(CreateConfiguration(desired["name"], content, owner.tags(State.UNFINISHED)),))
    if owner.state_of(live.tags) is None:
        raise ProviderError(
            f"{arn} already exists and is not managed by this resource", remediation="Choose another Name"
        )
    update = () if live.content == content else (UpdateConfiguration(arn, content),)
    return Plan(steps=(*update, *_hand_over(live, owner)), subject=live)


def _hand_over(live: Configuration, owner: Owner) -> tuple[PutTags, ...]:
    return () if owner.state_of(live.tags) is State.HANDED_OVER else (PutTags(live.arn, owner.tags()),)


def _decide_delete(
    request: "Request", owner: Owner, desired: Mapping[str, Any], observed: Observed
) -> NeedsRead | Plan:
    """Plan the Delete of the resource's own greeting, or of what a failed Create may have left unfinished."""
    arn, deletable = request.physical_id, [State.UNFINISHED, State.HANDED_OVER]
    if not arn.startswith(_PREFIX):
        created_nothing = status_in(arn) is CreationStatus.NOTHING_CREATED
        # A Delete's properties have not been validated.
        if created_nothing or validate(desired.get("name"), schema().members["name"]):
            return Plan()
        arn, deletable = f"{_PREFIX}{desired['name']}", [State.UNFINISHED]
    if arn not in observed:
        return NeedsRead(arn)
    live = observed[arn]
    if live is None or owner.state_of(live.tags) not in deletable:
        return Plan(subject=live)
    return Plan(steps=(DeleteConfiguration(arn),), subject=live)


def decide_after_create(
    request: "Request", desired: Mapping[str, Any], locations: "Locations", arn: str, live: Configuration | None
) -> ReadAgain | Plan:
    """Hand the greeting over once a read shows it."""
    if live is None:
        return ReadAgain(f"{arn} does not exist yet")
    return Plan(steps=_hand_over(live, Owner.of(request)), subject=live)


def attribute_values(live: Configuration, desired: Mapping[str, Any], last_write: WriteResult | None) -> dict[str, str]:
    """Return the values of the attributes."""
    return {"Message": desired["message"]}


RESOURCE_TYPE: Final = ResourceType(
    service="",
    operations=(),
    load_schema=schema,
    rules=(),
    attributes={"Message": "the message"},
    attribute_values=attribute_values,
    decide=decide,
    decide_after_create=decide_after_create,
    connect=Greetings,
)
