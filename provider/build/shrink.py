"""Make the Lambda artifact small and quick to start: only what the function needs, and byte code for its runtime.

- botocore's data: the services that the function or its credentials need, in place, so that no endpoint changes;
  no other service's endpoints; the service model without its documentation, cut to the operations that are called.
- CAs: each in a file that OpenSSL finds by its name, so that none is read that is not met.
- Powertools: logging, and what its package loads with it.
- Byte code that needs no look at the source's time stamp, which zipping makes meaningless, and puts imports off that a
  start does not need; and compiled regular expressions. They take an interpreter of the runtime's own version
  (python3.13 on the PATH, or pyenv's); without one the artifact works, and starts slower.
- Nothing that tells when, where or by whom it was built: the same lock file, source and Python of the runtime's version
  give the same bytes anywhere.
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
PATTERNS = str(Path(__file__).with_name("patterns.py"))
POWERTOOLS = ("exceptions", "logging", "metrics", "shared", "tracing", "warnings")
POWERTOOLS_UTILITIES = ("jmespath_utils",)
SUPERFLUOUS = ("bin", "boto3/data", "boto3/examples")
EARLIEST = (1980, 1, 1, 0, 0, 0, 0, 1, -1)
"""The first local time that a zip file can tell."""


def prune(folder: Path, keep: Collection[str]) -> None:
    """Delete the folder's subfolders but for some; its files stay."""
    for path in folder.glob("*/"):
        if path.name not in keep:
            shutil.rmtree(path)


def without_documentation(value: Any) -> Any:
    """A service model's JSON without the texts, which nothing reads at run time."""
    if isinstance(value, dict):
        return {
            key: without_documentation(entry)
            for key, entry in value.items()
            if key != "documentation" or not isinstance(entry, str)
        }
    return [without_documentation(entry) for entry in value] if isinstance(value, list) else value


def cut(model: dict[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """A service model with these operations alone, and the shapes that they lead to."""
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
    """The names of the shapes that a piece of a service model refers to."""
    if isinstance(value, dict):
        if isinstance(name := value.get("shape"), str):
            yield name
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from shape_names(entry)


def endpoints_of(endpoints: dict[str, Any], services: Collection[str]) -> dict[str, Any]:
    """The legacy endpoint data with these services alone; partitions, Regions and defaults stay."""
    partitions = [
        partition | {"services": {name: known for name, known in partition["services"].items() if name in services}}
        for partition in endpoints["partitions"]
    ]
    return endpoints | {"partitions": partitions}


def shrink_data(data: Path, services: list[str], operations: list[str]) -> None:
    """Keep of botocore's data what is needed, unpacked: it is read sooner."""
    prune(data, services)
    for packed in data.glob("*/*/*.json.gz"):
        content = without_documentation(json.loads(gzip.decompress(packed.read_bytes())))
        if packed.name == "service-2.json.gz" and packed.parts[-3] == services[0]:
            content = cut(content, operations)
        write(packed.with_suffix(""), content)
        packed.unlink()
    endpoints = data / "endpoints.json"
    write(endpoints, endpoints_of(json.loads(endpoints.read_bytes()), services))


def write(path: Path, content: Any) -> None:
    """Write JSON without a superfluous byte."""
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def needed(folder: Path) -> tuple[list[str], list[str]]:
    """The services that the provider in the artifact needs, its own first, and the operations of that it calls."""
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ..resources.image_builder import OPERATIONS
from ..schema.model import FOR_CREDENTIALS, SERVICE
print(json.dumps([[SERVICE, *FOR_CREDENTIALS], OPERATIONS]))
"""
    ran = subprocess.run([sys.executable, "-c", script, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    services, operations = json.loads(ran.stdout)
    return services, operations


def interpreters() -> Iterator[str]:
    """Interpreters that may be of the runtime's version, the likeliest first."""
    if sys.version_info[:2] == tuple(map(int, RUNTIME.split("."))):
        yield sys.executable
    if found := shutil.which(f"python{RUNTIME}"):
        yield found
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{RUNTIME}.*/bin/python"), reverse=True))


class Interpreter(NamedTuple):
    """A Python: its command, and its version in full."""

    command: str
    version: str


def interpreter() -> Interpreter | None:
    """An interpreter of the runtime's version, if one is here."""
    for python in interpreters():
        tell = [python, "-I", "-S", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"]
        version = subprocess.run(tell, check=False, capture_output=True, text=True).stdout.strip()
        if version.startswith(f"{RUNTIME}."):
            return Interpreter(python, version)
    return None


def compile_all(folder: Path, python: str) -> None:
    """Compile every module and every regular expression for the runtime, whatever the environment says to Python."""
    command = [python, "-I", "-m", "compileall", "-q", "-f", "-j0", "--invalidation-mode", "unchecked-hash"]
    # Names as they will be in Lambda, so that the bytes are the same wherever they are made.
    subprocess.run([*command, "-s", str(folder), "-p", "/var/task", str(folder)], check=True)
    for script in (DEFERRAL, PATTERNS):
        subprocess.run([python, "-I", "-S", "-B", script, str(folder)], check=True)


def make_anonymous(folder: Path) -> None:
    """Level what differs from build to build: what pip notes down of the machine, permissions, times."""
    for record in folder.glob("*.dist-info/RECORD"):
        record.unlink()
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (time.mktime(EARLIEST),) * 2)


def shrink(folder: Path) -> None:
    """Shrink the artifact in this folder, which has the wheels and the provider."""
    for name in SUPERFLUOUS:
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
            f"no Python {RUNTIME} was found, so the artifact has no byte code and its cold start takes longer",
            file=sys.stderr,
        )
