"""The built artifact under Lambda's runtime client: cold starts and warm invocations."""

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
NOISE_KILOBYTES = 4096
NOISE_OBJECTS = 2000


@pytest.fixture
def observed(application: Application) -> Package:
    """The provider's package with an additional handler that reports the state of its process."""
    beside = (Path(__file__).with_name("probe"),)
    return replace(application.provider, handler="observed.handler", beside=beside)


def test_a_create_on_a_cold_start_succeeds(
    application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """The response to the first event of an execution environment has the ARN of the created configuration."""
    request = bucket.request("create-own")
    with environments(application.provider) as function:
        invocation = function.invoke(request.event)
    assert invocation.error is None
    assert request.response.succeeded, request.response.reason
    assert list(emulator.configurations) == [request.response.physical_id]
    assert request.response.data["Name"] == "golden-image"


def test_the_init_phase_ends_in_time(application: Application, environments: Environments) -> None:
    """The function requests its first event within Lambda's init phase and reports no errors."""
    with environments(application.provider) as function:
        assert function.init_seconds < LAMBDA_INIT_SECONDS
        assert function.init_errors == []


def test_the_artifact_is_complete(observed: Package, environments: Environments, bucket: Bucket) -> None:
    """A request loads modules only from the artifact, the standard library, and Lambda's runtime client."""
    with environments(observed) as function:
        seen = function.invoke(bucket.request("create-own").event).result
    library = run([str(PYTHON), "-Sc", "import sysconfig; print(sysconfig.get_path('stdlib'))"], {}).strip()
    allowed = [observed.folder, observed.runtime, *observed.beside, Path(library)]
    foreign = [name for name in seen["files"] if not any(Path(name).is_relative_to(root) for root in allowed)]
    assert foreign == []
    assert [name for name in (*seen["files"], *seen["path"]) if "site-packages" in name] == []
    assert any("botocore" in name and Path(name).is_relative_to(observed.folder) for name in seen["files"])


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_the_log_contains_no_secret(
    level: str, application: Application, environments: Environments, bucket: Bucket
) -> None:
    """At no log level does the output contain the response URL's signature or a credential."""
    with environments(application.provider, AWS_LAMBDA_LOG_LEVEL=level) as function:
        function.invoke(bucket.request("create-own").event)
        function.invoke(bucket.request("create-invalid").event)
        output = function.output
    assert "request succeeded" in output
    assert "request failed" in output
    secrets = (SIGNATURE, CREDENTIALS["AWS_SECRET_ACCESS_KEY"], CREDENTIALS["AWS_SESSION_TOKEN"])
    assert [secret for secret in secrets if secret in output] == []


def test_warm_invocations_reuse_connections_and_leak_nothing(
    observed: Package, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """Warm invocations share a process, an API connection, and an SSL context, and leak no threads or objects."""
    port = int(emulator.url.rpartition(":")[2])
    reports = []
    with environments(observed) as function:
        for _ in range(ROUNDS):
            for sample in ("create-own", "update-in-place", "update-no-change", "delete-own"):
                request = bucket.request(sample)
                reports.append(function.invoke(request.event).result)
                assert request.response.succeeded, request.response.reason
    assert {seen["process"] for seen in reports} == {function.process_id}
    assert len({local for seen in reports for local, remote in seen["connections"] if remote == port}) == 1
    (tls_contexts,) = {tuple(seen["tls_contexts"]) for seen in reports}
    assert len(tls_contexts) == 1
    settled, last = reports[len(reports) // 4], reports[-1]
    assert last["descriptors"] == settled["descriptors"]
    assert last["threads"] == ["MainThread"]
    assert last["objects"] - settled["objects"] < NOISE_OBJECTS
    assert last["kilobytes"] - settled["kilobytes"] < NOISE_KILOBYTES
    assert emulator.configurations == {}
