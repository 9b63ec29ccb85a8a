"""Builds the artifact of each variant in its own folder in .cache/bench."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import botocore

from benchmarks.stubs import CERTIFICATE
from benchmarks.variants import CDK, OURS, Variant
from provider.build.certificates import hashed_folder

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / ".cache" / "bench"
LAMBDA: Final = (3, 13)
_LOCK: Final = ROOT / "requirements" / "bench.lock"
_PEERS: Final = ROOT / "benchmarks" / "peers"
_CDK_HANDLER: Final = "aws-cdk-lib/custom-resource-handlers/dist/custom-resources/aws-custom-resource-handler/index.js"
_END: Final = "-----END CERTIFICATE-----"
_PIP: Final = ("-m", "pip", "-qq", "--disable-pip-version-check", "--no-input", "--python")


@cache
def python() -> str:
    """Return Lambda's Python version if this machine has it, else the current interpreter."""
    script = "import sys; print(*sys.version_info[:2]); print(sys.executable)"
    for candidate in _pythons():
        printed = _run(candidate, "-c", script, check=False).splitlines()
        if printed and printed[0] == "{} {}".format(*LAMBDA):
            return printed[1]
    return sys.executable


def version(interpreter: str) -> str:
    """Return an interpreter's version."""
    return _run(interpreter, "--version").strip().removeprefix("Python ")


def node() -> str | None:
    """Return the path of Node, if this machine has it and npm."""
    return shutil.which("npm") and shutil.which("node")


def bundle() -> Path:
    """Return a bundle of botocore's CAs and the stubs' own: a bundle of one CA would be unrealistically fast."""
    botocores = (Path(botocore.__file__).parent / "cacert.pem").read_text(encoding="utf-8")
    own = CERTIFICATE.read_text(encoding="ascii")
    certificate = own[own.index("-----BEGIN CERTIFICATE") : own.index(_END) + len(_END)]
    path = CACHE / "cas.pem"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{botocores}\n{certificate}\n", encoding="utf-8")
    return path


def build(variant: Variant) -> Path:
    """Return the variant's artifact. It is rebuilt if its sources have changed; the provider's is always rebuilt."""
    folder = CACHE / variant.name
    if variant.handler == OURS.handler:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _run("make", "--no-print-directory", "build-ProviderFunction", f"ARTIFACTS_DIR={folder}")
        if variant.ships_cas:
            certificates = folder / "provider" / "aws" / "certificates"
            shutil.rmtree(certificates)
            hashed_folder(bundle(), certificates)
        return folder
    made_of = _made_of(variant)
    stamp = folder / "made-of"
    if not stamp.exists() or stamp.read_text(encoding="ascii") != made_of:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _install_node(folder) if variant is CDK else _install(variant, folder)
        stamp.write_text(made_of, encoding="ascii")
    return folder


def packed_bytes(variant: Variant, folder: Path) -> int:
    """Return the size of the zipped artifact without the packages that Lambda's runtime includes."""
    staged = CACHE / "packed" / variant.name
    shutil.rmtree(staged, ignore_errors=True)
    ignored = shutil.ignore_patterns("made-of", "node_modules", "package*.json", "bin")
    shutil.copytree(folder, staged, ignore=ignored)
    packed = Path(shutil.make_archive(str(staged), "zip", staged))
    size = packed.stat().st_size
    shutil.rmtree(staged)
    packed.unlink()
    return size


def _pythons() -> Iterator[str]:
    name = "python{}.{}".format(*LAMBDA)
    if found := shutil.which(name):
        yield found
    pyenv = Path.home() / ".pyenv" / "versions"
    yield from map(str, sorted(pyenv.glob("{}.{}.*/bin/python".format(*LAMBDA)), reverse=True))


def _made_of(variant: Variant) -> str:
    sources = [_LOCK, *sorted(_PEERS.glob("*.py")), *sorted(_PEERS.glob("*.json"))]
    parts = [repr(variant), python(), *(path.read_text(encoding="utf-8") for path in sources)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _install(variant: Variant, folder: Path) -> None:
    if variant.packages:
        options = ("--no-index", "--find-links", str(_wheels()), "--no-compile", "--target", str(folder))
        _run(sys.executable, *_PIP, python(), "install", *options, *variant.packages)
    if variant.handler:
        for module in (variant.handler.rpartition(".")[0], "calls"):
            shutil.copy(_PEERS / f"{module}.py", folder)
    if variant.bytecode:
        _run(python(), "-m", "compileall", "-q", "-j0", "--invalidation-mode", "unchecked-hash", str(folder))


@cache
def _wheels() -> Path:
    """Return the folder with all packages of the lock file as wheels, after checking their hashes."""
    folder = CACHE / "wheels"
    locked = hashlib.sha256(_LOCK.read_bytes() + python().encode()).hexdigest()
    stamp = folder / "made-of"
    if not stamp.exists() or stamp.read_text(encoding="ascii") != locked:
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, *_PIP, python(), "wheel", "--require-hashes", "-r", str(_LOCK), "-w", str(folder))
        stamp.write_text(locked, encoding="ascii")
    return folder


def _install_node(folder: Path) -> None:
    """Install CDK's handler, with the SDK that Lambda's runtime includes."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_PEERS / name, folder)
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder))
    shutil.copy(folder / "node_modules" / _CDK_HANDLER, folder)


def _run(*command: str, check: bool = True) -> str:
    """Run a command and return its output. Errors are shown, unless the command may fail."""
    errors = None if check else subprocess.DEVNULL
    return subprocess.run(command, cwd=ROOT, check=check, stdout=subprocess.PIPE, stderr=errors, text=True).stdout
