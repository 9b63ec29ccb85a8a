"""Parts, leases, and digests as items of the ledger's table.

A configuration's parts are in one partition, with sort keys `part#STACK#LOGICAL`. Its lease has a partition of its own,
together with the digests of the last day's writes. So no contributor's write touches an item that others write.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..resources.ownership import Owner
from .parts import Part, Revision, is_expired
from .table import EXPIRES, MAX_TRANSACTION, Item, Key, Value, Write

if TYPE_CHECKING:
    from .table import Table

_PART: Final = "part#"
_LEASE: Final = "lease"
_DIGEST: Final = "digest#"
_TOKEN: Final = "token#"  # noqa: S105 - a prefix of keys

MAX_TRANSACTION_BYTES: Final = 3_500_000
"""Bytes of the items of one transaction as they are sent, in base64. DynamoDB allows 4 MB."""
RECORD_SECONDS: Final = 86_400.0
"""How long digests and used client tokens are kept."""


class Lease(NamedTuple):
    """The lease of a configuration. The epoch increases with each holder.

    `expiry` and `swept` (the last sweep) are seconds since the epoch. If it is dirty, the live content may differ from
    the merge of what is settled. `waiting` is how many newcomers the last combination found.
    """

    arn: str
    epoch: int = 0
    holder: str = ""
    expiry: float = 0.0
    is_dirty: bool = False
    waiting: int = 0
    swept: float = 0.0

    def is_free(self, now: float) -> bool:
        """Return whether it may be taken."""
        return not self.holder or self.expiry <= now


class LeaseLost(Exception):  # noqa: N818 - an event, not an error
    """Another holder took the lease."""


class Summary(NamedTuple):
    """What the scan of a sweep shows of a configuration: its lease, and whether it has newcomers."""

    lease: Lease
    has_newcomers: bool


class Store:
    """The ledger's records. `now` returns seconds since the epoch."""

    def __init__(self, table: "Table", now: Callable[[], float]) -> None:
        self._table, self._now = table, now

    def part(self, arn: str, owner: Owner) -> Part | None:
        """Return the record of a part; None if there is none, or if it has expired."""
        item = self._table.get(part_key(arn, owner))
        part = _part(item) if item is not None else None
        return None if part is None or is_expired(part, self._now()) else part

    def parts(self, arn: str) -> list[Part]:
        """Return the records of all parts of a configuration that have not expired."""
        found = (_part(item) for item in self._table.query(arn) if str(item["sk"]).startswith(_PART))
        return [part for part in found if not is_expired(part, self._now())]

    def put(self, old: Part | None, new: Part) -> bool:
        """Write a part if its record is still `old`. Returns whether it was."""
        if old is not None:
            return self._table.write(_replacement(old, new))
        if self._table.write(_replacement(None, new)):
            return True
        # An expired record counts as none.
        item = self._table.get(part_key(new.arn, new.owner))
        expired = _part(item) if item is not None else None
        if expired is None or not is_expired(expired, self._now()):
            return False
        return self._table.write(_replacement(expired, new))

    def lease(self, arn: str) -> Lease:
        """Return the lease of a configuration."""
        item = self._table.get(_lease_key(arn))
        return Lease(arn) if item is None else _lease(arn, item)

    def take(self, lease: Lease, holder: str, expiry: float, swept: float | None = None) -> Lease | None:
        """Take a free lease, unless somebody was faster. Returns the lease that is held.

        `holder` is unique. `swept` is the time of the sweep that takes it.
        """
        taken = lease._replace(epoch=lease.epoch + 1, holder=holder, expiry=expiry, swept=swept or lease.swept)
        changes: dict[str, Value | None] = {"epoch": taken.epoch, "holder": holder, "expiry": expiry}
        if swept is not None:
            changes["swept"] = swept
        is_taken = self._table.write(Write(_lease_key(lease.arn), changes, {"epoch": lease.epoch or None}))
        return taken if is_taken else None

    def mark_dirty(self, lease: Lease, digest: str, waiting: int) -> None:
        """Record that a content with this digest is about to be written. Raises LeaseLost."""
        expires = math.ceil(self._now() + RECORD_SECONDS)
        digest_key = _lease_key(lease.arn)._replace(sort=f"{_DIGEST}{digest}")
        self._table.write(Write(digest_key, {EXPIRES: expires}, {}))
        self._write_as_holder(lease, {"dirty": True, "waiting": waiting})

    def use_token(self, arn: str, request_id: str) -> bool:
        """Record that a write uses a request's ID as its client token. Returns whether it is the first one to do so."""
        key = _lease_key(arn)._replace(sort=f"{_TOKEN}{request_id}")
        return self._table.write(Write(key, {EXPIRES: math.ceil(self._now() + RECORD_SECONDS)}, {EXPIRES: None}))

    def settle(self, lease: Lease, settled: Sequence[tuple[Part, Part]]) -> bool:
        """Replace records, each unless it has changed. Raises LeaseLost if the lease has another holder.

        Returns whether all of them were replaced.

        The records are in transactions of at most 99 parts. If the condition of a part fails, because its request
        withdrew it or a newer one replaced it, the transaction is repeated without it.
        """
        is_complete = True
        for batch in _batches(settled):
            remaining = batch
            while remaining:
                check = Write(_lease_key(lease.arn), {}, _is_held(lease))
                failed = self._table.transact([check, *(_replacement(old, new) for old, new in remaining)])
                if 0 in failed:
                    raise LeaseLost
                if not failed:
                    break
                is_complete = False
                remaining = [pair for index, pair in enumerate(remaining, 1) if index not in failed]
        return is_complete

    def release(self, lease: Lease, *, is_clean: bool) -> None:
        """Release a lease. If it is clean, clear the dirty flag. Does nothing if the lease has another holder."""
        changes: dict[str, Value | None] = {"holder": None, "expiry": None}
        if is_clean:
            changes["dirty"] = None
        self._table.write(Write(_lease_key(lease.arn), changes, _is_held(lease)))

    def digests(self, arn: str) -> frozenset[str]:
        """Return the digests of the last day's writes."""
        items = (item for item in self._table.query(_lease_key(arn).partition) if str(item["sk"]).startswith(_DIGEST))
        now = self._now()
        return frozenset(str(item["sk"]).removeprefix(_DIGEST) for item in items if _number(item, EXPIRES) > now)

    def summaries(self) -> list[Summary]:
        """Return a summary of each configuration with records, the one first that was swept longest ago."""
        leases: dict[str, Lease] = {}
        waiting: set[str] = set()
        arns: set[str] = set()
        for item in self._table.scan(("epoch", "holder", "expiry", "dirty", "waiting", "swept", "newcomer")):
            partition, sort = str(item["pk"]), str(item["sk"])
            if sort == _LEASE:
                arn = partition.removeprefix(_LEASE_PARTITION)
                leases[arn] = _lease(arn, item)
            elif sort.startswith(_PART):
                arns.add(partition)
                waiting |= {partition} if item.get("newcomer") else set()
        found = [Summary(leases.get(arn, Lease(arn)), arn in waiting) for arn in arns]
        return sorted(found, key=lambda one: (one.lease.swept, one.lease.arn))

    def _write_as_holder(self, lease: Lease, changes: Mapping[str, Value | None]) -> None:
        if not self._table.write(Write(_lease_key(lease.arn), changes, _is_held(lease))):
            raise LeaseLost


