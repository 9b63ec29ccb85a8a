"""A copy of the ledger's table, in which the writes of planned requests stay. The table itself is only read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import ProviderError
from ...ledger.table import PARTITION_KEY, SORT_KEY, Item, Key, Write
from .live_state import UnreadableLedgerError

if TYPE_CHECKING:
    from ...ledger.table import Table


_Items = Mapping[str, Item]
"""The items of a partition by their sort keys."""


class LedgerCopy:
    """The partitions of a table that have been read, each once and as a whole. It has the operations of a table."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._read: dict[str, _Items] = {}
        self._partitions: dict[str, dict[str, Item]] = {}

    def get(self, key: Key) -> Item | None:
        """Return an item; None if there is none. Raises UnreadableLedgerError, as the other operations do."""
        return self._partition(key.partition).get(key.sort)

    def query(self, partition: str) -> Iterator[Item]:
        """Yield all items of a partition, in the order of their sort keys."""
        items = self._partition(partition)
        return iter([items[sort] for sort in sorted(items)])

    def scan(self, attributes: Sequence[str]) -> Iterator[Item]:
        """Raise NotImplementedError: no request scans the table."""
        raise NotImplementedError

    def write(self, write: Write) -> bool:
        """Write an item into the copy. Returns whether its condition was met."""
        return not self.transact([write])

    def transact(self, writes: Sequence[Write]) -> frozenset[int]:
        """Write items into the copy, all or none. Returns the indexes of those whose condition failed."""
        failed = frozenset(index for index, write in enumerate(writes) if not self._is_met(write))
        for write in () if failed else writes:
            self._apply(write)
        return failed

    def state(self) -> Mapping[str, _Items]:
        """Return the current content, to which `restore` returns."""
        return {name: dict(items) for name, items in self._partitions.items()}

    def restore(self, state: Mapping[str, _Items]) -> None:
        """Discard the writes since this state."""
        self._partitions = {name: dict(items) for name, items in state.items()}

    def _partition(self, name: str) -> dict[str, Item]:
        if name not in self._read:
            try:
                self._read[name] = {str(item[SORT_KEY]): item for item in self._table.query(name)}
            except ProviderError as error:
                raise UnreadableLedgerError(error.problem) from error
        return self._partitions.setdefault(name, dict(self._read[name]))

    def _is_met(self, write: Write) -> bool:
        item = self._partition(write.key.partition).get(write.key.sort, {})
        return all(item.get(name) == value for name, value in write.expected.items())

    def _apply(self, write: Write) -> None:
        if not write.changes:
            return
        partition, sort = write.key
        items = self._partition(partition)
        item = {**items.get(sort, {PARTITION_KEY: partition, SORT_KEY: sort}), **write.changes}
        items[sort] = {name: value for name, value in item.items() if value is not None}
