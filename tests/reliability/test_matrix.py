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
from tests.reliability.matrix import CUT, DONE, RETRIED, UNDONE, UNHEARD, Fault, RequestType, cells, markdown
from tests.reliability.world import SECRETS, Bucket, World
from tests.stack import ARN, STACK_ID

ROOT = Path(__file__).parents[2]
CERTIFICATE = ROOT / "tests" / "emulator" / "test_emulator.pem"


def fails(fault: Api, times: int, *, after: bool = False) -> Callable[[World], None]:
    """The call that makes the change meets a fault of the API's, so many times."""
    return lambda world: world.emulator.fail(world.operation, fault, times=times, after=after)


def bucket_meets(*trouble: str, lasting: str = "") -> Callable[[World], None]:
    """The PUT of the answer meets trouble."""

    def arrange(world: World) -> None:
        world.bucket.trouble, world.bucket.lasting = list(trouble), lasting

    return arrange


def in_child(**wrong: str) -> Callable[[World], None]:
    """The function runs in a process of its own in which something is wrong."""
    return lambda world: world.child.update({"operation": world.operation, **wrong})


def unreachable(world: World) -> None:
    """Nobody listens where the API should be."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        os.environ["AWS_ENDPOINT_URL_IMAGEBUILDER"] = f"http://127.0.0.1:{taken.getsockname()[1]}"


def without_credentials(_: World) -> None:
    """The environment has no credentials."""
    del os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]


def expired(world: World) -> None:
    """The URL's signature ended long ago."""
    world.url = world.bucket.url("&X-Amz-Date=20200101T000000Z")


def throttled_on_the_retry(world: World) -> None:
    """The call takes effect, its answer is lost, and the retry is throttled."""
    world.emulator.fail(world.operation, Api.SERVER_ERROR, after=True)
    world.emulator.fail(world.operation, Api.THROTTLE)


def nobody_vouches(world: World) -> None:
    """The bucket speaks TLS with a certificate that nobody vouches for."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    impostor = Bucket(tls)
    world.url = impostor.url()
    world.bucket.meanwhile = impostor.close


def bucket_out_of_reach(world: World) -> None:
    """Nobody listens where the answer should go."""
    world.url = "http://127.0.0.1:1/answer?X-Amz-Signature=verysecretsignature"


def rejected_while_valid(world: World) -> None:
    """The bucket rejects the response although the URL's signature is valid, as with a VPC endpoint's policy."""
    world.url = world.bucket.url(f"&X-Amz-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    world.bucket.lasting = "403"


def rejected_after_expiry(world: World) -> None:
    """The URL's signature ended long ago, and the bucket rejects the response for it."""
    expired(world)
    world.bucket.lasting = "403"


def killed_while_delivering(world: World) -> None:
    """The process is killed when the answer arrives, which is then lost."""
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
    ("during delivery", "bucket unreachable"): bucket_out_of_reach,
    ("during delivery", "untrusted certificate"): nobody_vouches,
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
    """Whatever goes wrong, a request has one right answer in time, loses nothing and tells no secret."""
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


def answered(world: World, status: str) -> None:
    """Exactly one answer was taken, whole and valid, with the physical ID that the contract says."""
    assert not world.raised
    assert len(set(world.bucket.seen)) == 1, "every attempt at delivery has the same body"
    answer = world.answer
    assert len(world.bucket.taken[0]) <= LIMIT
    assert answer["Status"] == status
    assert (answer["StackId"], answer["RequestId"]) == (STACK_ID, world.request_id)
    if world.request_type == "Create" and status == "FAILED":
        assert answer["PhysicalResourceId"] == f"{ARN}golden" or not answer["PhysicalResourceId"].startswith("arn:")
    else:
        assert answer["PhysicalResourceId"] == f"{ARN}golden"
    if status == "FAILED":
        assert answer["Reason"]
        assert world.follow_up()["Status"] == "SUCCESS"
        assert world.description == (None if world.request_type != "Update" else "before")


def done(world: World) -> None:
    """Answered SUCCESS, and the world is as wanted."""
    assert world.done
    answered(world, "SUCCESS")


def undone(world: World) -> None:
    """Answered FAILED, and the world is as it was."""
    assert world.unchanged
    answered(world, "FAILED")


def cut(world: World) -> None:
    """Answered FAILED for lack of time; what happened is found out by the next request."""
    assert world.done or world.unchanged
    assert "timed out during" in world.answer["Reason"]
    answered(world, "FAILED")


def retried(world: World) -> None:
    """No answer was taken; delivered again in a world that is well, the request is answered SUCCESS."""
    assert world.raised
    assert world.bucket.taken == []
    world.emulator.reset_faults()
    world.bucket.meanwhile()
    world.bucket.meanwhile, world.bucket.lasting, world.bucket.trouble = lambda: None, "", []
    world.bucket.seen.clear()
    world.url, world.child, world.seconds = world.bucket.url(), {}, 20
    world.send()
    done(world)


def unheard(world: World) -> None:
    """Nothing is done, and the function ends without an error, which Lambda would retry for nothing."""
    assert world.unchanged
    assert not world.raised
    assert world.bucket.taken == []
    assert len(world.bucket.seen) == 1


CHECKS = {DONE: done, UNDONE: undone, CUT: cut, RETRIED: retried, UNHEARD: unheard}


def test_the_matrix_has_its_cells() -> None:
    """There are at least sixty cells, each arranged and each with a check, and no arrangement is left over."""
    assert len(list(cells())) >= 60
    assert {(fault.phase, fault.name) for fault, _, _ in cells()} == set(ARRANGE)
    assert {outcome for _, _, outcome in cells()} == set(CHECKS)


def test_the_documented_matrix_is_fresh() -> None:
    """The README quotes the matrix as it is; `python -m tests.reliability.matrix` prints it."""
    assert markdown() in (ROOT / "README.md").read_text(encoding="utf-8")