_LEASE_PARTITION: Final = f"{_LEASE}#"


def part_key(arn: str, owner: Owner) -> Key:
    """Return the key of a part's item."""
    return Key(arn, f"{_PART}{owner.stack_id}#{owner.logical_id}")


def _lease_key(arn: str) -> Key:
    return Key(f"{_LEASE_PARTITION}{arn}", _LEASE)


def _is_held(lease: Lease) -> dict[str, Value | None]:
    return {"epoch": lease.epoch, "holder": lease.holder}


def _lease(arn: str, item: Item) -> Lease:
    return Lease(
        arn,
        epoch=int(_number(item, "epoch")),
        holder=str(item.get("holder", "")),
        expiry=_number(item, "expiry"),
        is_dirty=bool(item.get("dirty")),
        waiting=int(_number(item, "waiting")),
        swept=_number(item, "swept"),
    )


def _batches(settled: Sequence[tuple[Part, Part]]) -> Iterator[list[tuple[Part, Part]]]:
    """Yield as many records at a time as fit into a transaction, besides the lease's."""
    batch: list[tuple[Part, Part]] = []
    size = 0
    for old, new in settled:
        larger = max(old.size, new.size) * 4 // 3
        if batch and (len(batch) == MAX_TRANSACTION - 1 or size + larger > MAX_TRANSACTION_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((old, new))
        size += larger
    if batch:
        yield batch


def _replacement(old: Part | None, new: Part) -> Write:
    """Return the write that replaces a record.

    The version covers the whole record: the revision, and whether the proposal is still there.
    """
    before = _attributes(old) if old is not None else {}
    after = _attributes(new._replace(version=old.version + 1 if old is not None else 1))
    changes = {name: after.get(name) for name in {*before, *after} if before.get(name) != after.get(name)}
    return Write(part_key(new.arn, new.owner), changes, {"version": old.version if old is not None else None})


_FLAGS: Final = {
    "adopting": "is_adoption",
    "deletion": "is_deletion",
    "owning": "is_owner",
    "removing": "is_removing",
    "retained": "is_retained",
    "rolled_back": "is_rolled_back",
}
"""Attributes that are absent if they are false -> fields of Part."""
_TEXTS: Final = ("rejection", "token", "call", "physical_id", "role")
_BODIES: Final = ("accepted", "proposed", "previous")


def _attributes(part: Part) -> dict[str, Value]:
    return {name: value for name, value in _optional_attributes(part).items() if value is not None}


def _optional_attributes(part: Part) -> dict[str, Value | None]:
    fields: dict[str, Any] = part._asdict()
    return {
        "stack": part.owner.stack_id,
        "logical": part.owner.logical_id,
        "date": part.revision.date,
        "request": part.revision.request_id,
        "seen": json.dumps(part.seen),
        "created": part.created,
        "end": part.end,
        "rank": part.rank or None,
        "version": part.version,
        "newcomer": part.is_newcomer or None,
        EXPIRES: None if part.expires is None else math.ceil(part.expires),
        **{name: fields[field] or None for name, field in _FLAGS.items()},
        **{name: fields[name] or None for name in _TEXTS},
        **{name: fields[name] for name in _BODIES},
    }


def _part(item: Item) -> Part:
    fields: dict[str, Any] = {
        **{field: bool(item.get(name)) for name, field in _FLAGS.items()},
        **{name: str(item.get(name, "")) for name in _TEXTS},
        **{name: item.get(name) for name in _BODIES},
    }
    return Part(
        arn=str(item["pk"]),
        owner=Owner(str(item["stack"]), str(item["logical"])),
        revision=Revision(_number(item, "date"), str(item["request"])),
        seen=tuple(json.loads(str(item["seen"]))),
        created=_number(item, "created"),
        end=_number(item, "end"),
        rank=int(_number(item, "rank")),
        expires=_number(item, EXPIRES) if EXPIRES in item else None,
        version=int(_number(item, "version")),
        **fields,
    )


def _number(item: Item, name: str) -> float:
    value = item.get(name, 0)
    assert isinstance(value, (int, float)), "DynamoDB numbers"
    return value
