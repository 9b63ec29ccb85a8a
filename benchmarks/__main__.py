"""Compares the provider with its peers and writes the figures and the report to benchmarks/results: `make bench`.

Each variant serves the same Update, every time beside the plain client, and which of the two comes first changes, so
that both meet the same troubles of the machine.
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
from benchmarks.measure import Laboratory
from benchmarks.report import write
from benchmarks.runtime import start
from benchmarks.stubs import Stubs, stubs
from benchmarks.variants import CDK, OURS, PLAIN, POWERTOOLS, RUNTIME_CLIENT, VARIANTS, Variant

_WARM_ROUNDS: Final = 9
_WARM_EVENTS: Final = 40
_RUNTIME_ROUNDS: Final = 9

Measure = TypeVar("Measure")


def tell(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr, flush=True)


def in_pairs(
    variants: Sequence[Variant], rounds: int, measure: Callable[[Variant], Measure]
) -> dict[Variant, list[tuple[Measure, Measure]]]:
    """Each variant's pairs of measures, the plain client's first, though it was taken first only every other round.

    All variants have their turn in every round, so that a while in which the machine is busy is nobody's alone.
    """
    taken: dict[Variant, list[tuple[Measure, Measure]]] = {variant: [] for variant in variants}
    for turn in range(rounds):
        tell(f"  round {turn + 1} of {rounds}")
        for variant in variants:
            if turn % 2:
                plain = measure(PLAIN)
                taken[variant].append((plain, measure(variant)))
            else:
                other = measure(variant)
                taken[variant].append((measure(PLAIN), other))
    return taken


def compare(laboratory: Laboratory, artifacts: dict[Variant, Path], pairs: int) -> list[Figures]:
    """All figures of all variants."""
    variants = tuple(artifacts)
    tell("cold starts, after one of each that is not counted")
    for variant in variants:
        laboratory.cold(variant)
    cold = in_pairs(variants, pairs, laboratory.cold)
    kept, reopened = (compare_warm(laboratory, variants, reopened=reopened) for reopened in (False, True))
    figures = []
    for variant, artifact in artifacts.items():
        tell(f"instructions and size: {variant.title}")
        figures.append(
            Figures(
                variant.name,
                variant.title,
                Timed.of([(plain.seconds, other.seconds) for plain, other in cold[variant]]),
                kept.get(variant),
                reopened.get(variant),
                None if variant is CDK else laboratory.instructions(variant),
                round(statistics.median(other.peak_kilobytes for _, other in cold[variant])),
                packed_bytes(variant, artifact),
            )
        )
    return figures


def compare_warm(laboratory: Laboratory, variants: Sequence[Variant], *, reopened: bool) -> dict[Variant, Timed]:
    """The median event of a process that has served one before."""

    def median(variant: Variant) -> float:
        return statistics.median(laboratory.warm(variant, _WARM_EVENTS, reopened=reopened))

    tell(f"warm, the API's connection {'reopened' if reopened else 'kept'}")
    taken = in_pairs([variant for variant in variants if variant.stays_warm], _WARM_ROUNDS, median)
    return {variant: Timed.of(pairs) for variant, pairs in taken.items()}


def compare_under_runtime(
    laboratory: Laboratory, servers: Stubs, artifacts: dict[Variant, Path], folder: Path
) -> list[UnderRuntime]:
    """The figures under Lambda's runtime client."""
    tell("under Lambda's runtime client")
    client = build(RUNTIME_CLIENT)
    homes = (folder / f"environment-{number}" for number in count())
    variants = (PLAIN, OURS, POWERTOOLS)
    taken: dict[Variant, list[tuple[float, float]]] = {variant: [] for variant in variants}
    for turn in range(_RUNTIME_ROUNDS):
        tell(f"  round {turn + 1} of {_RUNTIME_ROUNDS}")
        for variant in variants if turn % 2 else reversed(variants):
            taken[variant].append(start(laboratory, servers, variant, artifacts[variant], client, next(homes)))
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
    """What the figures depend on."""
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
    """Compare the provider with its peers, and write the report."""
    variants = [variant for variant in VARIANTS if variant is not CDK or node()]
    artifacts = {}
    for variant in (PLAIN, *variants):
        tell(f"building: {variant.title}")
        artifacts[variant] = build(variant)
    with stubs() as servers, tempfile.TemporaryDirectory() as temporary:
        laboratory = Laboratory(servers, artifacts, Path(temporary))
        figures = compare(laboratory, artifacts, pairs)
        runtime = compare_under_runtime(laboratory, servers, artifacts, Path(temporary))
        imports = {variant.name: laboratory.import_times(variant) for variant in (PLAIN, OURS)}
    results = Results(machine(pairs), figures, runtime, imports)
    results.write()
    write(results)


if __name__ == "__main__":
    main()
