"""The built artifact under Lambda's runtime client: the first event, and those after it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.bucket import SIGNATURE, Bucket
from e2e.conftest import Application
from e2e.function import Function, Package
from e2e.tools import CREDENTIALS, PYTHON, run
from provider.emulator.emulator import Emulator

Environments = Callable[..., Function]
LAMBDA_INIT_SECONDS = 10.0
ROUNDS = 20
MOST_THREADS = 3
"""The main one, and those that are kept: for the work, and for a delivery that begins before the work's has ended."""
NOISE_KILOBYTES = 4096
NOISE_OBJECTS = 2000


@pytest.fixture
def observed(application: Application) -> Package:
    """The provider's package with a handler beside it that tells about its process."""
    beside = (Path(__file__).with_name("probe"),)
    return replace(application.provider, handler="observed.handler", beside=beside)


def test_a_create_on_a_cold_start_is_answered(
    application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """The first event of an execution environment is answered with the ARN of the configuration that it created."""
    request = bucket.request("create-own")
    with environments(application.provider) as function:
        invocation = function.invoke(request.event)
    assert invocation.error is None
    assert request.answer.succeeded, request.answer.reason
    assert list(emulator.configurations) == [request.answer.physical_id]
    assert request.answer.data["Name"] == "golden-image"


def test_the_init_phase_is_over_in_time(application: Application, environments: Environments) -> None:
    """The function asks for its first event before Lambda's init phase ends, with no error told."""
    with environments(application.provider) as function:
        assert function.init_seconds < LAMBDA_INIT_SECONDS
        assert function.init_errors == []


def test_the_artifact_needs_nothing_beside_it(observed: Package, environments: Environments, bucket: Bucket) -> None:
    """All that a request loads is the artifact's, Python's own, or Lambda's runtime client's."""
    with environments(observed) as function:
        seen = function.invoke(bucket.request("create-own").event).result
    library = run([str(PYTHON), "-Sc", "import sysconfig; print(sysconfig.get_path('stdlib'))"], {}).strip()
    allowed = [observed.folder, observed.runtime, *observed.beside, Path(library)]
    foreign = [name for name in seen["files"] if not any(Path(name).is_relative_to(root) for root in allowed)]
    assert foreign == []
    assert [name for name in (*seen["files"], *seen["path"]) if "site-packages" in name] == []
    assert any("botocore" in name and Path(name).is_relative_to(observed.folder) for name in seen["files"])


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_what_is_logged_has_no_secret(
    level: str, application: Application, environments: Environments, bucket: Bucket
) -> None:
    """Nothing that the function writes at any level holds the response URL's signature or a credential."""
    with environments(application.provider, AWS_LAMBDA_LOG_LEVEL=level) as function:
        function.invoke(bucket.request("create-own").event)
        function.invoke(bucket.request("create-invalid").event)
        output = function.output
    assert "request succeeded" in output
    assert "request failed" in output
    secrets = (SIGNATURE, CREDENTIALS["AWS_SECRET_ACCESS_KEY"], CREDENTIALS["AWS_SESSION_TOKEN"])
    assert [secret for secret in secrets if secret in output] == []


def test_warm_invocations_reuse_what_is_open_and_keep_nothing(
    observed: Package, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """Warm invocations share a process, an API connection, a TLS context and threads, and leave nothing else behind."""
    port = int(emulator.url.rpartition(":")[2])
    lives = []
    with environments(observed) as function:
        for _ in range(ROUNDS):
            for sample in ("create-own", "update-in-place", "update-no-change", "delete-own"):
                request = bucket.request(sample)
                lives.append(function.invoke(request.event).result)
                assert request.answer.succeeded, request.answer.reason
    assert {seen["process"] for seen in lives} == {function.process_id}
    assert len({local for seen in lives for local, remote in seen["connections"] if remote == port}) == 1
    (tls_contexts,) = {tuple(seen["tls_contexts"]) for seen in lives}
    assert len(tls_contexts) == 1
    settled, last = lives[len(lives) // 4], lives[-1]
    assert last["descriptors"] == settled["descriptors"]
    assert set(last["threads"]) == {"MainThread", "idle"}
    assert len(last["threads"]) <= MOST_THREADS
    assert last["objects"] - settled["objects"] < NOISE_OBJECTS
    assert last["kilobytes"] - settled["kilobytes"] < NOISE_KILOBYTES
    assert emulator.configurations == {}
