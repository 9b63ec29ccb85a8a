"""What the command line costs to start, beside the AWS CLI at the same job.

Prints Markdown: instructions executed, as valgrind's callgrind counts them (a start takes nearly the same ones each
time), what `-X importtime` says of all imports together, and the median time of several runs; each in a process of
its own, calls against an emulator on this machine. Where the AWS CLI has no such command, what it has for the same job
stands beside, in parentheses, or else the lightest thing that it can do: its version.
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
MOST: Final = 0.5
"""The share of the AWS CLI's instructions that a command may take at the same job."""

Command = tuple[str, ...]


class Job(NamedTuple):
    """One thing to do, with our command and with the AWS CLI's."""

    name: str
    ours: Command
    aws: Command


class Cost(NamedTuple):
    """Millions of instructions (0 without valgrind); milliseconds of imports, and altogether."""

    instructions: float
    imports: float
    altogether: float


def starts() -> list[Job]:
    """What is hardly more than starting."""
    skeleton = (UPDATE, "--generate-cli-skeleton")
    return [
        Job("version", ("--version",), ("--version",)),
        Job("list the commands (version)", ("--help",), ("--version",)),
        Job("help on rehearse (version)", ("rehearse", "--help"), ("--version",)),
        Job("help on the update", (UPDATE, "--help"), ("imagebuilder", UPDATE, "help")),
        Job("skeleton of the update", skeleton, ("imagebuilder", *skeleton)),
        Job("schema (version)", ("schema",), ("--version",)),
    ]


def works(arn: str) -> list[Job]:
    """What checks a file or calls the service, as the AWS CLI does; `arn` is a configuration that exists."""
    distributions = '[{"region":"us-east-1","amiDistributionConfiguration":{"name":"a {{ imagebuilder:buildDate }}"}}]'
    target = ("--distribution-configuration-arn", arn)
    update = (UPDATE, *target, "--description", "measured", "--distributions", distributions)
    validate = ("cloudformation", "validate-template", *BODY)
    return [
        Job("validate a template (validate-template)", ("validate", TEMPLATE), validate),
        Job("update a configuration", update, ("imagebuilder", *update)),
    ]


def more() -> list[Job]:
    """Return the jobs that the AWS CLI leaves to CloudFormation: evaluating a template and comparing it."""
    change_set = ("cloudformation", "create-change-set", "--stack-name", "golden", "--change-set-name", "plan", *BODY)
    return [Job("plan a template (create-change-set)", ("plan", TEMPLATE), change_set)]


def cloudformation() -> LoopbackServer:
    """A CloudFormation that accepts every request."""
    answer = b"<Response><ValidateTemplateResult/><CreateChangeSetResult/></Response>"
    return LoopbackServer(lambda *_: Reply(200, {"Content-Type": "text/xml"}, answer))


def cost(command: Command, environment: Mapping[str, str]) -> Cost:
    """Measure one command, after an uncounted run. Raises RuntimeError if it fails."""
    ended = run((sys.executable, *command), environment)
    if ended.returncode not in (0, 3):
        raise RuntimeError(f"{command} ended with {ended.returncode}: {ended.stderr}")
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        run((sys.executable, *command), environment)
        times.append((time.perf_counter() - begin) * 1000)
    timed = run((sys.executable, "-X", "importtime", *command), environment).stderr
    imports = sum(int(own) for own in re.findall(r"^import time: +(\d+) \|", timed, re.MULTILINE)) / 1000
    return Cost(instructions((sys.executable, *command), environment), imports, statistics.median(times))


def instructions(command: Command, environment: Mapping[str, str]) -> float:
    """Millions of instructions that a command executes, its children left out; 0 without valgrind."""
    if not shutil.which("valgrind"):
        return 0.0
    counted = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", *command)
    found = re.search(r"Collected : (\d+)", run(counted, environment).stderr)
    return int(found[1]) / 1e6 if found else 0.0


def run(command: Command, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def main() -> None:
    """Print the tables; exit with status 1 if a command exceeds its share."""
    with Emulator() as emulator, closing(cloudformation()) as elsewhere:
        arn = emulator.seed(name="measured", distributions=[{"region": "us-east-1"}])
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {**emulator.environment(), "PYTHONHASHSEED": "0", "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull}
        environment["AWS_ENDPOINT_URL_CLOUDFORMATION"] = elsewhere.url
        print("Starting (in parentheses: what the AWS CLI does meanwhile, having no such command):\n")
        most = _table(starts(), environment)
        print("\nWith work to do:\n")
        most = max(most, _table(works(arn), environment))
        print("\nWith more to do than the AWS CLI, so without a limit:\n")
        _table(more(), environment)
    if most > MOST:
        raise SystemExit(f"a command takes {most:.0%} of the AWS CLI's instructions, more than {MOST:.0%}")


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
            f"| {ours.imports:.0f} ms | {aws.imports:.0f} ms | {ours.altogether:.0f} ms | {aws.altogether:.0f} ms |",
            flush=True,
        )
    return max(shares)


if __name__ == "__main__":
    main()
