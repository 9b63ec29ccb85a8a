"""Cold starts with a ledger: requests of an owner and of a contribution, with a DynamoDB emulator.

The emulator is reached over TLS, as DynamoDB is: without it, a cold start would use another transport.
"""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from typing import Any, Final

from benchmarks import scene
from benchmarks.measure import Runner
from benchmarks.stubs import CERTIFICATE, Stubs
from benchmarks.variants import Variant
from provider.cli.ledger_emulator import create_table, dynamodb, python_with_emulator
from provider.emulator.server import LoopbackServer, Reply
from provider.handler import LEDGER_TABLE
from provider.resources import CONTRIBUTION
from provider.schema.model import UPDATE
from provider.stack_engine.sink import read

_TABLE: Final = "ledger"
_REGION: Final = "us-east-1"
_ALLOWED: Final = "Distributions[].AmiDistributionConfiguration.LaunchPermission.UserIds"
_ACCOUNT: Final = "111122223333"

Event = dict[str, Any]


@contextmanager
def ledger() -> Iterator[dict[str, str]]:
    """Run an empty ledger; yield the variables that direct a function to it.

    Raises ModuleNotFoundError if the emulator is not installed.
    """
    with dynamodb(python_with_emulator()) as url:
        create_table(url, _REGION, _TABLE)
        server = _over_tls(url.removeprefix("http://"))
        try:
            yield {LEDGER_TABLE: _TABLE, "AWS_ENDPOINT_URL_DYNAMODB": server.url}
        finally:
            server.close()


def instructions(runner: Runner, stubs: Stubs, variant: Variant, variables: Mapping[str, str]) -> dict[str, int]:
    """Return the instructions of cold starts by what is requested, with the empty ledger that the variables name.

    Raises InvalidRunError unless each request succeeds with one Update that contains what it asks for.
    """
    first, second = map(_of_owner, scene.events(runner.bucket, 2))
    contribution = _of_contribution(first, f"{runner.bucket}/2?X-Amz-Expires=7200")
    requests = (
        ("an owner that is not recorded yet", first, first["ResourceProperties"]["Description"]),
        ("an owner", second, second["ResourceProperties"]["Description"]),
        ("a contribution", contribution, _ACCOUNT),
    )
    stubs.begin(scene.live(first), 0)
    counted = {}
    for updates, (title, event, content) in enumerate(requests, 1):
        counted[title] = runner.instructions_of(variant, event, **variables)
        _check(stubs.seen(), event, content, updates)
    return counted


def _of_owner(event: Event) -> Event:
    """Return the event for an owner that allows contributions."""
    return {**event, "ResourceProperties": {**event["ResourceProperties"], "Contributions": [_ALLOWED]}}


def _of_contribution(owner: Event, response_url: str) -> Event:
    """Return the Create of a contribution to an owner's configuration, in another stack."""
    properties = owner["ResourceProperties"]
    part = {
        "Region": properties["Distributions"][0]["Region"],
        "AmiDistributionConfiguration": {"LaunchPermission": {"UserIds": [_ACCOUNT]}},
    }
    return {
        "RequestType": "Create",
        "ResponseURL": response_url,
        "StackId": owner["StackId"].replace("golden-image", "team-a"),
        "RequestId": "72866053-9a62-4d1c-a430-999999999999",
        "LogicalResourceId": "TeamA",
        "ResourceType": CONTRIBUTION,
        "ResourceProperties": {
            "ServiceToken": properties["ServiceToken"],
            "ServiceTimeout": properties["ServiceTimeout"],
            "DistributionConfigurationArn": owner["PhysicalResourceId"],
            "Distributions": [part],
        },
    }


def _check(seen: scene.Seen, event: Event, content: str, updates: int) -> None:
    """Raise InvalidRunError unless the last response is SUCCESS, after so many Updates, the last with this content."""
    put = seen.responses[-1][1]
    bodies = [body.decode() for name, body in seen.calls if name == UPDATE]
    if not read(put, event).succeeded or len(bodies) != updates or content not in bodies[-1]:
        raise scene.InvalidRunError(f"unexpected Updates: {bodies}, or response: {put.body.decode()}")


def _over_tls(host: str) -> LoopbackServer:
    """Forward calls to an emulator that has no TLS."""

    def forward(method: str, target: str, body: bytes, headers: Message) -> Reply:
        connection = http.client.HTTPConnection(host)
        kept = {name: value for name, value in headers.items() if name.lower() not in ("content-length", "host")}
        connection.request(method, target, body, kept)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return Reply(response.status, {"Content-Type": "application/x-amz-json-1.0"}, content)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    return LoopbackServer(forward, tls=tls)
