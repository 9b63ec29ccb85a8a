"""A second, tiny resource type: one module, and one row in the registry.

It keeps greetings on an HTTP server: PUT, GET, and DELETE of /<name>, whose body is the message.
"""

import os
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from provider.arn import Location
from provider.cloudformation.request import Request
from provider.errors import ProviderError
from provider.plan import (
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    NeedsRead,
    Observed,
    Plan,
    ReadAgain,
    Step,
    Target,
    UpdateConfiguration,
    WriteResult,
)
from provider.reconciler.api_calls import ApiCalls
from provider.resources.interface import ResourceType
from provider.schema.model import PROPERTIES, Schema

NAME: Final = "Custom::Greeting"
SERVER: Final = "GREETING_SERVER"
"""The environment variable with the server's URL."""


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

    def __init__(self, calls: ApiCalls, location: Location) -> None:
        self.not_found: ProviderError | None = None

    def arn(self, target: Target) -> str:
        """The physical ID is `greeting/` and the name."""
        return target if isinstance(target, str) else f"greeting/{target.name}"

    def read(self, target: Target) -> Configuration | None:
        """The greeting, if the server has it."""
        status, body = self._send("GET", self.arn(target))
        name = self.arn(target).partition("/")[2]
        return Configuration(self.arn(target), name, {"message": body}, {}) if status == 200 else None

    def execute(self, step: Step, token: str) -> WriteResult:
        """PUT a greeting, or DELETE it."""
        match step:
            case CreateConfiguration(name, content):
                return self._put(f"greeting/{name}", content)
            case UpdateConfiguration(arn, content):
                return self._put(arn, content)
            case DeleteConfiguration(arn):
                self._send("DELETE", arn)
                return WriteResult(arn)
        raise AssertionError("greetings have no tags")

    def _put(self, arn: str, content: Mapping[str, Any]) -> WriteResult:
        self._send("PUT", arn, content["message"])
        return WriteResult(arn, "request-1")

    def _send(self, method: str, arn: str, body: str = "") -> tuple[int, str]:
        connection = HTTPConnection(urlsplit(os.environ[SERVER]).netloc, timeout=10)
        try:
            connection.request(method, f"/{arn.partition('/')[2]}", body)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


def decide(
    request: Request, desired: Mapping[str, Any], old: Mapping[str, Any], observed: Observed, now: float
) -> NeedsRead | Plan:
    """Plan the Create, Update, or Delete of a greeting. Another name is a replacement."""
    if request.request_type == "Delete":
        own = request.physical_id.startswith("greeting/")
        return Plan(steps=(DeleteConfiguration(request.physical_id),) if own else ())
    arn = f"greeting/{desired['name']}"
    if arn not in observed:
        return NeedsRead(arn)
    live = observed[arn]
    content = {"message": desired["message"]}
    if live is None:
        return Plan(steps=(CreateConfiguration(desired["name"], content, {}),))
    if request.physical_id != arn:
        raise ProviderError(f"{arn} already exists")
    steps = () if live.content == content else (UpdateConfiguration(arn, content),)
    return Plan(steps=steps, subject=live)


def decide_after_create(
    request: Request, desired: Mapping[str, Any], arn: str, live: Configuration | None
) -> ReadAgain | Plan:
    """Plan nothing more: a greeting needs no handover."""
    return ReadAgain(f"{arn} does not exist yet") if live is None else Plan(subject=live)


RESOURCE_TYPE: Final = ResourceType(
    load_schema=schema,
    rules=(),
    attributes={"Message": "the message"},
    attribute_values=lambda arn, name, desired: {"Message": desired["message"]},
    decide=decide,
    decide_after_create=decide_after_create,
    connect=Greetings,
)
