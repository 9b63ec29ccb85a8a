"""Our client calls the same endpoints as a plain botocore client."""

from collections.abc import Callable
from itertools import product
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import BotoCoreError

from provider.errors import ProviderError
from provider.schema.model import SERVICE
from tests.aws.wire import client, plain_client

REGIONS = (
    *("us-east-1", "eu-central-1", "il-central-1", "cn-north-1", "us-gov-west-1"),
    *("us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1"),
)
"""At least one Region of every partition."""


class Addressed(Exception):  # noqa: N818 - says what was found
    """Ends a call before it is sent."""


def addressed(connect: Callable[[], Any]) -> tuple[str, str]:
    """Return the URL that a client would call and the scope of its signature, or the error."""

    def stop(request: Any, **_: object) -> None:
        scope = str(request.headers["Authorization"]).split(",")[0].split("/", 2)[2]
        raise Addressed(request.url, scope)

    try:
        api = connect()
        api.meta.events.register_first(f"before-send.{SERVICE}", stop)
        api.list_tags_for_resource(resourceArn="arn")
    except Addressed as found:
        return found.args[0], found.args[1]
    except (BotoCoreError, ProviderError) as error:
        cause = error.__cause__ if isinstance(error, ProviderError) else error
        return type(cause).__name__, str(cause)
    raise AssertionError("nothing was to be sent")


def addressed_alike() -> tuple[str, str]:
    """Return what our client would call, after checking that a plain client would call the same."""
    ours = addressed(client)
    assert ours == addressed(plain_client)
    return ours


def test_every_partition_is_tested() -> None:
    """The tested Regions cover all partitions that botocore knows."""
    session = botocore.session.get_session()
    assert {session.get_partition_for_region(region) for region in REGIONS} == set(session.get_available_partitions())


@pytest.mark.parametrize("region", REGIONS)
def test_endpoints_equal_those_of_a_plain_client(region: str, settings: pytest.MonkeyPatch) -> None:
    """In each partition, with or without FIPS and dual stack, URL and signing scope are those of a plain client."""
    settings.setenv("AWS_REGION", region)
    found = set()
    for fips, dual_stack in product(("false", "true"), repeat=2):
        settings.setenv("AWS_USE_FIPS_ENDPOINT", fips)
        settings.setenv("AWS_USE_DUALSTACK_ENDPOINT", dual_stack)
        found.add(addressed_alike())
    assert len(found) > 1


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({"AWS_ENDPOINT_URL": "https://all.example"}, "https://all.example"),
        ({"AWS_ENDPOINT_URL_IMAGEBUILDER": "https://own.example/base"}, "https://own.example/base"),
        (
            {"AWS_ENDPOINT_URL": "https://all.example", "AWS_ENDPOINT_URL_IMAGEBUILDER": "http://own.example"},
            "http://own.example",
        ),
        (
            {"AWS_ENDPOINT_URL": "https://all.example", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://imagebuilder.us-east-1.amazonaws.com",
        ),
    ],
    ids=["all", "own", "own before all", "ignored"],
)
def test_a_custom_endpoint_is_called(settings: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str) -> None:
    """The service's own endpoint setting overrides the one for all services, and both can be ignored by a setting."""
    for name, value in variables.items():
        settings.setenv(name, value)
    assert addressed_alike() == (f"{endpoint}/tags/arn", "us-east-1/imagebuilder/aws4_request")
