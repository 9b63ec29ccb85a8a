"""Measures how long the command line takes to start, compared with the AWS CLI for the same job.

Prints Markdown: instructions as valgrind's callgrind counts them (nearly the same each time), the sum of
`-X importtime`, and the median time of several runs. Each run is a new process; calls go to an emulator on this
machine. If the AWS CLI has no such command, the job's name has in parentheses the command that is compared:
one for the same purpose, or `--version`, the fastest one.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from provider.emulator.emulator import Emulator
from provider.emulator.server import LoopbackServer, Reply

ROOT: Final = Path(__file__).parents[1]
OURS: Final = ("-m", "provider")
AWS: Final = (str(Path(sys.executable).with_name("aws")),)
UPDATE: Final = "update-distribution-configuration"
TEMPLATE: Final = "examples/cloudformation/golden-image.yaml"
BODY: Final = ("--template-body", f"file://{TEMPLATE}")
RUNS: Final = 7
LIMIT: Final = 0.5
"""The limit of a command's instructions, relative to the AWS CLI's for the same job."""

Command = tuple[str, ...]


class Job(NamedTuple):
    """One job, with our command and the AWS CLI's."""

    name: str
    ours: Command
    aws: Command


class Cost(NamedTuple):
    """Millions of instructions (0 without valgrind), and milliseconds for the imports and in total."""

    instructions: float
    imports: float
    total: float


def start_jobs() -> list[Job]:
    """Return jobs that hardly do more than start."""
    skeleton = (UPDATE, "--generate-cli-skeleton")
    return [
        Job("version", ("--version",), ("--version",)),
        Job("list the commands (version)", ("--help",), ("--version",)),
        Job("help on rehearse (version)", ("rehearse", "--help"), ("--version",)),
        Job("help on the update", (UPDATE, "--help"), ("imagebuilder", UPDATE, "help")),
        Job("skeleton of the update", skeleton, ("imagebuilder", *skeleton)),
        Job("schema (version)", ("schema",), ("--version",)),
    ]


def check_and_call_jobs(arn: str) -> list[Job]:
    """Return jobs that check a file or call the service. `arn` is an existing configuration."""
    distributions = '[{"region":"us-east-1","amiDistributionConfiguration":{"name":"a {{ imagebuilder:buildDate }}"}}]'
    target = ("--distribution-configuration-arn", arn)
    update = (UPDATE, *target, "--description", "measured", "--distributions", distributions)
    validate = ("cloudformation", "validate-template", *BODY)
    return [
        Job("validate a template (validate-template)", ("validate", TEMPLATE), validate),
        Job("update a configuration", update, ("imagebuilder", *update)),
    ]


def plan_jobs() -> list[Job]:
    """Return jobs that the AWS CLI leaves to CloudFormation: to evaluate a template and compare it."""
    change_set = ("cloudformation", "create-change-set", "--stack-name", "golden", "--change-set-name", "plan", *BODY)
    return [Job("plan a template (create-change-set)", ("plan", TEMPLATE), change_set)]


def cloudformation() -> LoopbackServer:
    """Start a stub of CloudFormation that accepts every request."""
    answer = b"<Response><ValidateTemplateResult/><CreateChangeSetResult/></Response>"
    return LoopbackServer(lambda *_: Reply(200, {"Content-Type": "text/xml"}, answer))


def cost(command: Command, environment: Mapping[str, str]) -> Cost:
    """Measure one command, after an uncounted run. Raises RuntimeError if it fails."""
    ended = run((sys.executable, *command), environment)
    if ended.returncode not in (0, 3):
        raise RuntimeError(f"{command} exited with {ended.returncode}: {ended.stderr}")
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        run((sys.executable, *command), environment)
        times.append((time.perf_counter() - begin) * 1000)
    timed = run((sys.executable, "-X", "importtime", *command), environment).stderr
    imports = sum(int(own) for own in re.findall(r"^import time: +(\d+) \|", timed, re.MULTILINE)) / 1000
    return Cost(instructions((sys.executable, *command), environment), imports, statistics.median(times))


def instructions(command: Command, environment: Mapping[str, str]) -> float:
    """Return the millions of instructions that a command executes, without its children; 0 without valgrind."""
    if not shutil.which("valgrind"):
        return 0.0
    counted = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", *command)
    found = re.search(r"Collected : (\d+)", run(counted, environment).stderr)
    return int(found[1]) / 1e6 if found else 0.0


def run(command: Command, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command until it exits."""
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def main() -> None:
    """Print the tables. Exit with status 1 if a command exceeds the limit."""
    with Emulator() as emulator, closing(cloudformation()) as stub:
        arn = emulator.seed(name="measured", distributions=[{"region": "us-east-1"}])
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {**emulator.environment(), "PYTHONHASHSEED": "0", "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull}
        environment["AWS_ENDPOINT_URL_CLOUDFORMATION"] = stub.url
        print("Start (in parentheses: the AWS CLI's command, if it has no equivalent):\n")
        most = _table(start_jobs(), environment)
        print("\nChecks and calls:\n")
        most = max(most, _table(check_and_call_jobs(arn), environment))
        print("\nMore work than the AWS CLI does, so without a limit:\n")
        _table(plan_jobs(), environment)
    if most > LIMIT:
        raise SystemExit(f"a command takes {most:.0%} of the AWS CLI's instructions, more than {LIMIT:.0%}")


def _table(jobs: list[Job], environment: Mapping[str, str]) -> float:
    """Measure and print; return the largest share of the AWS CLI's instructions."""
    print("| job | instructions: ours | AWS CLI | share | imports: ours | AWS CLI | time: ours | AWS CLI |")
    print(f"|{'---|' * 8}")
    measured: dict[Command, Cost] = {}
    shares = []
    for job in jobs:
        for command in ((*OURS, *job.ours), (*AWS, *job.aws)):
            if command not in measured:
                measured[command] = cost(command, environment)
        ours, aws = measured[*OURS, *job.ours], measured[*AWS, *job.aws]
        shares.append(ours.instructions / aws.instructions if aws.instructions else 0.0)
        print(
            f"| {job.name} | {ours.instructions:.0f} M | {aws.instructions:.0f} M | {shares[-1]:.0%} "
            f"| {ours.imports:.0f} ms | {aws.imports:.0f} ms | {ours.total:.0f} ms | {aws.total:.0f} ms |",
            flush=True,
        )
    return max(shares)


if __name__ == "__main__":
    main()
