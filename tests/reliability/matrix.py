"""The reliability matrix: each fault, when it occurs, and the outcome of each request type.

`python -m tests.reliability.matrix` prints it as Markdown; test_matrix.py runs every cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

RequestType = Literal["Create", "Update", "Delete"]
REQUESTS: Final[tuple[RequestType, ...]] = ("Create", "Update", "Delete")

BEFORE: Final = "before the call"
DURING: Final = "during the call"
AFTER: Final = "after it took effect"
DELIVERY: Final = "during delivery"

DONE: Final = "SUCCESS, done"
UNDONE: Final = "FAILED, unchanged"
CUT: Final = "FAILED, cut short"
RETRIED: Final = "retried by Lambda, done"
EXPIRED: Final = "expired, unchanged"

MEANINGS: Final = {
    DONE: "the response is SUCCESS, and the configuration is as in the template",
    UNDONE: "the response is FAILED, and nothing has changed",
    CUT: "the response is FAILED in time, and says that the outcome of the call is unknown",
    RETRIED: "no response was sent, so Lambda delivers the event again; the response to that is SUCCESS, once",
    EXPIRED: "the request is too late: its response URL has expired, so nothing is done, and the bucket rejects the "
    "response; this is logged and not retried",
}


@dataclass(frozen=True)
class Fault:
    """One row. `outcomes` are those of Create, Update, and Delete; `seconds` is Lambda's timeout."""

    phase: str
    name: str
    outcomes: tuple[str, str, str]
    seconds: float = 20.0


def _same(outcome: str) -> tuple[str, str, str]:
    return (outcome, outcome, outcome)


FAULTS: Final = (
    Fault(BEFORE, "throttled once", _same(DONE)),
    Fault(BEFORE, "always throttled", _same(UNDONE), 3),
    Fault(BEFORE, "API unreachable", _same(UNDONE), 3),
    Fault(BEFORE, "access denied", _same(UNDONE)),
    Fault(BEFORE, "no credentials", _same(UNDONE)),
    Fault(BEFORE, "response URL expired", _same(UNDONE)),
    Fault(BEFORE, "no time left", _same(UNDONE), 0.2),
    Fault(BEFORE, "package broken", _same(UNDONE)),
    Fault(BEFORE, "package slow to load", _same(UNDONE), 2.5),
    Fault(BEFORE, "killed", _same(RETRIED)),
    Fault(DURING, "503 once", _same(DONE)),
    Fault(DURING, "500 always", _same(UNDONE), 4),
    Fault(DURING, "reset once", _same(DONE)),
    Fault(DURING, "reset always", _same(UNDONE), 4),
    Fault(DURING, "garbage once", _same(DONE)),
    Fault(DURING, "garbage always", _same(UNDONE), 4),
    Fault(DURING, "hangs", _same(CUT), 2.5),
    Fault(DURING, "unknown error", _same(UNDONE)),
    Fault(DURING, "exit inside the client", _same(UNDONE)),
    Fault(DURING, "out of memory inside the client", _same(UNDONE)),
    Fault(DURING, "killed", _same(RETRIED)),
    Fault(AFTER, "503 once", _same(DONE)),
    Fault(AFTER, "500 always", _same(DONE)),
    Fault(AFTER, "reset once", _same(DONE)),
    Fault(AFTER, "reset always", _same(DONE)),
    Fault(AFTER, "garbage once", _same(DONE)),
    Fault(AFTER, "garbage always", _same(DONE)),
    Fault(AFTER, "throttled on the retry", _same(DONE)),
    Fault(AFTER, "hangs", _same(CUT), 2.5),
    Fault(AFTER, "killed", _same(RETRIED)),
    Fault(DELIVERY, "503 once", _same(DONE)),
    Fault(DELIVERY, "429 once", _same(DONE)),
    Fault(DELIVERY, "reset once", _same(DONE)),
    Fault(DELIVERY, "hangs once", _same(DONE), 4),
    Fault(DELIVERY, "503 always", _same(RETRIED), 2),
    Fault(DELIVERY, "unreachable", _same(RETRIED), 2),
    Fault(DELIVERY, "untrusted certificate", _same(RETRIED), 2),
    Fault(DELIVERY, "307 always", _same(RETRIED), 2),
    Fault(DELIVERY, "400 once", _same(DONE)),
    Fault(DELIVERY, "400 always", _same(RETRIED), 2),
    Fault(DELIVERY, "404 always", _same(RETRIED), 2),
    Fault(DELIVERY, "403 while the URL is valid", _same(RETRIED), 2),
    Fault(DELIVERY, "403 after the URL has expired", _same(EXPIRED)),
    Fault(DELIVERY, "killed", _same(RETRIED)),
)


def cells() -> Iterator[tuple[Fault, RequestType, str]]:
    """Yield every cell: the fault, the request type, and the outcome."""
    for fault in FAULTS:
        for request, outcome in zip(REQUESTS, fault.outcomes, strict=True):
            yield fault, request, outcome


def markdown() -> str:
    """Return the matrix as a Markdown table, with the meanings of the outcomes."""
    rows = [f"| {fault.phase} | {fault.name} | {' | '.join(fault.outcomes)} |" for fault in FAULTS]
    table = ["| when | fault | Create | Update | Delete |", "|---|---|---|---|---|", *rows, ""]
    return "\n".join([*table, *(f"- *{word}*: {meaning}." for word, meaning in MEANINGS.items())]) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
