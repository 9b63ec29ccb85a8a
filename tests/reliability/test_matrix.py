"""Every cell of the reliability matrix, through the real handler over real sockets."""

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provider.cloudformation.response import LIMIT
from provider.emulator.emulator import Emulator
from provider.emulator.emulator import Fault as Api
from tests.reliability.matrix import CUT, DONE, EXPIRED, RETRIED, UNDONE, Fault, RequestType, cells, markdown
from tests.reliability.world import SECRETS, Bucket, World
from tests.stack import ARN, STACK_ID

ROOT = Path(__file__).parents[2]
CERTIFICATE = ROOT / "tests" / "emulator" / "test_emulator.pem"


def fails(fault: Api, times: int, *, after: bool = False) -> Callable[[World], None]:
    """Make the call that changes the configuration fail a number of times."""
    return lambda world: world.emulator.fail(world.operation, fault, times=times, after=after)


def bucket_meets(*trouble: str, lasting: str = "") -> Callable[[World], None]:
    """Make the PUT of the response fail."""

    def arrange(world: World) -> None:
        world.bucket.trouble, world.bucket.lasting = list(trouble), lasting

    return arrange


def in_child(**wrong: str) -> Callable[[World], None]:
    """Run the function in a separate process with a fault."""
    return lambda world: world.child.update({"operation": world.operation, **wrong})


def unreachable(world: World) -> None:
    """Make the API's address refuse connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        os.environ["AWS_ENDPOINT_URL_IMAGEBUILDER"] = f"http://127.0.0.1:{taken.getsockname()[1]}"


def without_credentials(_: World) -> None:
    """Remove the credentials."""
    del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]


def expired(world: World) -> None:
    """Use a response URL that expired long ago."""
    world.url = world.bucket.url("&X-Amz-Date=20200101T000000Z")


def throttled_on_the_retry(world: World) -> None:
    """Make the call take effect without a response, and throttle the retry."""
    world.emulator.fail(world.operation, Api.SERVER_ERROR, after=True)
    world.emulator.fail(world.operation, Api.THROTTLE)


def untrusted(world: World) -> None:
    """Use a bucket with an untrusted certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    impostor = Bucket(tls)
    world.url = impostor.url()
    world.bucket.meanwhile = impostor.close


def bucket_unreachable(world: World) -> None:
    """Make the bucket's address refuse connections."""
    world.url = "http://127.0.0.1:1/response?X-Amz-Signature=verysecretsignature"


