"""What the ledger shows of a configuration: its parts, who has which path, its lease, and its drift. It only reads."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from ...errors import ProviderError
from ...ledger.claims import PRESENT, Claim, Path, differences, path_text
from ...ledger.combine import Ledger
from ...ledger.contributions import is_key
from ...ledger.merge import effective, holders
from ...ledger.parts import Part
from ...ledger.store import Lease
from ...ledger.sweep import Comparison, compare_live
from ...plan import Configuration
from ...resources.ownership import Owner
from ...schema.diff import Difference


class Status(Enum):
    """What counts of a part."""

    ACCEPTED = "accepted"
    RETAINED = "retained"
    """The owner is gone, and its content stays."""
    SUPERSEDED = "superseded"
    """Another owner has adopted the configuration."""
    PROPOSED = "proposed"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled back"
    """Its request failed before it was settled."""
    WITHDRAWN = "withdrawn"


class Holding(NamedTuple):
    """A value of what is accepted, and the resources that have it."""

    path: Path
    value: object
    owners: tuple[Owner, ...]


class Overview(NamedTuple):
    """The records of a configuration, and its live state.

    `live` is None if the configuration does not exist, or if it cannot be read (`is_read` is false). `comparison` is
    None if it could not be made: `problem` says why.
    """

    arn: str
    lease: Lease
    parts: Sequence[Part]
    live: Configuration | None
    comparison: Comparison | None
    problem: str = ""
    is_read: bool = True


def read_overview(ledger: Ledger, arn: str) -> Overview:
    """Read a configuration and its records. Raises ProviderError if the ledger cannot be read.

    There is no comparison while a holder of the lease may be changing what is compared.
    """
    before = ledger.store.lease(arn)
    parts = sorted(ledger.store.parts(arn), key=lambda part: (not part.is_owner, part.owner))
    try:
        live = ledger.api.read(arn)
    except ProviderError as error:
        return Overview(arn, before, parts, None, None, error.problem, is_read=False)
    lease, now = ledger.store.lease(arn), ledger.deadline.now()
    if lease.epoch != before.epoch or not (before.is_free(now) and lease.is_free(now)):
        return Overview(arn, lease, parts, live, None, "a request or a sweep is combining the parts")
    comparison = compare_live(ledger.store, parts, live) if live is not None else None
    return Overview(arn, lease, parts, live, comparison, "" if live else "the configuration does not exist")


def status_of(part: Part, parts: Iterable[Part]) -> Status:
    """Return what counts of a part among all `parts` of its configuration."""
    if part.accepted is None:
        return _status_without_body(part)
    if part.is_owner and all(one.owner != part.owner for one in effective(parts)):
        return Status.SUPERSEDED
    return Status.RETAINED if part.is_retained else Status.ACCEPTED


def _status_without_body(part: Part) -> Status:
    if part.is_newcomer:
        return Status.PROPOSED
    if part.rejection:
        return Status.REJECTED
    return Status.ROLLED_BACK if part.is_rolled_back else Status.WITHDRAWN


def holdings(parts: Iterable[Part], own_account: str) -> list[Holding]:
    """Return the values of what is accepted, in the order of their paths, without keys of entries and defaults.

    A container is a value only if it is empty.
    """
    found = {
        path: claims
        for path, claims in holders(parts, own_account).items()
        if not is_key(path) and not all(claim.is_implied for claim in claims.values())
    }
    containers = {path[:length] for path in found for length in range(1, len(path))}
    return [
        Holding(path, _value(claims), tuple(sorted(claims)))
        for path, claims in sorted(found.items(), key=lambda item: path_text(item[0]))
        if path not in containers
    ]


def _value(claims: Mapping[Owner, Claim]) -> object:
    (value, *_) = (claim.value for claim in claims.values())
    return {} if value is PRESENT else value


def proposed_changes(part: Part, own_account: str) -> tuple[Difference, ...]:
    """Return what a proposal changes of its part. For a withdrawal, that is everything."""
    before, after = part.accepted_body(), part.proposed_body()
    changes = differences(before.content if before else {}, after.content if after else {}, own_account)
    return without_containers(changes) if part.is_newcomer else ()


def without_containers(found: Sequence[Difference]) -> tuple[Difference, ...]:
    """Return differences in the order of their paths without those that others beneath them show."""
    following = [*(one.path for one in found[1:]), ""]
    return tuple(
        one
        for one, after in zip(found, following, strict=False)
        if not after.startswith((f"{one.path}.", f"{one.path}["))
    )
