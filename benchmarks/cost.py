"""What the provider costs in Lambda's seconds and money, from the figures that `make bench` wrote down.

`python -m benchmarks.cost` prints docs/cost.md; `make bench` writes it. Everything that is not measured stands at the
top here as a constant, with where it is from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import Results, UnderRuntime

GIGABYTE_SECOND: Final = 0.0000166667
REQUEST: Final = 0.20 / 1_000_000
SNAPSTART_CACHE: Final = 0.0000015046
SNAPSTART_RESTORE: Final = 0.0001397998
"""US dollars in us-east-1 on x86, without the free tier: a GB-second, a request, a GB-second of a snapshot kept, a GB
of it restored. https://aws.amazon.com/lambda/pricing/"""

ALARMS: Final = 5
"""The template has so many; a test holds it there."""
ALARM: Final = 0.10
DASHBOARD: Final = 3.0
"""US dollars a month. https://aws.amazon.com/cloudwatch/pricing/"""

FULL_PROCESSOR: Final = 1769
"""MB of memory at which a function has one processor; with less it has that share of one, but in the init phase it has
more. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

WAITING: Final = 0.25
"""Seconds that a request waits for three API calls and one PUT: an assumption, about 60 ms each."""
REQUESTS: Final = 3
"""Of one stack's life: Create, Update, Delete. Each is taken to be a cold start, as stacks are deployed seldom."""
RESTORING: Final = 0.2
"""Assumed seconds that Lambda takes to restore a snapshot. They are billed as a restore, not as duration."""
MONTH: Final = 30 * 24 * 3600

MEMORIES: Final = (128, 256, 512)
STACKS: Final = ((1, "one stack"), (1_000, "1,000 stacks"), (10_000, "a StackSet of 10,000 instances"))
CHOSEN: Final = 256
"""The template's default; a test holds it there."""


@dataclass(frozen=True)
class Cost:
    """One cold request: seconds that a user waits, and US dollars."""

    seconds: float
    dollars: float


def cold(figures: UnderRuntime, memory: int) -> Cost:
    """A cold request at a memory size in MB. Only the invocation is slowed down by having a share of a processor."""
    working = figures.invocation / 1000 * FULL_PROCESSOR / memory
    seconds = figures.init / 1000 + working + WAITING
    return Cost(seconds, seconds * memory / 1024 * GIGABYTE_SECOND + REQUEST)


def restored(figures: UnderRuntime, memory: int) -> Cost:
    """Return the cost of a cold request from a snapshot, without keeping the snapshot."""
    billed = figures.invocation / 1000 * FULL_PROCESSOR / memory + WAITING
    gigabytes = memory / 1024
    return Cost(billed + RESTORING, billed * gigabytes * GIGABYTE_SECOND + gigabytes * SNAPSTART_RESTORE + REQUEST)


def keeping(memory: int) -> float:
    """US dollars a month for one function's snapshot."""
    return memory / 1024 * SNAPSTART_CACHE * MONTH


def framework(figures: UnderRuntime, memory: int) -> Cost:
    """The CDK's provider framework with a usual handler behind it: a second function that is billed for waiting.

    Its own start is left out, so it costs more than this.
    """
    handler = cold(figures, memory)
    waiting = handler.seconds * 128 / 1024 * GIGABYTE_SECOND + REQUEST
    return Cost(handler.seconds, handler.dollars + waiting)


