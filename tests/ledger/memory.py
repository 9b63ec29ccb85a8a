"""An in-memory table with the semantics of DynamoDB's conditional writes."""

import threading
from collections.abc import Iterator, Sequence

from provider.ledger.table import EXPIRES, Item, Key, Value, Write


class MemoryTable:
    """A table in memory. `calls` counts the operations by name."""

    def __init__(self) -> None:
        self.items: dict[Key, dict[str, Value]] = {}
        self.calls: dict[str, int] = {}
        self._lock = threading.RLock()

    def get(self, key: Key) -> Item | None:
        with self._called("get"):
            item = self.items.get(key)
            return None if item is None else {**item, "pk": key.partition, "sk": key.sort}

    def query(self, partition: str) -> Iterator[Item]:
        with self._called("query"):
            found = sorted(key for key in self.items if key.partition == partition)
            return iter([{**self.items[key], "pk": key.partition, "sk": key.sort} for key in found])

    def scan(self, attributes: Sequence[str]) -> Iterator[Item]:
        with self._called("scan"):
            return iter(
                [
                    {**{name: item[name] for name in attributes if name in item}, "pk": key.partition, "sk": key.sort}
                    for key, item in self.items.items()
                ]
            )

    def write(self, write: Write) -> bool:
        with self._called("write"):
            if not self._is_met(write):
                return False
            self._apply(write)
            return True

    def transact(self, writes: Sequence[Write]) -> frozenset[int]:
        with self._called("transact"):
            assert len(writes) <= 100
            assert len({write.key for write in writes}) == len(writes)
            failed = frozenset(index for index, write in enumerate(writes) if not self._is_met(write))
            for write in () if failed else writes:
                self._apply(write)
            return failed

    def expire(self, now: float) -> None:
        """Delete expired items, as DynamoDB does some time."""
        with self._lock:
            for key in [key for key, item in self.items.items() if float(item.get(EXPIRES, now + 1)) <= now]:
                del self.items[key]

    def _is_met(self, write: Write) -> bool:
        item = self.items.get(write.key, {})
        return all(item.get(name) == value for name, value in write.expected.items())

    def _apply(self, write: Write) -> None:
        if not write.changes:
            return
        item = self.items.setdefault(write.key, {})
        for name, value in write.changes.items():
            if value is None:
                item.pop(name, None)
            else:
                item[name] = value

    def _called(self, name: str) -> threading.RLock:
        with self._lock:
            self.calls[name] = self.calls.get(name, 0) + 1
        return self._lock
