"""The figures, and the file that records them."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

RESULTS: Final = Path(__file__).parent / "results"
_FIGURES: Final = RESULTS / "figures.json"
_TIMED: Final = ("cold", "kept", "reopened")


@dataclass(frozen=True)
class Ratio:
    """Quartiles of the ratios of a variant's figures to the plain client's, measured in pairs."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Self:
        """From pairs of the plain client's figure and the variant's."""
        low, median, high = statistics.quantiles([other / plain for plain, other in pairs], method="inclusive")
        return cls(round(low, 3), round(median, 3), round(high, 3))


@dataclass(frozen=True)
class Timed:
    """A median in milliseconds, and its ratio to the plain client's."""

    milliseconds: float
    ratio: Ratio

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Self:
        """From pairs of seconds, the plain client's first."""
        return cls(milliseconds([other for _, other in pairs]), Ratio.of(pairs))

    @classmethod
    def read(cls, data: dict[str, Any] | None) -> Self | None:
        """From JSON."""
        return cls(data["milliseconds"], Ratio(**data["ratio"])) if data else None


@dataclass(frozen=True)
class Figures:
    """The figures of one variant; None if not measured."""

    name: str
    title: str
    cold: Timed
    kept: Timed | None
    reopened: Timed | None
    instructions: int | None
    peak_kilobytes: int
    zip_bytes: int


@dataclass(frozen=True)
class UnderRuntime:
    """The figures of one variant under Lambda's runtime client; medians in milliseconds.

    The init phase ends when the runtime requests the first event; the invocation ends with the response's last byte.
    """

    name: str
    title: str
    init: float
    invocation: float
    ratio: Ratio
    """The ratio of the sums of both."""


@dataclass(frozen=True)
class Results:
    """All figures, the plain client's first, and a description of the machine."""

    machine: dict[str, str]
    variants: list[Figures]
    runtime: list[UnderRuntime]
    imports: dict[str, dict[str, int]]
    """By variant: the microseconds that each module's own import takes in a cold run."""
    ledger: dict[str, int]
    """By what is requested: the instructions of the deployed variant's cold run with a ledger."""

    def write(self) -> None:
        """Record the figures."""
        RESULTS.mkdir(exist_ok=True)
        _FIGURES.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls) -> Self:
        """Return the recorded figures."""
        data: dict[str, Any] = json.loads(_FIGURES.read_text(encoding="utf-8"))
        return cls(
            data["machine"],
            [Figures(**{**each, **{name: Timed.read(each[name]) for name in _TIMED}}) for each in data["variants"]],
            [UnderRuntime(**{**each, "ratio": Ratio(**each["ratio"])}) for each in data["runtime"]],
            data["imports"],
            data["ledger"],
        )

    def ledger_growth(self) -> dict[str, float]:
        """Return by how much a ledger increases a cold start's instructions, relative to the plain client's."""
        plain, without = (self.of(name).instructions or 0 for name in ("plain", "as_deployed"))
        return {title: (count - without) / plain for title, count in self.ledger.items()}

    def of(self, name: str) -> Figures:
        """Return a variant's figures. Raises KeyError if it has none."""
        return {figures.name: figures for figures in self.variants}[name]


def milliseconds(seconds: Sequence[float]) -> float:
    """Return the median of seconds, in milliseconds."""
    return round(statistics.median(seconds) * 1000, 2)
