"""The Lambda artifact is small and reproducible, and behaves like the complete packages."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import botocore
import pytest
import urllib3

from provider import __version__
from provider.build.deferral import DEFERRED
from provider.build.shrink import RUNTIME, interpreters
from provider.emulator.emulator import Emulator
from provider.reconciler.source_resolution import OPERATIONS as OPERATIONS_OF_SOURCES
from provider.resources.image_builder import OPERATIONS
from provider.schema.model import SERVICE, SERVICES
from provider.template.sections import load
from tests.aws.parameters import parameters_of
from tests.aws.test_endpoints import REGIONS

ROOT = Path(__file__).parent.parent
TOOLS = (
    "__main__",
    "authoring",
    "build",
    "cli",
    "construct",
    "emulator",
    "lint",
    "preflight",
    "stack_engine",
    "template",
)
CALLS = {
    SERVICE: "ListDistributionConfigurations",
    "sts": "AssumeRole",
    "sso": "GetRoleCredentials",
    "sso-oidc": "CreateToken",
    "signin": "CreateOAuth2Token",
    "organizations": "ListAccountsForParent",
    "ssm": "GetParameter",
}
"""A call of each service that the provider may use."""

SENT = """
import datetime, json, os, sys
sys.path[:0] = sys.argv[1:]
import botocore.auth, botocore.session
from botocore import xform_name
from botocore.config import Config

class Sent(Exception):
    pass

def stop(request, **_):
    headers = {k.lower(): v if isinstance(v, str) else v.decode() for k, v in request.headers.items()}
    del headers["amz-sdk-invocation-id"]
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    raise Sent(request.method, request.url, headers, body)

def sent(service, region, operation, fips=False, dual_stack=False, **parameters):
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual_stack, parameter_validation=False)
    try:
        client = session.create_client(service, region, config=config)
        client.meta.events.register("before-send", stop)
        getattr(client, xform_name(operation))(**parameters)
    except Sent as found:
        return found.args
    except Exception as error:
        return type(error).__name__, str(error)

botocore.auth.get_current_datetime = lambda: datetime.datetime(2026, 11, 23)
session = botocore.session.get_session()
session.set_credentials("AKID", "verysecret")
print(json.dumps([sent(**case) for case in json.load(sys.stdin)]))
"""
"""Prints what a client of the botocore on the path would send in each case, or its error."""

COMPILED = """
import sys
sys.dont_write_bytecode = True
compiled = []
sys.addaudithook(lambda event, args: compiled.append(args[1]) if event == "compile" else None)
sys.path.insert(0, sys.argv[1])
from provider import handler
from provider import provision
assert provision.__file__.startswith(sys.argv[1])
print([name for name in compiled if isinstance(name, str) and name.startswith(sys.argv[1])])
"""
"""Prints the artifact's files that a cold start has to compile."""

LOADED = """
import json, os, sys
sys.dont_write_bytecode = True
os.environ.update(AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
sys.path.insert(0, sys.argv[1])
from provider import handler
from provider import provision
provision.prepare()
print(json.dumps(sorted(sys.modules)))
"""
"""Prints the modules that a start of the artifact loads."""

NAMES = """
import contextlib, importlib, json, pathlib, sys, warnings
sys.dont_write_bytecode = True
warnings.simplefilter("ignore")
root = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(root))
names = {}
for path in sorted(root.rglob("*.py")):
    module = ".".join(part for part in path.relative_to(root).with_suffix("").parts if part != "__init__")
    if module.partition(".")[0] in ("botocore", "crhelper", "dateutil", "jmespath", "urllib3"):
        with contextlib.suppress(ImportError, SyntaxError):
            names[module] = importlib.import_module(module)
asked = json.load(sys.stdin) or {module: [*vars(loaded)] for module, loaded in names.items()}
print(json.dumps({
    module: {name: type(getattr(loaded, name, None)).__name__ for name in asked[module] if not name.startswith("__")}
    for module, loaded in names.items() if module in asked
}))
"""
"""Prints the type of each given name in the packages' modules, or of all their names."""


ASSUMED = """
import json, os, sys, time
sys.path[:0] = sys.argv[1:]
given = json.load(sys.stdin)
os.environ.update(given["environment"])
from provider.aws import roles
from provider.aws.client import call, client
assumption = roles.Assumption(given["role"], "arn:aws:cloudformation:us-east-1:123456789012:stack/images/1")
credentials = roles.credentials(assumption, "Golden", "us-east-1", time.time)
print(json.dumps(call(client("imagebuilder", "eu-west-1", credentials), "ListDistributionConfigurations", {})))
"""
"""Assumes a role, and calls Image Builder with its credentials."""


