"""Makes the Lambda artifact small and fast to start: only what the function needs, with bytecode for its runtime.

- botocore's data: only the services that the function and its credentials use, with unchanged endpoints. The service
  model has no documentation and no examples, and only the operations that are called.
- CAs: one file for each CA, named so that OpenSSL reads only those that it needs.
- Powertools: logging and its dependencies.
- Bytecode that is never compared with the source's timestamp, which zipping changes, and with deferred imports. It
  needs an interpreter of the runtime's version (python3.13 on the PATH, or pyenv's); without one, the artifact works
  but starts slower.
- Reproducible: the same lock file, sources, and Python version give the same bytes on every machine.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .certificates import hashed_folder

RUNTIME = "3.13"
DEFERRAL = str(Path(__file__).with_name("deferral.py"))
POWERTOOLS = ("exceptions", "logging", "metrics", "shared", "tracing", "warnings")
POWERTOOLS_UTILITIES = ("jmespath_utils",)
UNUSED = ("bin", "boto3/data", "boto3/examples")
EARLIEST = (1980, 1, 1, 0, 0, 0, 0, 1, -1)
"""The earliest local time in a zip file."""


def prune(folder: Path, keep: Collection[str]) -> None:
    """Delete the subfolders of a folder, except those in `keep`."""
    for path in folder.glob("*/"):
        if path.name not in keep:
            shutil.rmtree(path)


def without_documentation(value: Any) -> Any:
    """Return a service model without its documentation, which nothing reads at run time."""
    if isinstance(value, dict):
        return {
            key: without_documentation(entry)
            for key, entry in value.items()
            if key != "documentation" or not isinstance(entry, str)
        }
    return [without_documentation(entry) for entry in value] if isinstance(value, list) else value


def cut(model: dict[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """Return a service model with only these operations and the shapes that they use."""
    kept = {name: operation for name, operation in model["operations"].items() if name in operations}
    shapes: dict[str, Any] = {}
    found = [*shape_names(kept)]
    while found:
        if (name := found.pop()) not in shapes:
            shapes[name] = model["shapes"][name]
            found += shape_names(shapes[name])
    return model | {
        "operations": kept,
        "shapes": {name: model["shapes"][name] for name in model["shapes"] if name in shapes},
    }


def shape_names(value: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of a service model refers to."""
    if isinstance(value, dict):
        if isinstance(name := value.get("shape"), str):
            yield name
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from shape_names(entry)


def without_services(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Return the legacy endpoint data without services, whose endpoint rules have replaced it. The defaults stay."""
    return endpoints | {"partitions": [partition | {"services": {}} for partition in endpoints["partitions"]]}


def shrink_data(data: Path, services: list[str], operations: dict[str, list[str]]) -> None:
    """Keep only the needed part of botocore's data, uncompressed, because that is faster to read.

    `operations` are those that are called, by service. Of the other `services`, all operations are kept.
    """
    prune(data, services)
    for packed in data.glob("*/*/*.json.gz"):
        content = without_documentation(json.loads(gzip.decompress(packed.read_bytes())))
        if packed.name == "service-2.json.gz" and packed.parts[-3] in operations:
            content = cut(content, operations[packed.parts[-3]])
        write(packed.with_suffix(""), content)
        packed.unlink()
    for examples in data.glob("*/*/examples-1.json"):
        examples.unlink()
    endpoints = data / "endpoints.json"
    write(endpoints, without_services(json.loads(endpoints.read_bytes())))


def write(path: Path, content: Any) -> None:
    """Write compact JSON."""
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def needed(folder: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Return the services that the provider needs, and the operations that it calls of some of them, by service."""
    # The artifact's own folder comes first, so no other `provider` package hides it.
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
from provider.ledger.table import OPERATIONS as LEDGER_OPERATIONS
from provider.reconciler.source_resolution import OPERATIONS
from provider.resources import RESOURCE_TYPES, resource_type
from provider.schema.model import LEDGER_SERVICE, SERVICES
operations = {service: set(names) for service, names in {LEDGER_SERVICE: LEDGER_OPERATIONS, **OPERATIONS}.items()}
for type_ in map(resource_type, RESOURCE_TYPES):
    operations.setdefault(type_.service, set()).update(type_.operations)
print(json.dumps([[*SERVICES, LEDGER_SERVICE], {service: sorted(names) for service, names in operations.items()}]))
"""
    ran = subprocess.run([sys.executable, "-c", script, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    services, operations = json.loads(ran.stdout)
    return services, operations


def interpreters() -> Iterator[str]:
    """Yield interpreters that may have the runtime's version, the most likely first."""
    if sys.version_info[:2] == tuple(map(int, RUNTIME.split("."))):
        yield sys.executable
    if found := shutil.which(f"python{RUNTIME}"):
        yield found
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{RUNTIME}.*/bin/python"), reverse=True))


class Interpreter(NamedTuple):
    """A Python interpreter: its command and its full version."""

    command: str
    version: str


def interpreter() -> Interpreter | None:
    """Return an interpreter of the runtime's version, if this machine has one."""
    for python in interpreters():
        command = [python, "-I", "-S", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"]
        version = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
        if version.startswith(f"{RUNTIME}."):
            return Interpreter(python, version)
    return None


def compile_all(folder: Path, python: str) -> None:
    """Compile every module for the runtime, independently of Python's environment variables."""
    command = [python, "-I", "-m", "compileall", "-q", "-f", "-j0", "--invalidation-mode", "unchecked-hash"]
    # With the paths in Lambda, so that the bytes are the same on every machine.
    subprocess.run([*command, "-s", str(folder), "-p", "/var/task", str(folder)], check=True)
    subprocess.run([python, "-I", "-S", "-B", DEFERRAL, str(folder)], check=True)


def normalize_for_reproducibility(folder: Path) -> None:
    """Remove what differs between builds: pip's records of the machine, permissions, and times."""
    for record in folder.glob("*.dist-info/RECORD"):
        record.unlink()
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (time.mktime(EARLIEST),) * 2)


def shrink(folder: Path) -> None:
    """Shrink the artifact in this folder, which contains the installed packages and the provider."""
    for name in UNUSED:
        shutil.rmtree(folder / name, ignore_errors=True)
    shrink_data(folder / "botocore" / "data", *needed(folder))
    hashed_folder(folder / "botocore" / "cacert.pem", folder / "provider" / "aws" / "certificates")
    prune(folder / "aws_lambda_powertools", (*POWERTOOLS, "utilities"))
    prune(folder / "aws_lambda_powertools" / "utilities", POWERTOOLS_UTILITIES)
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    if python := interpreter():
        compile_all(folder, python.command)
    else:
        print(
            f"Python {RUNTIME} was not found, so the artifact has no bytecode and its cold start takes longer",
            file=sys.stderr,
        )
