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
    """Return the report."""
    parts = (_comparison, _ledger, _runtime, _imports, _method)
    return "\n".join(line for part in parts for line in part(results))


def _comparison(results: Results) -> Iterator[str]:
    plain = results.of("plain")
    yield "# Cold starts, compared\n"
    yield "Each variant handles one CloudFormation Update, from process start to the last byte of the response."
    yield "All figures except sizes are relative to a plain botocore client with the same calls and the same PUT:"
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


def _ledger(results: Results) -> Iterator[str]:
    yield "## With a ledger\n"
    yield "By how much a [ledger](../../docs/ledger.md) increases the instructions of a cold start with shipped CAs,"
    yield "relative to the plain client's. DynamoDB is an emulator, over TLS. `make guard` measures this, too.\n"
    yield "| request | instructions |\n|---|---|"
    for title, growth in results.ledger_growth().items():
        yield f"| {title} | +{growth:.2f} |"
    yield ""


def _runtime(results: Results) -> Iterator[str]:
    yield "## Under Lambda's runtime client\n"
    yield "The init phase ends when the runtime requests an event; the invocation ends with the response's last byte.\n"
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
    yield "## Import times\n"
    yield "The sum of the modules' own times, and their number. `python -X importtime` itself takes time, too.\n"
    yield f"| | {' | '.join(results.of(name).title for name in groups)} |"
    yield "|---" * (len(groups) + 1) + "|"
    for package in sorted(most, key=lambda package: -most[package]):
        shown = " | ".join(_import_cell(group, package) for group in groups.values())
        yield f"| {package} | {shown} |"
    yield ""


def _by_package(modules: dict[str, int]) -> dict[str, tuple[float, int]]:
    """Return milliseconds and the number of modules by package."""
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
    yield "## Method\n"
    yield "- `make bench` measures everything; the figures are in [figures.json](figures.json)."
    yield f"- {machine['processor']}, {machine['system']}, Python {machine['python']}, Node {machine['node']}."
    yield (
        f"- Each variant runs {machine['pairs']} times, paired with the plain client, each in a fresh process and in "
        "alternating order. Ratios are calculated for each pair. The first row pairs the plain client with itself."
    )
    yield (
        "- Image Builder and the bucket are stubs in a separate process, over TLS. The measured process has one core, "
        "and the stubs have the others; with all cores, CDK's handler is faster. The measured processes trust "
        f"{machine['cas']} CAs and inherit no environment. Node uses its own CAs plus that of the stubs."
    )
    yield (
        "- Every run is checked: the calls, the Update's body, and the response. All variants call Get, Update, Get, "
        "except CDK's handler and the AWS CLI, which call only Update."
    )
    yield (
        "- Valgrind counts instructions in user space; they repeat within 0.1 percent. Warm: the median of 20 events "
        "in one process; *reopened*: the API closes its connection after each event."
    )
    yield (
        "- All artifacts but one have bytecode that is not checked against its source. All import `urllib3.util.url` "
        "first, because the import depth at which its regular expressions are compiled can change a start by up to a "
        "sixth.\n"
    )


def _quartiles(ratio: Ratio) -> str:
    return f"{ratio.median:.2f} [{ratio.low:.2f} to {ratio.high:.2f}]"


def _warm(timed: Timed | None) -> str:
    return f"{timed.ratio.median:.2f} ({timed.milliseconds:.1f} ms)" if timed else ""


def plot(results: Results) -> str:
    """Return cold starts as bars with their quartiles, in SVG."""
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
    color = "#d9822b" if each.name == "ours" else "#8a9ba8"
    title = escape(each.title.strip("*"))
    return (
        f'<text x="{_LEFT - 10}" y="{middle + 5:.0f}" text-anchor="end">{title}</text>'
        f'<rect x="{_LEFT}" y="{top + 5}" width="{_across(ratio.median) - _LEFT:.1f}" height="{_ROW - 10}" '
        f'fill="{color}"/>'
        f'<path d="M{_across(ratio.low):.1f} {middle:.0f}H{_across(ratio.high):.1f}" stroke="black"/>'
        f'<text x="{_across(ratio.high) + 6:.1f}" y="{middle + 5:.0f}">{ratio.median:.2f}</text>\n'
    )


def _tick(ratio: float, height: int) -> str:
    x = _across(ratio)
    return (
        f'<path d="M{x:.1f} 5V{height - 25}" stroke="#dddddd"/>'
        f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="#555555">{ratio:g}</text>\n'
    )
