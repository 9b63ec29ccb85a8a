"""crhelper's defects do not affect a request."""

import logging
import subprocess
import sys
from collections.abc import Callable

import pytest

from provider.cloudformation.custom_resource import CrhelperResource
from provider.cloudformation.request import parse
from provider.cloudformation.response import SUCCESS, Response
from tests.cloudformation.test_request import EVENT


def run(work: Callable[[CrhelperResource], str], request_type: str = "Update") -> Response:
    heard: list[Response] = []
    resource = CrhelperResource(parse({**EVENT, "RequestType": request_type}), heard.append)

    def registered(_event: object, _context: object) -> str:
        return work(resource)

    for register in (resource.create, resource.update, resource.delete):
        register(registered)
    resource.run(None)
    (response,) = heard
    return response


def respond(resource: CrhelperResource) -> str:
    resource.response = Response(SUCCESS, "id", data={"Arn": "id"})
    return "id"


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_the_response_of_the_work_is_sent(request_type: str) -> None:
    """The response of the work is sent for every request type, without a sleep on Delete."""
    assert run(respond, request_type) == Response(SUCCESS, "id", data={"Arn": "id"})


def test_an_exception_leads_to_a_failed_response() -> None:
    """An exception causes a FAILED response with its whole text and the event's physical ID."""

    def fail(_resource: CrhelperResource) -> str:
        raise ValueError("head " + "x" * 400)

    assert run(fail) == Response("FAILED", EVENT["PhysicalResourceId"], "head " + "x" * 400)


def test_no_client_is_made_and_the_root_logger_is_left_alone() -> None:
    """Importing and constructing creates no API client and no socket, and does not touch the root logger."""
    script = (
        "import logging, boto3, socket\n"
        "boto3.client = boto3.Session.client = socket.socket.connect = None\n"
        "before = (logging.root.level, list(logging.root.handlers))\n"
        "from tests.cloudformation.test_custom_resource import run, respond\n"
        "run(respond)\n"
        "assert before == (logging.root.level, list(logging.root.handlers))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_crhelper_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """crhelper, which would log the event with its URL, logs nothing at any level."""
    with caplog.at_level(logging.DEBUG):
        run(respond)
    assert caplog.records == []


def test_requests_share_no_state() -> None:
    """A second request sees nothing of the first one's data."""
    run(respond)

    def second(resource: CrhelperResource) -> str:
        assert resource.response is None
        return respond(resource)

    assert run(second).status == SUCCESS