def build(target: Path, *options: str, **variables: str) -> Path:
    """Build the provider's function into a folder, as `sam build` does."""
    command = ["make", "--no-print-directory", "build-ProviderFunction", f"ARTIFACTS_DIR={target}", *options]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, **variables})
    return target


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact that `sam build` builds, including dependencies."""
    return build(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="module")
def as_published(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without bytecode, so that the packages' own sources run."""
    target = tmp_path_factory.mktemp("published") / "artifact"
    return shutil.copytree(artifact, target, ignore=shutil.ignore_patterns("*.pyc"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact that another machine builds from the same sources."""
    umask = os.umask(0o077)
    try:
        target = tmp_path_factory.mktemp("elsewhere") / "there" / "artifact"
        settings = {"PYTHONHASHSEED": "1", "PYTHONOPTIMIZE": "1", "PYTHONPYCACHEPREFIX": str(target.parent / "cache")}
        return build(target, *another_python(), LC_ALL="C", **settings)
    finally:
        os.umask(umask)


@pytest.fixture(scope="module")
def runtime() -> str:
    """An interpreter of the function's runtime version."""
    for python in interpreters():
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith(f"Python {RUNTIME}."):
            return python
    pytest.skip(f"no Python {RUNTIME} is here, so the artifact has no bytecode")


def another_python() -> Iterator[str]:
    """Yield the option to build the artifact with another Python, if there is one."""
    for folder in {Path(python).resolve().parent for python in interpreters()}:
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run([folder / "python", "-m", "pip", "--version"], check=True, capture_output=True)
            yield f"BIN={folder}"
            return


def run(script: str, path: Path | None, given: object = None, python: str = sys.executable) -> Any:
    """Run a script with a folder first on the path, and return the JSON that it prints."""
    command = [python, "-c", script, *([str(path)] if path else [])]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment["PYTHONHASHSEED"] = "0"  # the user agent has sets in it
    ran = subprocess.run(
        command, input=json.dumps(given), env=environment, capture_output=True, text=True, check=True, cwd="/"
    )
    return json.loads(ran.stdout)


def contents(folder: Path) -> Iterator[tuple[str, int, float, str]]:
    """Yield the name, permissions, time, and content of everything in a folder, in order."""
    for path in sorted(folder.rglob("*")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        yield str(path.relative_to(folder)), path.stat().st_mode, path.stat().st_mtime, digest


def test_it_is_small(artifact: Path, tmp_path: Path) -> None:
    """Zipped, the artifact is smaller than five megabytes."""
    packed = shutil.make_archive(str(tmp_path / "artifact"), "zip", artifact)
    assert Path(packed).stat().st_size < 5_000_000


def test_it_runs_on_every_processor(artifact: Path) -> None:
    """No file is machine code, so that the functions run on each processor that the application offers."""
    machine_code = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ")
    files = [path for path in artifact.rglob("*") if path.is_file()]
    assert files
    assert [path.name for path in files if path.read_bytes().startswith(machine_code)] == []


def test_it_has_the_version(artifact: Path) -> None:
    """The built package has the version of the sources."""
    assert f'__version__ = "{__version__}"' in (artifact / "provider" / "__init__.py").read_text("utf-8")


def test_it_is_the_same_wherever_it_is_built(artifact: Path, elsewhere: Path) -> None:
    """Another folder, time, umask, and (if available) Python and pip give the same bytes and permissions."""
    assert list(contents(elsewhere)) == list(contents(artifact))


def test_files_are_readable(elsewhere: Path) -> None:
    """The user that runs the function can read all files and enter all folders, whoever built them."""
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in elsewhere.rglob("*")}
    assert modes == {(True, 0o755), (False, 0o644)}


def test_bytecode_is_for_the_declared_runtime() -> None:
    """The bytecode is for the function's runtime in the template."""
    declared = load(ROOT / "template.yaml").resources["ProviderFunction"]["Properties"]["Runtime"]
    assert declared == f"python{RUNTIME}"


def test_every_module_has_bytecode(artifact: Path, runtime: str) -> None:
    """Each module has bytecode for the runtime that is never compared with the source."""
    script = "import importlib.util, json; print(json.dumps(importlib.util.MAGIC_NUMBER.hex()))"
    unchecked_hash = bytes.fromhex(run(script, None, python=runtime)) + (1).to_bytes(4, "little")
    tag = f"cpython-{RUNTIME.replace('.', '')}"
    modules = list(artifact.rglob("*.py"))
    compiled = [path.with_name("__pycache__") / f"{path.stem}.{tag}.pyc" for path in modules]
    assert [path for path in compiled if path.read_bytes()[:8] != unchecked_hash] == []
    assert sorted(artifact.rglob("*.pyc")) == sorted(compiled)


def test_bytecode_is_used_after_unpacking(artifact: Path, runtime: str, tmp_path: Path) -> None:
    """A cold start compiles nothing, although zipping and unpacking changed the timestamps."""
    packed = shutil.make_archive(str(tmp_path / "artifact"), "zip", artifact)
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(packed, unpacked)
    for path in unpacked.rglob("*.py"):
        os.utime(path, (0, 0))
    assert run(COMPILED, unpacked, python=runtime) == []


def test_a_start_loads_less(artifact: Path, as_published: Path, runtime: str) -> None:
    """Each entry in DEFERRED keeps at least one module from being loaded at start."""
    spared = set(run(LOADED, as_published, python=runtime)) - set(run(LOADED, artifact, python=runtime))
    assert [name for name in DEFERRED if not any(f"{module}.".startswith(f"{name}.") for module in spared)] == []


def test_every_name_can_be_imported(artifact: Path, as_published: Path, runtime: str) -> None:
    """With bytecode, every module can be imported and has the same names of the same types as without."""
    published = run(NAMES, as_published, python=runtime)
    assert len(published) > 100
    assert run(NAMES, artifact, published, python=runtime) == published


def test_sources_are_as_published(artifact: Path) -> None:
    """The sources in the artifact are those of the packages, whatever their bytecode defers."""
    for package in (botocore, urllib3):
        published = Path(str(package.__file__)).parent
        shipped = artifact / published.name
        for path in published.glob("*.py"):
            assert (shipped / path.name).read_bytes() == path.read_bytes()


def test_no_endpoint_changes(artifact: Path) -> None:
    """In every partition, with or without FIPS and dual stack, the shrunken botocore calls the same endpoints."""
    assert set(CALLS) == {*SERVICES}
    cases = [
        {"service": service, "operation": operation, "region": region, "fips": fips, "dual_stack": dual_stack}
        for (service, operation), region, fips, dual_stack in product(
            CALLS.items(), REGIONS, (False, True), (False, True)
        )
    ]
    pruned = run(SENT, artifact, cases)
    assert pruned == run(SENT, None, cases)
    assert len({found[1] for found in pruned}) > len(CALLS) * len(REGIONS)


def test_no_request_changes(artifact: Path) -> None:
    """For each operation with all parameters, the shrunken botocore sends the same bytes."""
    cases = [
        {"service": SERVICE, "region": "us-east-1", "operation": operation, **parameters_of(operation)}
        for operation in OPERATIONS
    ]
    given = {
        "organizations": {"ParentId": "ou-ab12-11111111", "NextToken": "more"},
        "ssm": {"Name": "/images/accounts"},
    }
    cases += [
        {"service": service, "region": "us-east-1", "operation": operation, **given[service]}
        for service, operations in OPERATIONS_OF_SOURCES.items()
        for operation in operations
    ]
    pruned = run(SENT, artifact, cases)
    assert pruned == run(SENT, None, cases)
    assert [len(found) for found in pruned] == [4] * len(cases)


def test_it_knows_the_operations_that_are_called(artifact: Path) -> None:
    """The service models in the artifact have exactly the operations that the provider calls."""
    for service, operations in {SERVICE: OPERATIONS, **OPERATIONS_OF_SOURCES}.items():
        (model,) = (artifact / "botocore" / "data" / service).glob("*/service-2.json")
        assert sorted(json.loads(model.read_bytes())["operations"]) == sorted(operations)


def test_it_assumes_roles(artifact: Path) -> None:
    """The artifact's STS client assumes a role, and its Image Builder client uses the credentials."""
    role = "arn:aws:iam::210987654321:role/images"
    with Emulator() as emulator:
        run(ASSUMED, artifact, {"environment": emulator.environment(), "role": role})
        sent = [(one.operation, one.region, one.account, one.role) for one in emulator.requests]
    assert sent == [
        ("AssumeRole", "us-east-1", "123456789012", ""),
        ("ListDistributionConfigurations", "eu-west-1", "210987654321", role),
    ]


def test_it_knows_every_property(artifact: Path) -> None:
    """The resource's properties are the same with the service model in the artifact as with the pinned one."""
    script = (
        "import json, sys\nsys.path[:0] = sys.argv[1:]\n"
        "from provider.resources import resource_type\n"
        "plain = lambda value: getattr(value, '__dict__', None) or dict(value)\n"
        "print(json.dumps(resource_type().schema, default=plain))"
    )
    assert run(script, artifact) == run(script, None)


def test_tools_do_not_ship(artifact: Path) -> None:
    """The artifact has the handler and none of the tools, nor their bytecode."""
    shipped = {path.name.partition(".")[0] for path in (artifact / "provider").rglob("*")}
    assert "handler" in shipped
    assert not shipped & set(TOOLS)


def test_the_artifact_needs_no_tools(artifact: Path) -> None:
    """Every module of the artifact can be imported without the tools."""
    script = (
        "import importlib, pkgutil, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import provider\n"
        "assert provider.__file__.startswith(sys.argv[1]), provider.__file__\n"
        "for module in pkgutil.walk_packages(provider.__path__, 'provider.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    command = [sys.executable, "-I", "-B", "-c", script, str(artifact)]
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""}
    imported = subprocess.run(command, cwd=artifact, env=environment, capture_output=True, text=True, check=False)
    assert (imported.returncode, imported.stderr) == (0, "")
