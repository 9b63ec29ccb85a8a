"""The built artifacts under Lambda's runtime client if a package is broken, time runs out, or the process is killed."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.bucket import Bucket
from e2e.conftest import Application
from e2e.function import Function, Package, failure_record
from e2e.waiting import wait_until
from provider.emulator.emulator import Emulator, Fault

Environments = Callable[..., Function]
CREATE = "CreateDistributionConfiguration"


def broken(package: Package, module: str, source: str, folder: Path) -> Package:
    """Copy the package and replace the source of one module, and its bytecode."""
    shutil.copytree(package.folder, folder, copy_function=os.link)
    victim = folder / module
    for compiled in (*victim.parent.glob(f"{victim.stem}.*"), *victim.parent.glob(f"__pycache__/{victim.stem}.*")):
        compiled.unlink()
    victim.write_text(source, encoding="utf-8")
    return replace(package, folder=folder)


def killed(function: Function, event: Any, emulator: Emulator) -> dict[str, str]:
    """Kill the function at its first API call; return the error that Lambda reports."""
    calls = len(emulator.requests)
    function.begin(event, seconds=30)
    wait_until(lambda: len(emulator.requests) > calls)
    return function.kill()


@pytest.mark.parametrize("module", ["botocore/__init__.py", "botocore/loaders.py", "provider/provision.py"])
def test_a_broken_package_fails_the_request(
    module: str,
    application: Application,
    environments: Environments,
    bucket: Bucket,
    emulator: Emulator,
    tmp_path: Path,
) -> None:
    """If a package does not load, the runtime still starts, and the response is FAILED with the reason."""
    package = broken(application.provider, module, "raise ImportError('a part is missing')\n", tmp_path / "copy")
    request = bucket.request("create-own")
    with environments(package) as function:
        assert function.init_errors == []
        assert function.invoke(request.event).error is None
    assert not request.response.succeeded
    assert "a part is missing" in request.response.reason
    assert emulator.requests == []


def test_the_last_resort_responds_if_the_entry_point_does_not_load(
    application: Application, environments: Environments, bucket: Bucket, tmp_path: Path
) -> None:
    """If the entry point does not load, the last-resort function responds with the error that Lambda reports."""
    package = broken(application.provider, "provider/handler.py", "def handler(:\n", tmp_path / "copy")
    request = bucket.request("create-own")
    with environments(package) as function:
        (error,) = function.init_errors
        record = failure_record(function, request.event, attempts=2, error=error)
    with environments(application.last_resort) as last_resort:
        assert last_resort.invoke(record).error is None
    assert not request.response.succeeded
    assert "Runtime.UserCodeSyntaxError" in request.response.reason


def test_a_response_is_in_time_if_the_api_hangs(
    application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """If the API hangs, the function responds before Lambda's timeout, and the process can handle the next event."""
    emulator.fail(CREATE, Fault.HANG, times=20)
    request, after = bucket.request("create-own"), bucket.request("create-own")
    with environments(application.provider) as function:
        invocation = function.invoke(request.event, seconds=8)
        assert invocation.took < 8
        assert not request.response.succeeded
        assert "timed out" in request.response.reason
        emulator.reset_faults()
        assert function.invoke(after.event).error is None
    assert after.response.succeeded, after.response.reason
    assert request.response_count == 1
    assert len(emulator.configurations) == 1


def test_a_retry_continues_the_work_of_a_killed_process(
    application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """If a process is killed after its Create took effect, Lambda's retry responds with the same configuration."""
    emulator.fail(CREATE, Fault.HANG, after=True)
    request = bucket.request("create-own")
    with environments(application.provider) as function:
        function.begin(request.event, seconds=30)
        wait_until(lambda: bool(emulator.configurations))
        function.kill()
    assert request.response_count == 0
    with environments(application.provider) as function:
        assert function.invoke(request.event).error is None
    assert request.response.succeeded, request.response.reason
    assert list(emulator.configurations) == [request.response.physical_id]


@pytest.mark.parametrize("sample", ["create-own", "update-in-place", "delete-own"])
def test_the_last_resort_responds_if_each_attempt_is_killed(
    sample: str, application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """If each attempt is killed, the last-resort function responds FAILED with the physical ID of the event."""
    if sample != "create-own":
        with environments(application.provider) as function:
            function.invoke(bucket.request("create-own").event)
    request = bucket.request(sample)
    emulator.fail("*", Fault.HANG, times=2)
    for _ in range(2):
        with environments(application.provider) as function:
            error = killed(function, request.event, emulator)
    record = failure_record(function, request.event, attempts=2, error=error)
    with environments(application.last_resort) as last_resort:
        assert last_resort.invoke(record).error is None
    assert not request.response.succeeded
    assert "Runtime.ExitError" in request.response.reason
    known = request.event.get("PhysicalResourceId")
    assert request.response.physical_id == known or (
        known is None and not request.response.physical_id.startswith("arn:")
    )


def test_the_last_resort_needs_no_packages(application: Application) -> None:
    """The last-resort function's artifact contains no third-party package."""
    folder = application.last_resort.folder
    assert [path.name for path in folder.iterdir()] == ["provider"]
    own = {path.name for path in (folder / "provider").iterdir()}
    assert own == {"__init__.py", "arn.py", "aws", "cloudformation", "last_resort.py", "marker.py", "resources"}
