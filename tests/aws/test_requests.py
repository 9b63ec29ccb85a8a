"""Our client sends what a plain botocore client sends."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import Any

import botocore
import pytest
from botocore import xform_name
from botocore.handlers import BUILTIN_HANDLERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provider import __version__
from provider.aws.client import call, is_for_our_services
from provider.resources.image_builder import OPERATIONS
from provider.schema.model import SERVICES
from tests.aws.parameters import parameters_of
from tests.aws.wire import Recorder, client, plain_client

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden"
GET = "GetDistributionConfiguration"


@pytest.fixture
def plain(recorder: Recorder) -> Iterator[Any]:
    """A plain client of the recorder."""
    with closing(plain_client()) as made:
        yield made


def sent_alike(recorder: Recorder, operation: str, parameters: dict[str, Any], plain: Any = None) -> None:
    """Make one call with the provider's client and one with a plain client, and check that they sent the same.

    The user agents may differ, but must name the SDK.
    """
    recorder.received.clear()
    call(client(), operation, parameters)
    with nullcontext(plain) if plain else closing(plain_client()) as its:
        getattr(its, xform_name(operation))(**parameters)
    ours, theirs = recorder.received
    assert ours == theirs
    assert ours["authorization"]
    assert ours["amz-sdk-invocation-id"]
    versions = f"image-builder-distribution-provider/{__version__} Botocore/{botocore.__version__}"
    assert f"{ours['user-agent']} ".startswith(f"{versions} ")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_sent_like_a_plain_clients(recorder: Recorder, operation: str) -> None:
    """Method, target, headers, signature, and body of each operation are those of a plain client, byte for byte."""
    sent_alike(recorder, operation, parameters_of(operation))


@pytest.mark.usefixtures("clock")
def test_requests_without_tls_are_sent_like_a_plain_clients(settings: pytest.MonkeyPatch) -> None:
    """An endpoint without TLS receives the same bytes as from a plain client, too."""
    with Recorder(certificate=None) as recorder:
        settings.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", recorder.url)
        settings.setenv("NO_PROXY", "127.0.0.1")
        sent_alike(recorder, GET, parameters_of(GET))


@pytest.mark.usefixtures("clock")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(end=st.text(st.characters(codec="utf-8"), max_size=20), operation=st.sampled_from([GET, "ListTagsForResource"]))
def test_every_arn_is_sent_like_a_plain_clients(recorder: Recorder, plain: Any, end: str, operation: str) -> None:
    """Any text in an ARN is encoded in the query string or the path as by a plain client."""
    (member,) = parameters_of(operation)
    sent_alike(recorder, operation, {member: ARN + end}, plain)


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_SESSION_TOKEN": "verysecrettoken"},
        {"AWS_REGION": None, "AWS_DEFAULT_REGION": "eu-west-1"},
        {"AWS_REGION": "cn-north-1"},
        {"AWS_LAMBDA_FUNCTION_NAME": "provider", "_X_AMZN_TRACE_ID": "Root=1-65d2b5a3-0;Parent=5e0b0c7e;Sampled=1"},
        {"AWS_RETRY_MODE": "legacy"},
        {"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "7"},
    ],
    ids=lambda variables: "+".join(variables),
)
def test_settings_are_sent_like_a_plain_clients(
    recorder: Recorder, settings: pytest.MonkeyPatch, variables: dict[str, str | None]
) -> None:
    """Settings for credentials, Region, tracing, and retries affect a call as they affect a plain client's."""
    before = parameters_of(GET)
    call(client(), GET, before)
    (unset,) = recorder.received
    for name, value in variables.items():
        settings.setenv(name, value) if value else settings.delenv(name)
    sent_alike(recorder, GET, before)
    assert recorder.received[0] != unset


def test_the_trace_is_that_of_the_invocation(recorder: Recorder, settings: pytest.MonkeyPatch) -> None:
    """In Lambda, each call carries the current trace ID, over one connection."""
    settings.setenv("AWS_LAMBDA_FUNCTION_NAME", "provider")
    for trace in ("Root=1-1", "Root=1-2"):
        settings.setenv("_X_AMZN_TRACE_ID", trace)
        call(client(), GET, parameters_of(GET))
        assert recorder.received[-1]["x-amzn-trace-id"] == trace
    assert recorder.connections == 1


def test_only_other_services_handlers_are_left_out() -> None:
    """The handlers that our session leaves out are for documentation or for services that are never called."""
    left_out = [event.split(".") for event, *_ in BUILTIN_HANDLERS if not is_for_our_services(event)]
    services = {service for kind, service, *_ in left_out if kind != "docs"}
    assert services & {"*", *SERVICES} == set()