def rejected_while_valid(world: World) -> None:
    """Make the bucket reject the response although the URL is valid, like a VPC endpoint's policy."""
    world.url = world.bucket.url(f"&X-Amz-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    world.bucket.lasting = "403"


def rejected_after_expiry(world: World) -> None:
    """Use a response URL that expired long ago and that the bucket therefore rejects."""
    expired(world)
    world.bucket.lasting = "403"


def killed_while_delivering(world: World) -> None:
    """Kill the process when the response arrives, and lose the response."""
    world.child["operation"] = world.operation
    world.bucket.meanwhile, world.bucket.trouble = world.kill, ["RESET"]


ARRANGE: dict[tuple[str, str], Callable[[World], None]] = {
    ("before the call", "throttled once"): lambda world: world.emulator.fail("*", Api.THROTTLE),
    ("before the call", "always throttled"): lambda world: world.emulator.fail("*", Api.THROTTLE, times=999),
    ("before the call", "API unreachable"): unreachable,
    ("before the call", "access denied"): fails(Api.DENIED, 99),
    ("before the call", "no credentials"): without_credentials,
    ("before the call", "response URL expired"): expired,
    ("before the call", "no time left"): lambda _: None,
    ("before the call", "package broken"): in_child(broken="crhelper"),
    ("before the call", "package slow to load"): in_child(slow="aws_lambda_powertools"),
    ("before the call", "killed"): in_child(inside="kill"),
    ("during the call", "503 once"): fails(Api.UNAVAILABLE, 1),
    ("during the call", "always 500"): fails(Api.SERVER_ERROR, 999),
    ("during the call", "reset once"): fails(Api.RESET, 1),
    ("during the call", "always reset"): fails(Api.RESET, 999),
    ("during the call", "invalid response once"): fails(Api.GARBAGE, 1),
    ("during the call", "always an invalid response"): fails(Api.GARBAGE, 999),
    ("during the call", "hangs"): fails(Api.HANG, 999),
    ("during the call", "unmodeled error"): lambda world: world.emulator.fail_with(
        world.operation, "NobodyKnowsException", 418, "what is this?", times=99
    ),
    ("during the call", "exit inside the client"): in_child(inside="exit"),
    ("during the call", "out of memory inside the client"): in_child(inside="memory"),
    ("during the call", "killed"): in_child(inside="kill"),
    ("after the call took effect", "503 once"): fails(Api.UNAVAILABLE, 1, after=True),
    ("after the call took effect", "always 500"): fails(Api.SERVER_ERROR, 999, after=True),
    ("after the call took effect", "reset once"): fails(Api.RESET, 1, after=True),
    ("after the call took effect", "always reset"): fails(Api.RESET, 999, after=True),
    ("after the call took effect", "invalid response once"): fails(Api.GARBAGE, 1, after=True),
    ("after the call took effect", "always an invalid response"): fails(Api.GARBAGE, 999, after=True),
    ("after the call took effect", "throttled on the retry"): throttled_on_the_retry,
    ("after the call took effect", "hangs"): fails(Api.HANG, 999, after=True),
    ("after the call took effect", "killed"): in_child(inside="kill", after="yes"),
    ("during delivery", "503 once"): bucket_meets("503"),
    ("during delivery", "429 once"): bucket_meets("429"),
    ("during delivery", "reset once"): bucket_meets("RESET"),
    ("during delivery", "hangs once"): bucket_meets("HANG"),
    ("during delivery", "always 503"): bucket_meets(lasting="503"),
    ("during delivery", "bucket unreachable"): bucket_unreachable,
    ("during delivery", "untrusted certificate"): untrusted,
    ("during delivery", "always 307"): bucket_meets(lasting="307"),
    ("during delivery", "400 once"): bucket_meets("400"),
    ("during delivery", "always 400"): bucket_meets(lasting="400"),
    ("during delivery", "always 404"): bucket_meets(lasting="404"),
    ("during delivery", "403 while the URL is valid"): rejected_while_valid,
    ("during delivery", "403 after the URL has expired"): rejected_after_expiry,
    ("during delivery", "killed"): killed_while_delivering,
}


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    running = Bucket()
    yield running
    running.close()


@pytest.mark.parametrize(
    ("fault", "request_type", "outcome"),
    [pytest.param(*cell, id=f"{cell[0].phase}-{cell[0].name}-{cell[1]}") for cell in cells()],
)
def test_a_cell(
    emulator: Emulator,
    bucket: Bucket,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    request_type: RequestType,
    outcome: str,
) -> None:
    """With any fault, a request gets one correct response in time, loses nothing, and reveals no secret."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecretkey")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "access")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    world = World(emulator, bucket, request_type, fault.seconds)
    with monkeypatch.context() as environment:
        for name in ("AWS_ENDPOINT_URL_IMAGEBUILDER", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, os.environ[name])
        ARRANGE[fault.phase, fault.name](world)
        took = world.send()
    assert world.child or took < fault.seconds, "Lambda would have killed the function"
    CHECKS[outcome](world)
    captured = capfd.readouterr()
    for text in (captured.out, captured.err, world.output, *(body.decode() for body in bucket.seen)):
        assert not [secret for secret in SECRETS if secret in text]


def check_response(world: World, status: str) -> None:
    """Check that exactly one valid response was received, with the right physical ID."""
    assert not world.raised
    assert len(set(world.bucket.seen)) == 1, "every attempt at delivery has the same body"
    response = world.response
    assert len(world.bucket.taken[0]) <= LIMIT
    assert response["Status"] == status
    assert (response["StackId"], response["RequestId"]) == (STACK_ID, world.request_id)
    if world.request_type == "Create" and status == "FAILED":
        assert response["PhysicalResourceId"] == f"{ARN}golden" or not response["PhysicalResourceId"].startswith("arn:")
    else:
        assert response["PhysicalResourceId"] == f"{ARN}golden"
    if status == "FAILED":
        assert response["Reason"]
        assert world.follow_up()["Status"] == "SUCCESS"
        assert world.description == (None if world.request_type != "Update" else "before")


def done(world: World) -> None:
    """Check that the response is SUCCESS and the configuration is as desired."""
    assert world.done
    check_response(world, "SUCCESS")


def undone(world: World) -> None:
    """Check that the response is FAILED and the configuration is unchanged."""
    assert world.unchanged
    check_response(world, "FAILED")


def cut(world: World) -> None:
    """Check that the response is FAILED for lack of time; the next request reads the outcome."""
    assert world.done or world.unchanged
    assert "timed out during" in world.response["Reason"]
    check_response(world, "FAILED")


def retried(world: World) -> None:
    """Check that no response was received and that without the fault, a redelivery gets SUCCESS."""
    assert world.raised
    assert world.bucket.taken == []
    world.emulator.reset_faults()
    world.bucket.meanwhile()
    world.bucket.meanwhile, world.bucket.lasting, world.bucket.trouble = lambda: None, "", []
    world.bucket.seen.clear()
    world.url, world.child, world.seconds = world.bucket.url(), {}, 20
    world.send()
    done(world)


def unchanged_after_expiry(world: World) -> None:
    """Check that nothing is changed and the function raises no error, which Lambda would retry in vain."""
    assert world.unchanged
    assert not world.raised
    assert world.bucket.taken == []
    assert len(world.bucket.seen) == 1


CHECKS = {DONE: done, UNDONE: undone, CUT: cut, RETRIED: retried, EXPIRED: unchanged_after_expiry}


def test_the_matrix_has_its_cells() -> None:
    """There are at least sixty cells; each has a setup and a check, and each setup has a cell."""
    assert len(list(cells())) >= 60
    assert {(fault.phase, fault.name) for fault, _, _ in cells()} == set(ARRANGE)
    assert {outcome for _, _, outcome in cells()} == set(CHECKS)


def test_the_documented_matrix_is_fresh() -> None:
    """docs/reliability.md has the current matrix, which `python -m tests.reliability.matrix` prints."""
    assert markdown() in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
