"""Make the Lambda artifact small and quick to start: only what the function needs, and byte code for its runtime.

Usage: python packaging/shrink.py FOLDER, after the wheels and the provider were put into FOLDER.

- botocore's data: the services that the function or its credentials need, in place, so that no endpoint changes;
  the service model without its documentation.
- Powertools: logging, and what its package loads with it.
- Byte code that needs no look at the source's time stamp, which zipping makes meaningless. It takes an interpreter of
  the runtime's own version (python3.13 on the PATH, or pyenv's); without one the artifact works, and starts slower.
"""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RUNTIME = "3.13"
SERVICE = "imagebuilder"
FOR_CREDENTIALS = ("sts", "sso", "sso-oidc", "signin")
POWERTOOLS = ("exceptions", "logging", "metrics", "shared", "tracing", "warnings")
POWERTOOLS_UTILITIES = ("jmespath_utils",)
SUPERFLUOUS = ("bin", "boto3/data", "boto3/examples")


def prune(folder: Path, keep: tuple[str, ...]) -> None:
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


def shrink_model(packed: Path) -> None:
    """Replace a packed service model by one without documentation, unpacked, which is read sooner."""
    model = without_documentation(json.loads(gzip.decompress(packed.read_bytes())))
    packed.with_suffix("").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")
    packed.unlink()


def interpreters() -> Iterator[str]:
    """Interpreters that may be of the runtime's version, the likeliest first."""
    if sys.version_info[:2] == tuple(map(int, RUNTIME.split("."))):
        yield sys.executable
    if found := shutil.which(f"python{RUNTIME}"):
        yield found
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{RUNTIME}.*/bin/python"), reverse=True))


def compile_all(folder: Path) -> bool:
    """Compile every module for the runtime; False where no interpreter of its version is here."""
    check = f"import sys; sys.exit('.'.join(map(str, sys.version_info[:2])) != '{RUNTIME}')"
    for python in interpreters():
        if subprocess.run([python, "-c", check], check=False, capture_output=True).returncode == 0:
            command = [python, "-m", "compileall", "-q", "-f", "-j0", "--invalidation-mode", "unchecked-hash"]
            # Names as they will be in Lambda, so that the bytes are the same wherever they are made.
            subprocess.run([*command, "-s", str(folder), "-p", "/var/task", str(folder)], check=True)
            return True
    return False


def main(folder: Path) -> None:
    """Shrink the artifact in this folder."""
    for name in SUPERFLUOUS:
        shutil.rmtree(folder / name, ignore_errors=True)
    prune(folder / "botocore" / "data", (SERVICE, *FOR_CREDENTIALS))
    for packed in (folder / "botocore" / "data").glob("*/*/service-2.json.gz"):
        shrink_model(packed)
    prune(folder / "aws_lambda_powertools", (*POWERTOOLS, "utilities"))
    prune(folder / "aws_lambda_powertools" / "utilities", POWERTOOLS_UTILITIES)
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache)
    if not compile_all(folder):
        print(
            f"no Python {RUNTIME} was found, so the artifact has no byte code and its cold start takes longer",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
