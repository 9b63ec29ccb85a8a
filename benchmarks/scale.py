"""Measures how many writes and how much time contributors take that deploy at once: `make scale`.

Each contributor is a stack that adds an account to the same configuration. The real handler processes its event, with
emulators of DynamoDB and Image Builder on the loopback interface. For comparison, the same contributions are made by
read-modify-write without a ledger.
"""

import json
import platform
import resource
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import click

from benchmarks.contention import ARN, REGION, Contributed, Emulators, LedgerCalls, check, slower
from benchmarks.figures import RESULTS
from benchmarks.scene import InvalidRunError
from provider.handler import SWEEP
from provider.resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION

COUNTS: Final = (1, 10, 100, 1_000)
MAX_WRITES: Final = 10
"""API writes that any number of contributors may take."""
_FIGURES: Final = RESULTS / "scale.json"
_PAGE: Final = RESULTS.parents[1] / "docs" / "contributions.md"
_BEGIN: Final = "<!-- figures of make scale -->\n"
_END: Final = "<!-- end of the figures -->\n"


@dataclass(frozen=True)
class Run:
    """What some contributors took at once. `middle` and `last` are the seconds until half of them and all had ended.

    Through the handler, the seconds are those of its clock, which may be slower.
    """

    api_reads: int
    api_writes: int
    middle: float
    last: float
    lost: int


@dataclass(frozen=True)
class Measured:
    """The figures of a number of contributors, with the ledger and by read-modify-write.

    `sweep` has the ledger's calls of one sweep afterward, and `item_bytes` is the mean size of a part's item.
    """

    contributors: int
    recorded: Run
    ledger: LedgerCalls
    unrecorded: Run
    sweep: LedgerCalls
    item_bytes: int

    @classmethod
    def read(cls, data: dict[str, Any]) -> Self:
        """From JSON."""
        runs = {name: Run(**data[name]) for name in ("recorded", "unrecorded")}
        calls = {name: LedgerCalls(**data[name]) for name in ("ledger", "sweep")}
        return cls(**{**data, **runs, **calls})


@dataclass(frozen=True)
class Scale:
    """All figures, and a description of the machine."""

    machine: str
    date: str
    measured: list[Measured]

    def write(self) -> None:
        """Record the figures."""
        _FIGURES.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls) -> Self:
        """Return the recorded figures."""
        data: dict[str, Any] = json.loads(_FIGURES.read_text(encoding="utf-8"))
        return cls(data["machine"], data["date"], [Measured.read(each) for each in data["measured"]])


def measure(contributors: int) -> Measured:
    """Return the figures of so many contributors at once.

    Raises InvalidRunError unless each request gets exactly one response, which is SUCCESS, all parts are live, and a
    few API writes were enough.
    """
    with Emulators() as emulators:
        owner(emulators)
        events, slots = zip(*(emulators.event(*contribution(number)) for number in range(contributors)), strict=True)
        contributed = emulators.start(events, through=True)
        check(slots)
        recorded = _run(emulators, contributed, contributors)
        if recorded.lost or recorded.api_writes > MAX_WRITES:
            raise InvalidRunError(f"{recorded.lost} lost parts, {recorded.api_writes} API writes")
        sweep = emulators.start([SWEEP], through=True).ledger
        size = emulators.item_bytes()
    with Emulators() as emulators:
        owner(emulators)
        unrecorded = _run(emulators, emulators.start(events, through=False), contributors)
    return Measured(contributors, recorded, contributed.ledger, unrecorded, sweep, size)


def owner(emulators: Emulators) -> None:
    """Create the configuration, whose owner allows user IDs."""
    path = "Distributions[].AmiDistributionConfiguration.LaunchPermission.UserIds"
    content = {"Region": REGION, "AmiDistributionConfiguration": {"Name": "golden {{ imagebuilder:buildDate }}"}}
    properties = {"Name": ARN.rpartition("/")[2], "Contributions": [path], "Distributions": [content]}
    event, slot = emulators.event("images", DISTRIBUTION_CONFIGURATION, properties)
    emulators.start([event], through=True)
    check([slot])


def account(number: int) -> str:
    """Return the account that a contributor adds."""
    return f"{number:012}"


def contribution(number: int) -> tuple[str, str, dict[str, Any]]:
    """Return a stack's name, and its resource's type and properties: one account's launch permission."""
    permission = {"LaunchPermission": {"UserIds": [account(number)]}}
    distributions = [{"Region": REGION, "AmiDistributionConfiguration": permission}]
    properties = {"DistributionConfigurationArn": ARN, "Distributions": distributions}
    return f"team-{number}", CONTRIBUTION, properties


def _run(emulators: Emulators, done: Contributed, contributors: int) -> Run:
    lost = {*map(account, range(contributors))} - emulators.live()
    return Run(done.api["Get"], done.api["Update"], statistics.median(done.ended), done.ended[-1], len(lost))


def table(scale: Scale) -> str:
    """Return the figures as Markdown."""
    rows = [
        "| contributors at once | API writes | ledger writes | half done, all done | clock slowed by | lost parts "
        "| without a ledger: API writes | lost parts |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in scale.measured:
        with_ledger, without = each.recorded, each.unrecorded
        cells = (
            f"{each.contributors:,}",
            with_ledger.api_writes,
            f"{each.ledger.writes:,}",
            f"{with_ledger.middle:.1f} s, {with_ledger.last:.1f} s",
            slower(each.contributors),
            f"**{with_ledger.lost}**",
            f"{without.api_writes:,}",
            f"**{without.lost:,}**",
        )
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + f"\n\n{scale.machine}, {scale.date}.\n"


def inserted(page: str, text: str) -> str:
    """Return a page whose figures, between two comments, are replaced by a text."""
    head, _, rest = page.partition(_BEGIN)
    return f"{head}{_BEGIN}\n{text}\n{_END}{rest.partition(_END)[2]}"


def machine() -> str:
    """Return what the seconds depend on."""
    processors = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in processors if line.startswith("model name")]
    processor = f"{len(names)} x {names[0]}" if names else platform.processor()
    return f"{processor}, {platform.system()} on {platform.machine()}, Python {platform.python_version()}"


def _allow_open_files() -> None:
    """Allow as many open files as the system does: each contributor has several connections."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@click.command()
@click.argument("counts", nargs=-1, type=click.IntRange(min=1))
def main(counts: tuple[int, ...]) -> None:
    """Measure 1, 10, 100, and 1,000 contributors, and record the figures; or measure COUNTS, and only print them."""
    _allow_open_files()
    measured = []
    for count in counts or COUNTS:
        click.echo(f"{count} contributors", err=True)
        measured.append(measure(count))
    scale = Scale(machine(), time.strftime("%B %Y"), measured)
    click.echo(table(scale))
    if not counts:
        scale.write()
        _PAGE.write_text(inserted(_PAGE.read_text(encoding="utf-8"), table(scale)), encoding="utf-8")


if __name__ == "__main__":
    main()
