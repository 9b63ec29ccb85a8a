"""Calculates what the provider costs in seconds and money, from the figures of `make bench` and `make scale`.

`python -m benchmarks.cost` prints docs/cost.md; both write it. Everything that is not measured is a constant
below, with its source.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.contention import LedgerCalls
from benchmarks.figures import Results, UnderRuntime
from benchmarks.scale import Measured, Scale

GIGABYTE_SECOND: Final = 0.0000166667
REQUEST: Final = 0.20 / 1_000_000
SNAPSTART_CACHE: Final = 0.0000015046
SNAPSTART_RESTORE: Final = 0.0001397998
"""US dollars in us-east-1 on x86, without the free tier: a GB-second, a request, a GB-second of keeping a snapshot, a
GB of restoring one. https://aws.amazon.com/lambda/pricing/"""

WRITE_UNIT: Final = 0.625 / 1_000_000
READ_UNIT: Final = 0.125 / 1_000_000
STORAGE: Final = 0.25 + 0.20
"""US dollars in us-east-1, without the free tier: a unit of DynamoDB on demand (a write of 1 KB, or a consistent read
of 4 KB; a write in a transaction takes two), and a GB-month of storage with point-in-time recovery.
https://aws.amazon.com/dynamodb/pricing/on-demand/"""
PRICED: Final = "November 2024"
"""When DynamoDB's prices were last changed."""

ALARMS: Final = 5
LEDGER_ALARMS: Final = 4
"""The numbers in the template without and with the ledger, as a test checks."""
ALARM: Final = 0.10
DASHBOARD: Final = 3.0
"""US dollars per month. https://aws.amazon.com/cloudwatch/pricing/"""

FULL_PROCESSOR: Final = 1769
"""MB of memory with which a function has one vCPU. With less memory, it has a proportional share, except in the init
phase. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""

WAITING: Final = 0.25
"""Assumed seconds that a request waits for three API calls and one PUT: about 60 ms each."""
REQUESTS: Final = 3
"""Per stack: Create, Update, Delete. Each is assumed to be a cold start, because deployments are rare."""
RESTORING: Final = 0.2
"""Assumed seconds that Lambda takes to restore a snapshot. They are billed as a restore, not as duration."""
MONTH: Final = 30 * 24 * 3600

MEMORIES: Final = (128, 256, 512)
STACKS: Final = ((1, "one stack"), (1_000, "1,000 stacks"), (10_000, "a StackSet of 10,000 instances"))
CHOSEN: Final = 256
SWEEP_MINUTES: Final = 15
"""The template's defaults, as a test checks."""


@dataclass(frozen=True)
class Cost:
    """The cost of one cold request: the seconds that a user waits, and US dollars."""

    seconds: float
    dollars: float


def cold(figures: UnderRuntime, memory: int) -> Cost:
    """Return the cost of a cold request at a memory size in MB. A smaller share of a vCPU slows only the invocation."""
    working = figures.invocation / 1000 * FULL_PROCESSOR / memory
    seconds = figures.init / 1000 + working + WAITING
    return Cost(seconds, seconds * memory / 1024 * GIGABYTE_SECOND + REQUEST)


def restored(figures: UnderRuntime, memory: int) -> Cost:
    """Return the cost of a cold request from a snapshot, without keeping the snapshot."""
    billed = figures.invocation / 1000 * FULL_PROCESSOR / memory + WAITING
    gigabytes = memory / 1024
    return Cost(billed + RESTORING, billed * gigabytes * GIGABYTE_SECOND + gigabytes * SNAPSTART_RESTORE + REQUEST)


def keeping(memory: int) -> float:
    """Return the US dollars per month for keeping one snapshot of a function of this size."""
    return memory / 1024 * SNAPSTART_CACHE * MONTH


def framework(figures: UnderRuntime, memory: int) -> Cost:
    """Return the cost with the CDK's provider framework, a second function that is billed while it waits.

    The real cost is higher, because the framework's own cold start is not included.
    """
    handler = cold(figures, memory)
    waiting = handler.seconds * 128 / 1024 * GIGABYTE_SECOND + REQUEST
    return Cost(handler.seconds, handler.dollars + waiting)


def ledger_dollars(calls: LedgerCalls, items: int, item_bytes: int) -> float:
    """Return what calls of the ledger cost at most, if each query and scan reads so many items of so many bytes."""
    per_item = math.ceil(item_bytes / 1024)
    checks = calls.calls.get("TransactWriteItems", 0)
    writes = calls.calls.get("UpdateItem", 0) * per_item + 2 * (calls.items_in_transactions * per_item + checks)
    pages = calls.calls.get("Query", 0) + calls.calls.get("Scan", 0)
    reads = calls.calls.get("GetItem", 0) + pages * math.ceil(items * item_bytes / 4096)
    return writes * WRITE_UNIT + reads * READ_UNIT


def sweeps(figures: UnderRuntime, measured: Measured) -> float:
    """Return the US dollars per month for the sweeps of one configuration with so many parts."""
    calls = ledger_dollars(measured.sweep, measured.contributors, measured.item_bytes)
    return MONTH / (60 * SWEEP_MINUTES) * (calls + cold(figures, CHOSEN).dollars)


