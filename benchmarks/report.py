"""Writes the figures as Markdown and as a plot."""

import sys
from collections import Counter
from collections.abc import Iterator
from html import escape
from typing import Final

from benchmarks.figures import RESULTS, Figures, Ratio, Results, Timed

_WIDTH: Final = 980
_ROW: Final = 30
_LEFT: Final = 410
_MOST: Final = 2.5
"""The right end of the plot, in cold starts of the plain client."""


def write(results: Results) -> None:
    """Write cold.md and cold.svg beside the figures."""
    (RESULTS / "cold.md").write_text(markdown(results), encoding="utf-8")
    (RESULTS / "cold.svg").write_text(plot(results), encoding="utf-8")


def markdown(results: Results) -> str:
    """The report."""
    return "\n".join((*_comparison(results), *_runtime(results), *_imports(results), *_method(results)))


def _comparison(results: Results) -> Iterator[str]:
    plain = results.of("plain")
    yield "# What a start costs, compared\n"
    yield "One CloudFormation Update that changes something, from the start of the process to the answer's last byte."
    yield "All but the sizes is relative to a plain botocore client that makes the same calls and the same PUT:"
    yield (
        f"{plain.cold.milliseconds:.0f} ms, {(plain.instructions or 0) / 1e9:.2f} G instructions, "
        f"{plain.peak_kilobytes / 1024:.0f} MiB. Quartiles in brackets.\n"
    )
    yield "![Cold starts compared](cold.svg)\n"
    yield "| | cold | instructions | peak memory | warm, API connection kept | reopened | zip, MB |"
    yield "|---|---|---|---|---|---|---|"
    for each in results.variants:
        cells = (
            each.title,
            _quartiles(each.cold.ratio),
            f"{each.instructions / (plain.instructions or 1):.2f}" if each.instructions else "",
            f"{each.peak_kilobytes / plain.peak_kilobytes:.2f}",
            _warm(each.kept),
            _warm(each.reopened),
            f"{each.zip_bytes / 1e6:.1f}",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _runtime(results: Results) -> Iterator[str]:
    yield "## Under Lambda's runtime client\n"
    yield "The init phase ends where the runtime asks for an event, the invocation with the answer's last byte.\n"
    yield "| | init phase | first invocation | both, relative to the first row |\n|---|---|---|---|"
    for each in results.runtime:
        yield f"| {each.title} | {each.init:.0f} ms | {each.invocation:.0f} ms | {_quartiles(each.ratio)} |"
    yield ""


def _imports(results: Results) -> Iterator[str]:
    groups = {name: _by_package(modules) for name, modules in results.imports.items()}
    most: dict[str, float] = {}
    for group in groups.values():
        for package, (milliseconds, _) in group.items():
            most[package] = max(most.get(package, 0), milliseconds)
    yield "## Where the imports' time goes\n"
    yield "Each module's own time, from `python -X importtime`, which takes some itself.\n"
    yield f"| | {' | '.join(results.of(name).title for name in groups)} |"
    yield "|---" * (len(groups) + 1) + "|"
    for package in sorted(most, key=lambda package: -most[package]):
        shown = " | ".join(_import_cell(group, package) for group in groups.values())
        yield f"| {package} | {shown} |"
    yield ""


def _by_package(modules: dict[str, int]) -> dict[str, tuple[float, int]]:
    """Milliseconds and number of modules, package by package."""
    times: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for module, microseconds in modules.items():
        first = module.partition(".")[0]
        package = "standard library" if first in sys.stdlib_module_names else first
        for name in (package, "all"):
            times[name] += microseconds
            numbers[name] += 1
    return {name: (times[name] / 1000, numbers[name]) for name in times}


def _import_cell(group: dict[str, tuple[float, int]], package: str) -> str:
    if package not in group:
        return ""
    milliseconds, modules = group[package]
    return f"{milliseconds:.1f} ms ({modules})"


def _method(results: Results) -> Iterator[str]:
    machine = results.machine
    yield "## How it is measured\n"
    yield "- `make bench` does all of it; the figures are in [figures.json](figures.json)."
    yield f"- {machine['processor']}, {machine['system']}, Python {machine['python']}, Node {machine['node']}."
    yield (
        f"- {machine['pairs']} pairs of a plain client and the other, each in a fresh process; which comes first "
        "changes from pair to pair. The ratio is taken of each pair. The first row is the plain client beside itself."
    )
    yield (
        "- Image Builder and the bucket are stubs in a process of their own, over TLS. The children trust "
        f"{machine['cas']} CAs, and their environment is made from nothing, as Lambda's is. "
        "Node brings its own CAs; only the stubs' is added."
    )
    yield (
        "- Every run is checked: the calls, the Update's body, the one answer. All make Get, Update, Get, but for "
        "CDK's handler and the AWS CLI, which make one call an event: the Update."
    )
    yield (
        "- Instructions are counted by Valgrind, in user space, and repeat within 0.1 per cent. Warm: the median of "
        "40 events in one process; *reopened* has the API close its connection after each event."
    )
    yield (
        "- Every artifact but one has bytecode that is never checked against its source. All of them import "
        "`urllib3.util.url` first: how deep in a chain of imports its regular expressions are compiled is worth up to "
        "a sixth of a start, by luck.\n"
    )


def _quartiles(ratio: Ratio) -> str:
    return f"{ratio.median:.2f} [{ratio.low:.2f} to {ratio.high:.2f}]"


def _warm(timed: Timed | None) -> str:
    return f"{timed.ratio.median:.2f} ({timed.milliseconds:.1f} ms)" if timed else ""


def plot(results: Results) -> str:
    """Cold starts as bars with their quartiles, in SVG."""
    height = _ROW * (len(results.variants) + 1) + 20
    rows = "".join(_bar(each, number) for number, each in enumerate(results.variants))
    ticks = "".join(_tick(ratio, height) for ratio in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="14">\n<rect width="100%" height="100%" fill="white"/>\n{ticks}{rows}</svg>\n'
    )


def _across(ratio: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - 70) * min(ratio, _MOST) / _MOST


def _bar(each: Figures, number: int) -> str:
    top, ratio = 10 + _ROW * number, each.cold.ratio
    middle = top + _ROW / 2
    colour = "#d9822b" if each.name == "ours" else "#8a9ba8"
    title = escape(each.title.strip("*"))
    return (
        f'<text x="{_LEFT - 10}" y="{middle + 5:.0f}" text-anchor="end">{title}</text>'
        f'<rect x="{_LEFT}" y="{top + 5}" width="{_across(ratio.median) - _LEFT:.1f}" height="{_ROW - 10}" '
        f'fill="{colour}"/>'
        f'<path d="M{_across(ratio.low):.1f} {middle:.0f}H{_across(ratio.high):.1f}" stroke="black"/>'
        f'<text x="{_across(ratio.high) + 6:.1f}" y="{middle + 5:.0f}">{ratio.median:.2f}</text>\n'
    )


def _tick(ratio: float, height: int) -> str:
    x = _across(ratio)
    return (
        f'<path d="M{x:.1f} 5V{height - 25}" stroke="#dddddd"/>'
        f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="#555555">{ratio:g}</text>\n'
    )
