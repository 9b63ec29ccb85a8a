"""Compares the provider with alternatives, and writes figures and a report to benchmarks/results: `make bench`.

Each run of a variant is paired with a run of the plain client, in alternating order, so that load on the machine
affects both.
"""

import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Final, TypeVar

import click

from benchmarks.build import build, bundle, node, packed_bytes, python, version
from benchmarks.figures import Figures, Ratio, Results, Timed, UnderRuntime, milliseconds
from benchmarks.measure import Runner
from benchmarks.recorded import instructions, ledger
from benchmarks.report import write
from benchmarks.runtime import start
from benchmarks.stubs import Stubs, stubs
from benchmarks.variants import AS_DEPLOYED, CDK, OURS, PLAIN, POWERTOOLS, RUNTIME_CLIENT, VARIANTS, Variant

_WARM_ROUNDS: Final = 25
_WARM_EVENTS: Final = 20
_RUNTIME_ROUNDS: Final = 9

Measure = TypeVar("Measure")


def log(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr, flush=True)


def in_pairs(
    variants: Sequence[Variant], rounds: int, measure: Callable[[Variant], Measure]
) -> dict[Variant, list[tuple[Measure, Measure]]]:
    """Return each variant's pairs of measurements, with the plain client's first.

    All variants run in every round, so that load on the machine affects all of them.
    """
    taken: dict[Variant, list[tuple[Measure, Measure]]] = {variant: [] for variant in variants}
    for turn in range(rounds):
        log(f"  round {turn + 1} of {rounds}")
        for variant in variants:
            if turn % 2:
                plain = measure(PLAIN)
                taken[variant].append((plain, measure(variant)))
            else:
                other = measure(variant)
                taken[variant].append((measure(PLAIN), other))
    return taken


def compare(runner: Runner, artifacts: dict[Variant, Path], pairs: int) -> list[Figures]:
    """Return all figures of all variants."""
    variants = tuple(artifacts)
    log("cold starts, after one uncounted start of each")
    for variant in variants:
        runner.cold(variant)
    cold = in_pairs(variants, pairs, runner.cold)
    kept, reopened = (compare_warm(runner, variants, reopened=reopened) for reopened in (False, True))
    figures = []
    for variant, artifact in artifacts.items():
        log(f"instructions and size: {variant.title}")
        figures.append(
            Figures(
                variant.name,
                variant.title,
                Timed.of([(plain.seconds, other.seconds) for plain, other in cold[variant]]),
                kept.get(variant),
                reopened.get(variant),
                None if variant is CDK else runner.instructions(variant),
                round(statistics.median(other.peak_kilobytes for _, other in cold[variant])),
                packed_bytes(variant, artifact),
            )
        )
    return figures


def compare_warm(runner: Runner, variants: Sequence[Variant], *, reopened: bool) -> dict[Variant, Timed]:
    """Return the median time of an event in a process that has already handled one."""

    def median(variant: Variant) -> float:
        return statistics.median(runner.warm(variant, _WARM_EVENTS, reopened=reopened))

    log(f"warm, the API's connection {'reopened' if reopened else 'kept'}")
    taken = in_pairs([variant for variant in variants if variant.stays_warm], _WARM_ROUNDS, median)
    return {variant: Timed.of(pairs) for variant, pairs in taken.items()}


def compare_under_runtime(
    runner: Runner, servers: Stubs, artifacts: dict[Variant, Path], folder: Path
) -> list[UnderRuntime]:
    """Return the figures under Lambda's runtime client."""
    log("under Lambda's runtime client")
    client = build(RUNTIME_CLIENT)
    folders = (folder / f"environment-{number}" for number in count())
    variants = (PLAIN, OURS, POWERTOOLS)
    taken: dict[Variant, list[tuple[float, float]]] = {variant: [] for variant in variants}
    for turn in range(_RUNTIME_ROUNDS):
        log(f"  round {turn + 1} of {_RUNTIME_ROUNDS}")
        for variant in variants if turn % 2 else reversed(variants):
            taken[variant].append(start(runner, servers, variant, artifacts[variant], client, next(folders)))
    return [
        UnderRuntime(
            variant.name,
            variant.title,
            milliseconds([init for init, _ in times]),
            milliseconds([invocation for _, invocation in times]),
            Ratio.of([(sum(plain), sum(own)) for plain, own in zip(taken[PLAIN], times, strict=True)]),
        )
        for variant, times in taken.items()
    ]


def machine(pairs: int) -> dict[str, str]:
    """Return what the figures depend on."""
    processors = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in processors if line.startswith("model name")]
    return {
        "processor": f"{len(names)} x {names[0]}" if names else platform.processor(),
        "system": f"{platform.system()} on {platform.machine()}",
        "python": version(python()),
        "node": version(str(node())) if node() else "none",
        "cas": str(bundle().read_text(encoding="utf-8").count("BEGIN CERTIFICATE")),
        "pairs": str(pairs),
    }


@click.command()
@click.option("--pairs", default=15, show_default=True, type=click.IntRange(min=2), help="Cold starts of each variant.")
def main(pairs: int) -> None:
    """Compare the provider with alternatives, and write the report."""
    variants = [variant for variant in VARIANTS if variant is not CDK or node()]
    artifacts = {}
    for variant in (PLAIN, *variants):
        log(f"building: {variant.title}")
        artifacts[variant] = build(variant)
    with stubs() as servers, tempfile.TemporaryDirectory() as temporary:
        runner = Runner(servers, artifacts, Path(temporary))
        figures = compare(runner, artifacts, pairs)
        runtime = compare_under_runtime(runner, servers, artifacts, Path(temporary))
        imports = {variant.name: runner.import_times(variant) for variant in (PLAIN, OURS)}
        log("instructions with a ledger")
        with ledger() as variables:
            recorded = instructions(runner, servers, AS_DEPLOYED, variables)
    results = Results(machine(pairs), figures, runtime, imports, recorded)
    results.write()
    write(results)


if __name__ == "__main__":
    main()