def page(results: Results, scale: Scale) -> str:
    """Return the page as Markdown."""
    by_name = {figures.name: figures for figures in results.runtime}
    ours, typical = by_name["ours"], by_name["crhelper_powertools"]
    machine = results.machine
    seconds = [round(cold(ours, memory).seconds, 2) for memory in MEMORIES]  # as the table shows them
    lifecycles = min(keeping(memory) / (REQUESTS * cold(ours, memory).dollars) for memory in MEMORIES)
    return f"""# What it costs

The native resource costs nothing. This provider costs time in each deployment, and Lambda's charges. `make bench` and
`make scale` write this page from their figures; the assumptions are at the end.

## One cold request

{_requests(ours, typical)}

The typical handler is crhelper with Powertools' Logger and Metrics. A warm request skips the loading; nearly all of its
time is waiting for the API.

## Stacks

US dollars for a stack's whole lifecycle: {REQUESTS} requests, all of them cold.

{_stacks(ours, typical)}

The {ALARMS} alarms of each provider cost ${ALARMS * ALARM:.2f} per month in total. With providers in many accounts,
they are most of the cost. The optional dashboard costs ${DASHBOARD:.0f} per month if the account already has three.

## The ledger

The [ledger](ledger.md) is optional. It costs requests of DynamoDB, the functions that wait and sweep, and
{LEDGER_ALARMS} more alarms (${LEDGER_ALARMS * ALARM:.2f} per month in total). US dollars, at most:

{_ledger(ours, scale)}

An item of the table has about {scale.measured[-1].item_bytes:,} bytes, so storing the parts of 1,000 stacks costs less
than a cent per month. While a request waits for another one, its function is billed, too: {CHOSEN} MB cost
${_dollars(CHOSEN / 1024 * GIGABYTE_SECOND)} per second.

## SnapStart

{_snapstart(ours)}

SnapStart does not save time, because little is loaded. Keeping one snapshot for a month costs as much as more than
{10 ** int(math.log10(lifecycles)):,} stack lifecycles, so the template does not use it.

## Why {CHOSEN} MB

Loading takes the same time at any size, because Lambda provides a full vCPU in the init phase. Going from 128 to 256 MB
saves {seconds[0] - seconds[1]:.2f} s per cold request; going to 512 MB saves another {seconds[1] - seconds[2]:.2f} s.
Sizes above the default save little time. The price hardly matters, and neither does memory: the process peaks at
{_peak(results):.0f} MB. To change the default, set the parameter `MemorySize`.

## Assumptions

- Measured on {machine["processor"]}, {machine["system"]}, Python {machine["python"]}, under Lambda's
  runtime client: {ours.init:.0f} ms of init phase and {ours.invocation:.0f} ms of invocation for this provider,
  {typical.init:.0f} and {typical.invocation:.0f} ms for the typical handler.
- A request waits {WAITING} s for the API and the bucket. A vCPU of Lambda is as fast as a processor of this machine. A
  function has a full vCPU at {FULL_PROCESSOR} MB, a proportional share with less memory, and a full one in its init
  phase, which is billed.
- Prices are for us-east-1 on x86, without the free tier: {GIGABYTE_SECOND:.10f} dollars per GB-second and 0.20 per
  million requests; for SnapStart, {SNAPSTART_CACHE:.10f} per GB-second of keeping a snapshot and {SNAPSTART_RESTORE}
  per GB of restoring it, which takes {RESTORING} s.
- For the ledger: the calls that `make scale` counts with emulators, which are slower than AWS, so requests that wait
  read more often than in an account. Prices since {PRICED} in us-east-1: {WRITE_UNIT * 1e6} dollars per million write
  units, {READ_UNIT * 1e6} per million read units, and {STORAGE:.2f} per GB-month of storage with point-in-time
  recovery; see [DynamoDB's prices](https://aws.amazon.com/dynamodb/pricing/on-demand/). A sweep every
  {SWEEP_MINUTES} minutes is a cold start, and takes as long as a request.
- CDK's provider framework: the typical handler at {CHOSEN} MB, and the framework's function at 128 MB, which waits for
  it. The framework's own cold start is not included.
"""


def _requests(ours: UnderRuntime, typical: UnderRuntime) -> str:
    rows = [("memory", "time", "init phase", "$ per million", "typical handler: time", "$ per million")]
    for memory in MEMORIES:
        here, there = cold(ours, memory), cold(typical, memory)
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


def _stacks(ours: UnderRuntime, typical: UnderRuntime) -> str:
    sizes = [f"{memory} MB" for memory in MEMORIES]
    rows = [("", "native resource", *sizes, f"CDK's provider framework, {CHOSEN} MB")]
    for count, title in STACKS:
        each = [*(cold(ours, memory).dollars for memory in MEMORIES), framework(typical, CHOSEN).dollars]
        rows.append((title, "0", *(_dollars(count * REQUESTS * dollars) for dollars in each)))
    return _table(rows)


def _ledger(ours: UnderRuntime, scale: Scale) -> str:
    rows = [("stacks that contribute to one configuration", "their requests of DynamoDB", "sweeps, per month")]
    for each in scale.measured:
        deployed = ledger_dollars(each.ledger, each.contributors, each.item_bytes)
        rows.append((f"{each.contributors:,}", _dollars(deployed), _dollars(sweeps(ours, each))))
    return _table(rows)


def _snapstart(ours: UnderRuntime) -> str:
    rows = [("memory", "time", "$ per million", "snapshot, $ per month", "10,000 snapshots, $ per month")]
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
    """Return two significant digits, without an exponent."""
    return f"{float(f'{amount:.2g}'):.10f}".rstrip("0").rstrip(".")


def main() -> None:
    """Print the page."""
    print(page(Results.read(), Scale.read()), end="")


if __name__ == "__main__":
    main()
