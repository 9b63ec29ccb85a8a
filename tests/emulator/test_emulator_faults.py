"""The emulator injects failures, and stops at once."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from provider.emulator.emulator import Emulator, Fault

ENTRY: dict[str, Any] = {"region": "us-east-1", "amiDistributionConfiguration": {}}
LIST_REQUEST = b"POST /ListDistributionConfigurations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def raw(emulator: Emulator) -> Iterator[socket.socket]:
    """A bare connection to the emulator."""
    host, port = emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Fault.THROTTLE, "CallRateLimitExceededException", 429),
        (Fault.UNAVAILABLE, "ServiceUnavailableException", 503),
        (Fault.SERVER_ERROR, "ServiceException", 500),
        (Fault.DENIED, "AccessDeniedException", 403),
    ],
)
def test_injected_errors(client: Any, emulator: Emulator, fault: Fault, code: str, status: int) -> None:
    """An injected error affects one call of its operation, prevents its effect, and is recorded with it."""
    emulator.fail("CreateDistributionConfiguration", fault)
    client.list_distribution_configurations()
    with pytest.raises(ClientError) as caught:
        client.create_distribution_configuration(name="golden", distributions=[ENTRY])
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert emulator.configurations == {}
    client.create_distribution_configuration(name="golden", distributions=[ENTRY])
    assert [each.fault for each in emulator.requests] == [None, fault, None]


def test_token_after_a_fault(client: Any, emulator: Emulator) -> None:
    """A call that a fault prevented can be repeated with its token."""
    emulator.fail("CreateDistributionConfiguration", Fault.SERVER_ERROR)
    parameters = {"name": "golden", "distributions": [ENTRY], "clientToken": "t"}
    with pytest.raises(client.exceptions.ServiceException):
        client.create_distribution_configuration(**parameters)
    client.create_distribution_configuration(**parameters)
    assert len(emulator.configurations) == 1


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.SERVER_ERROR])
def test_lost_response(client: Any, emulator: Emulator, fault: Fault) -> None:
    """With `after`, the call takes effect but its response is lost; the repetition with the same token returns it."""
    emulator.fail("CreateDistributionConfiguration", fault, after=True)
    parameters = {"name": "golden", "distributions": [ENTRY], "clientToken": "t"}
    with pytest.raises((ClientError, ConnectionClosedError)):
        client.create_distribution_configuration(**parameters)
    (arn,) = emulator.configurations
    assert client.create_distribution_configuration(**parameters)["distributionConfigurationArn"] == arn


def test_any_operation(client: Any, emulator: Emulator) -> None:
    """A fault for any operation affects as many of the next calls as requested."""
    emulator.fail("*", Fault.THROTTLE, times=2)
    for call in (client.list_distribution_configurations, client.list_image_pipelines):
        with pytest.raises(client.exceptions.CallRateLimitExceededException):
            call()
    client.list_distribution_configurations()


def test_order_of_faults(client: Any, emulator: Emulator) -> None:
    """Several faults for one operation affect one call each, in the order in which they were injected."""
    emulator.fail("ListImagePipelines", Fault.THROTTLE)
    emulator.fail("*", Fault.DENIED)
    emulator.fail("ListImagePipelines", Fault.UNAVAILABLE)
    codes = []
    for _ in range(3):
        with pytest.raises(ClientError) as caught:
            client.list_image_pipelines()
        codes.append(caught.value.response["Error"]["Code"])
    assert codes == ["CallRateLimitExceededException", "AccessDeniedException", "ServiceUnavailableException"]


def test_other_errors(client: Any, emulator: Emulator) -> None:
    """Any code, status, and message can be injected, even if the model lacks it."""
    emulator.fail_with("ListImagePipelines", "ExpiredTokenException", 403, "The token has expired.")
    with pytest.raises(ClientError, match="The token has expired") as caught:
        client.list_image_pipelines()
    assert caught.value.response["Error"]["Code"] == "ExpiredTokenException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    client.list_image_pipelines()


def test_reset_faults(client: Any, emulator: Emulator) -> None:
    """Discarded faults affect no call."""
    emulator.fail("*", Fault.RESET, times=9)
    emulator.reset_faults()
    client.list_distribution_configurations()


def test_invalid_faults(emulator: Emulator) -> None:
    """A misspelled operation and a count that is not positive raise ValueError."""
    with pytest.raises(ValueError, match="no operation 'UpdateDistribution'"):
        emulator.fail("UpdateDistribution", Fault.THROTTLE)
    with pytest.raises(ValueError, match="not 0"):
        emulator.fail_with("*", "X", 400, "x", times=0)


def test_garbage(client: Any, emulator: Emulator) -> None:
    """An HTML page with status 200 raises no error in botocore; the members are missing."""
    emulator.fail("*", Fault.GARBAGE)
    response = client.list_distribution_configurations()
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert set(response) == {"ResponseMetadata"}


def test_reset(raw: socket.socket, emulator: Emulator) -> None:
    """A reset is a TCP reset, not an orderly close."""
    emulator.fail("*", Fault.RESET)
    raw.sendall(LIST_REQUEST)
    with pytest.raises(ConnectionResetError):
        raw.recv(1)


def test_hang(emulator: Emulator, connect: Any) -> None:
    """A call that hangs gets no response, and the next call is served."""
    emulator.fail("*", Fault.HANG)
    client = connect(emulator, read_timeout=0.2)
    with pytest.raises(ReadTimeoutError):
        client.list_distribution_configurations()
    connect(emulator).list_distribution_configurations()


def test_stop_ends_hanging_calls(raw: socket.socket, emulator: Emulator) -> None:
    """Stopping ends a hanging call at once."""
    emulator.fail("*", Fault.HANG)
    raw.sendall(LIST_REQUEST)
    deadline = time.monotonic() + 10
    while not emulator.requests and time.monotonic() < deadline:
        time.sleep(0.001)
    began = time.monotonic()
    emulator.stop()
    assert time.monotonic() - began < 1
    assert raw.recv(1) == b""


def test_stop_closes_idle_connections(raw: socket.socket, emulator: Emulator) -> None:
    """Stopping does not wait for an idle connection."""
    raw.sendall(LIST_REQUEST)
    assert raw.recv(4096).startswith(b"HTTP/1.1 200")
    began = time.monotonic()
    emulator.stop()
    assert time.monotonic() - began < 1


def test_ports(emulator: Emulator) -> None:
    """Stopping frees the port; an emulator that gets a port listens only there."""
    port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Emulator(port=port).start()
    emulator.stop()
    with Emulator(port=port) as second:
        assert second.url == f"http://127.0.0.1:{port}"


def test_start_and_stop(emulator: Emulator) -> None:
    """Stopping twice is harmless; starting twice, or reading the URL of a stopped emulator, is an error."""
    with pytest.raises(RuntimeError, match="already listening"):
        emulator.start()
    emulator.stop()
    emulator.stop()
    with pytest.raises(RuntimeError, match="not listening"):
        _ = emulator.url


def test_concurrent_creates(client: Any, emulator: Emulator) -> None:
    """Of many concurrent Creates with one name, one succeeds and the others return already exists."""

    def create(number: int) -> str:
        try:
            client.create_distribution_configuration(name="golden", distributions=[ENTRY], description=f"{number}")
        except client.exceptions.ResourceAlreadyExistsException:
            return "exists"
        return "created"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(create, range(16)))
    assert outcomes == ["created"] + ["exists"] * 15
    assert len(emulator.requests) == 16


def test_persistent_connections(raw: socket.socket) -> None:
    """One connection serves several requests."""
    for _ in range(2):
        raw.sendall(LIST_REQUEST)
        response = b""
        while not response.endswith(b"}"):
            response += raw.recv(4096)
        assert response.startswith(b"HTTP/1.1 200")


def test_nothing_on_standard_error(
    raw: socket.socket, emulator: Emulator, client: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """Requests, disconnected clients, and invalid input print nothing to standard error."""
    client.list_distribution_configurations()
    raw.sendall(b"nonsense\r\n\r\n")
    raw.close()
    emulator.stop()
    assert capfd.readouterr() == ("", "")