def page(results: Results) -> str:
    """The page as Markdown."""
    by_name = {figures.name: figures for figures in results.runtime}
    ours, usual = by_name["ours"], by_name["crhelper_powertools"]
    machine = results.machine
    saved = [cold(ours, memory).seconds - cold(ours, 2 * memory).seconds for memory in MEMORIES[:2]]
    return f"""# What it costs

The native resource costs nothing. This one costs Lambda's seconds: yours while you wait, and a bill. `make bench`
writes this page from its figures; what is assumed besides stands at the end.

## One request, from nothing

{_requests(ours, usual)}

The usual handler is crhelper with Powertools' Logger and Metrics. A warm request takes no loading and hardly any work:
what is left is waiting for the API.

## Stacks

Dollars for their whole lives: {REQUESTS} requests each, all of them cold.

{_stacks(ours, usual)}

The {ALARMS} alarms of each provider are {ALARMS * ALARM:.2f} dollars a month together, whatever it does; with a
provider in each of many accounts, that is the only part that can be noticed. A dashboard, where one is asked for, is
{DASHBOARD:.0f} dollars a month from an account's fourth on.

## SnapStart

{_snapstart(ours)}

It saves little, since little is loaded, and keeping one snapshot for a month costs more than tens of thousands of
stacks in their lives. The template does without it.

## Why {CHOSEN} MB

Loading takes the same at any size, because Lambda lends processor to it. Doubling 128 MB saves {saved[0]:.2f} s of each
cold request, doubling that saves {saved[1]:.2f} s. Money decides nothing here. Memory does not, either: the
process peaks at {_peak(results):.0f} MB. So the default is the last doubling that anybody could notice.
`MemorySize` is a parameter.

## What is assumed

- Measured on {machine["processor"]}, {machine["system"]}, Python {machine["python"]}, under Lambda's
  runtime client: {ours.init:.0f} ms of init phase and {ours.invocation:.0f} ms of invocation for this provider,
  {usual.init:.0f} and {usual.invocation:.0f} ms for the usual handler.
- A request waits {WAITING} s for the API and for the bucket. A processor of Lambda's is as fast as this machine's; a
  function has a whole one at {FULL_PROCESSOR} MB, less at less, and one in its init phase, which is billed.
- Prices of us-east-1 on x86, without the free tier: {GIGABYTE_SECOND:.10f} dollars for a GB-second, 0.20 for a
  million requests; SnapStart {SNAPSTART_CACHE:.10f} for a GB-second kept, {SNAPSTART_RESTORE} for a GB restored,
  in {RESTORING} s.
- CDK's provider framework: the usual handler at {CHOSEN} MB, and the framework's function at 128 MB, which waits for
  it. The framework's own start is left out.
"""


def _requests(ours: UnderRuntime, usual: UnderRuntime) -> str:
    rows = [("memory", "waiting", "of it loading", "dollars for a million", "a usual handler: waiting", "dollars")]
    for memory in MEMORIES:
        here, there = cold(ours, memory), cold(usual, memory)
        rows.append(
            (
                f"{memory} MB",
                f"{here.seconds:.2f} s",
                f"{ours.init / 1000:.2f} s",
                f"{here.dollars * 1e6:.2f}",
                f"{there.seconds:.2f} s",
                f"{there.dollars * 1e6:.2f}",
            )
        )
    return _table(rows)


def _stacks(ours: UnderRuntime, usual: UnderRuntime) -> str:
    sizes = [f"{memory} MB" for memory in MEMORIES]
    rows = [("", "native resource", *sizes, f"CDK's provider framework, {CHOSEN} MB")]
    for count, title in STACKS:
        each = [*(cold(ours, memory).dollars for memory in MEMORIES), framework(usual, CHOSEN).dollars]
        rows.append((title, "0", *(_dollars(count * REQUESTS * dollars) for dollars in each)))
    return _table(rows)


def _snapstart(ours: UnderRuntime) -> str:
    rows = [("memory", "waiting with it", "dollars for a million", "one kept, dollars a month", "10,000 kept")]
    for memory in MEMORIES:
        snap, kept = restored(ours, memory), keeping(memory)
        rows.append(
            (
                f"{memory} MB",
                f"{snap.seconds:.2f} s",
                f"{snap.dollars * 1e6:.2f}",
                f"{kept:.2f}",
                f"{10_000 * kept:,.0f}",
            )
        )
    return _table(rows)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    head, *rest = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join((head, "|" + "---|" * len(rows[0]), *rest))


def _peak(results: Results) -> float:
    return next(figures.peak_kilobytes for figures in results.variants if figures.name == "ours") / 1024


def _dollars(amount: float) -> str:
    """Two digits that count, without an exponent."""
    return f"{float(f'{amount:.2g}'):.10f}".rstrip("0").rstrip(".")


def main() -> None:
    """Print the page."""
    print(page(Results.read()), end="")


if __name__ == "__main__":
    main()
