"""The tags that mark a configuration as shared. They keep a provider without the ledger's records from changing it."""

from typing import TYPE_CHECKING

from ..plan import Configuration, PutTags, RemoveTags, Step, Target, WriteResult
from ..resources.ownership import SHARED_TAG, Owner, State, is_shared, shared_tags, without_shared

if TYPE_CHECKING:
    from ..errors import ProviderError
    from ..resources.interface import Adapter
    from .claims import Content
    from .store import Store


class RecordedAdapter:
    """An adapter that does not show the mark of configurations whose owner is recorded. `shared` are their ARNs.

    `settled` has contents to show instead of the live ones, by ARN: only the holder of a lease changes content, so what
    others write after this request was settled is not this request's concern.
    """

    def __init__(self, adapter: "Adapter", store: "Store") -> None:
        self._adapter, self._store = adapter, store
        self.shared: set[str] = set()
        self.settled: dict[str, Content] = {}

    @property
    def not_found(self) -> "ProviderError | None":
        """The API's last error about a configuration that does not exist."""
        return self._adapter.not_found

    @not_found.setter
    def not_found(self, error: "ProviderError | None") -> None:
        self._adapter.not_found = error

    def arn(self, target: Target) -> str:
        return self._adapter.arn(target)

    def read(self, target: Target) -> Configuration | None:
        live = self._adapter.read(target)
        if live is None:
            return None
        live = live._replace(content=self.settled.get(live.arn, live.content))
        if not is_shared(live.tags) or not self._is_recorded(live.arn):
            return live
        self.shared.add(live.arn)
        return live._replace(tags=without_shared(live.tags))

    def execute(self, step: Step, token: str) -> WriteResult:
        return self._adapter.execute(step, token)

    def _is_recorded(self, arn: str) -> bool:
        # A proposal counts: it is recorded only after a preview, and a killed request may have set the mark.
        return any(part.is_owner and part.is_live for part in self._store.parts(arn))


def marking_steps(live: Configuration, owner: Owner | None) -> tuple[Step, ...]:
    """Return the steps that mark a configuration as shared by an owner, or without one, as not shared.

    `live` shows the mark.
    """
    wanted = without_shared(live.tags)
    if owner is not None:
        is_owned = owner.state_of(wanted) in (State.HANDED_OVER, State.UNFINISHED)
        wanted |= shared_tags(wanted, is_owned=is_owned)
    changed = {key: value for key, value in wanted.items() if live.tags.get(key) != value}
    put: tuple[Step, ...] = (PutTags(live.arn, changed),) if changed else ()
    is_removed = SHARED_TAG in live.tags and SHARED_TAG not in wanted
    return (*put, *((RemoveTags(live.arn, (SHARED_TAG,)),) if is_removed else ()))
