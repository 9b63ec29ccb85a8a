"""The built artifacts under Lambda's runtime client, where a package is broken, time runs out or the process dies."""

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
from e2e.patience import wait_until
from provider.emulator.emulator import Emulator, Fault

Environments = Callable[..., Function]
CREATE = "CreateDistributionConfiguration"


def broken(package: Package, module: str, source: str, folder: Path) -> Package:
    """A copy of the package in which one module is replaced, its bytecode included."""
    shutil.copytree(package.folder, folder, copy_function=os.link)
    victim = folder / module
    for compiled in (*victim.parent.glob(f"{victim.stem}.*"), *victim.parent.glob(f"__pycache__/{victim.stem}.*")):
        compiled.unlink()
    victim.write_text(source, encoding="utf-8")
    return replace(package, folder=folder)


def killed(function: Function, event: Any, emulator: Emulator) -> dict[str, str]:
    """Kill the function at its first call of the API; what Lambda tells about that."""
    calls = len(emulator.requests)
    function.begin(event, seconds=30)
    wait_until(lambda: len(emulator.requests) > calls)
    return function.kill()


@pytest.mark.parametrize("module", ["botocore/__init__.py", "botocore/loaders.py", "provider/provision.py"])
def test_a_broken_package_is_reported(
    module: str,
    application: Application,
    environments: Environments,
    bucket: Bucket,
    emulator: Emulator,
    tmp_path: Path,
) -> None:
    """Where a package does not load, the runtime still comes up and the answer is FAILED with the reason."""
    package = broken(application.provider, module, "raise ImportError('half of it is missing')\n", tmp_path / "copy")
    request = bucket.request("create-own")
    with environments(package) as function:
        assert function.init_errors == []
        assert function.invoke(request.event).error is None
    assert not request.answer.succeeded
    assert "half of it is missing" in request.answer.reason
    assert emulator.requests == []


def test_an_entry_that_does_not_load_is_answered_by_the_last_resort(
    application: Application, environments: Environments, bucket: Bucket, tmp_path: Path
) -> None:
    """Where not even the entry loads, Lambda is told so, and the last resort answers with that reason."""
    package = broken(application.provider, "provider/handler.py", "def handler(:\n", tmp_path / "copy")
    request = bucket.request("create-own")
    with environments(package) as function:
        (error,) = function.init_errors
        record = failure_record(function, request.event, attempts=2, error=error)
    with environments(application.last_resort) as last_resort:
        assert last_resort.invoke(record).error is None
    assert not request.answer.succeeded
    assert "Runtime.UserCodeSyntaxError" in request.answer.reason


def test_an_api_that_hangs_is_answered_in_time(
    application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """Where the API hangs the answer is there before Lambda's deadline, and the process serves what comes next."""
    emulator.fail(CREATE, Fault.HANG, times=20)
    request, after = bucket.request("create-own"), bucket.request("create-own")
    with environments(application.provider) as function:
        invocation = function.invoke(request.event, seconds=8)
        assert invocation.took < 8
        assert not request.answer.succeeded
        assert "timed out" in request.answer.reason
        emulator.reset_faults()
        assert function.invoke(after.event).error is None
    assert after.answer.succeeded, after.answer.reason
    assert request.answers == 1
    assert len(emulator.configurations) == 1


def test_what_a_killed_process_began_is_carried_on_by_the_retry(
    application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """A process killed after its Create took effect leaves Lambda's retry to answer, with the one configuration."""
    emulator.fail(CREATE, Fault.HANG, after=True)
    request = bucket.request("create-own")
    with environments(application.provider) as function:
        function.begin(request.event, seconds=30)
        wait_until(lambda: bool(emulator.configurations))
        function.kill()
    assert request.answers == 0
    with environments(application.provider) as function:
        assert function.invoke(request.event).error is None
    assert request.answer.succeeded, request.answer.reason
    assert list(emulator.configurations) == [request.answer.physical_id]


@pytest.mark.parametrize("sample", ["create-own", "update-in-place", "delete-own"])
def test_a_process_killed_for_good_is_answered_by_the_last_resort(
    sample: str, application: Application, environments: Environments, bucket: Bucket, emulator: Emulator
) -> None:
    """Where each attempt is killed, the last resort answers FAILED with the ID that CloudFormation knows."""
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
    assert not request.answer.succeeded
    assert "Runtime.ExitError" in request.answer.reason
    known = request.event.get("PhysicalResourceId")
    assert request.answer.physical_id == known or (known is None and not request.answer.physical_id.startswith("arn:"))


def test_the_last_resort_is_the_standard_library_and_the_protocol(application: Application) -> None:
    """The last resort's artifact has no package of anybody else."""
    folder = application.last_resort.folder
    assert [path.name for path in folder.iterdir()] == ["provider"]
    own = {path.name for path in (folder / "provider").iterdir()}
    assert own == {"__init__.py", "arn.py", "aws", "cloudformation", "last_resort.py", "marker.py"}
