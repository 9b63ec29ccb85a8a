"""Runs one variant in its own process and measures it. Every run is checked."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks import scene
from benchmarks.build import bundle, node, python
from benchmarks.cores import on_measured_core
from benchmarks.stubs import CERTIFICATE, Stubs
from benchmarks.variants import CDK, Variant

_HERE: Final = Path(__file__).parent
_REGION: Final = "us-east-1"
_TIMEOUT_SECONDS: Final = 300.0
_COUNTING: Final = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_COUNTED: Final = re.compile(r"I\s+refs:\s+([\d,]+)")
_IMPORT: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")


@dataclass(frozen=True)
class Ran:
    """A run of some events: seconds until the last byte of the last response, and the report of the process.

    `each` are the seconds of each event, without the start of the process.
    """

    seconds: float
    each: list[float]
    peak_kilobytes: int
    errors: str


@dataclass(frozen=True)
class _Process:
    """A process that has ended: when it began and ended, what it printed, and its report."""

    begin: float
    end: float
    output: str
    errors: str
    report: dict[str, Any]


class Runner:
    """Runs variants: their artifacts, the stub servers, and a temporary folder."""

    def __init__(self, stubs: Stubs, artifacts: dict[Variant, Path], folder: Path) -> None:
        self._stubs = stubs
        self._artifacts = artifacts
        self._folder = folder
        self._api, self.bucket = stubs.urls()
        self._bundle = str(bundle())

    def cold(self, variant: Variant) -> Ran:
        """Handle one event in a fresh process."""
        return self._run(variant, 1)

    def warm(self, variant: Variant, number: int, *, reopened: bool) -> list[float]:
        """Return the seconds of each of `number` events in one process, after an uncounted first one.

        If `reopened`, the API closes its connection after each event.
        """
        return self._run(variant, number + 1, len(variant.calls) if reopened else 0).each[1:]

    def instructions(self, variant: Variant) -> int:
        """Return the instructions of a cold run, as Valgrind counts them. They are nearly the same each time."""
        return _counted(self._run(variant, 1, under=_COUNTING, PYTHONHASHSEED="0").errors)

    def instructions_of(self, variant: Variant, event: dict[str, Any], **variables: str) -> int:
        """Return the instructions of another event's cold run. The caller prepares the stubs and checks the run."""
        return _counted(self._process(variant, [event], under=_COUNTING, PYTHONHASHSEED="0", **variables).errors)

    def import_times(self, variant: Variant) -> dict[str, int]:
        """Return the microseconds that each module's own import takes, without the modules that it imports."""
        ran = self._run(variant, 1, options=("-X", "importtime"))
        return {name: int(own) for own, name in _IMPORT.findall(ran.errors)}

    @property
    def servers(self) -> dict[str, str]:
        """The environment variables for using and trusting the stub servers."""
        return {"AWS_ENDPOINT_URL_IMAGEBUILDER": self._api, **self.trust}

    @property
    def trust(self) -> dict[str, str]:
        """The environment variables that name the CAs to trust."""
        return {
            "AWS_CA_BUNDLE": self._bundle,
            "SSL_CERT_FILE": self._bundle,
            "REQUESTS_CA_BUNDLE": self._bundle,
            "NODE_EXTRA_CA_CERTS": str(CERTIFICATE),  # in addition to Node's own CAs
        }

    def _environment(self, home: Path, artifact: Path) -> dict[str, str]:
        """Return a function's environment. It inherits nothing."""
        return {
            "PATH": os.defpath,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": _REGION,
            "AWS_DEFAULT_REGION": _REGION,
            "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "verysecretkey",
            "AWS_SESSION_TOKEN": "verysecrettoken",
            "LAMBDA_TASK_ROOT": str(artifact),
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": "provider",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/provider",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef",
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            "AWS_ENDPOINT_URL_IMAGEBUILDER": self._api,
        }

    def _run(
        self,
        variant: Variant,
        number: int,
        calls_per_connection: int = 0,
        *,
        under: Sequence[str] = (),
        options: Sequence[str] = (),
        **more: str,
    ) -> Ran:
        asked = scene.events(self.bucket, number)
        inputs = [scene.for_cdk(event) for event in asked] if variant is CDK else asked
        self._stubs.begin(scene.live(asked[0]), calls_per_connection)
        ran = self._process(variant, inputs, under=under, options=options, **more)
        seen = self._stubs.seen()
        try:
            scene.check(seen, asked, variant.calls, responds=variant.responds)
        except scene.InvalidRunError as error:
            raise scene.InvalidRunError(f"{variant.name}: {error}\n{ran.output}{ran.errors}") from error
        seconds = (seen.responses[-1][0] if seen.responses else ran.end) - ran.begin
        return Ran(seconds, ran.report["seconds"], ran.report["peak_kilobytes"], ran.errors)

    def _process(
        self,
        variant: Variant,
        asked: Sequence[dict[str, Any]],
        *,
        under: Sequence[str] = (),
        options: Sequence[str] = (),
        **more: str,
    ) -> _Process:
        """Handle events in a fresh process."""
        home = self._folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        events, report = self._folder / "events.json", self._folder / "report.json"
        report.unlink(missing_ok=True)
        events.write_text(json.dumps(asked), encoding="utf-8")
        artifact = self._artifacts[variant]
        interpreter = (
            (str(node()), *options, "driver.cjs") if variant is CDK else (python(), "-S", *options, "driver.py")
        )
        command = [*on_measured_core(), *under, *interpreter, str(artifact), variant.handler, str(events), str(report)]
        # Files, because reading pipes would take time from the servers.
        output, errors = self._folder / "output.txt", self._folder / "errors.txt"
        with output.open("w") as stdout, errors.open("w") as stderr:
            begin = time.monotonic()
            child = subprocess.run(
                command,
                cwd=_HERE,
                env={**self._environment(home, artifact), **({} if variant.ships_cas else self.trust), **more},
                stdout=stdout,
                stderr=stderr,
                check=False,
                timeout=_TIMEOUT_SECONDS,
            )
            end = time.monotonic()
        printed, logged = output.read_text(), errors.read_text()
        if child.returncode:
            raise scene.InvalidRunError(f"{variant.name} exited with {child.returncode}:\n{printed}{logged}")
        return _Process(begin, end, printed, logged, json.loads(report.read_text(encoding="utf-8")))


def _counted(errors: str) -> int:
    """Return the instructions in Valgrind's summary."""
    (counted,) = _COUNTED.findall(errors)
    return int(counted.replace(",", ""))
