"""The account sources of recorded resources: resolved by a request, or anew by a sweep.

This module is loaded only for bodies with sources, and by sweeps.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import ProviderError
from ..schema.account_sources import Source, source_entries
from ..schema.model import distribution_configuration
from .combine import account_of
from .merge import effective, judge, named
from .parts import Body, Part, recorded, source_id
from .removals import held_removals, limited, resolve_anew

if TYPE_CHECKING:
    from ..observability import Logger
    from ..schema.finding import Path

    Resolve = Callable[[float], Mapping[Path, tuple[str, ...]]]
    """Returns the accounts of a request's sources, by their paths in its properties. Raises ProviderError.

    The argument is the share of the request's remaining time that it may take.
    """

_SHARE: Final = 0.5
"""The share of a rollback's time for resolving sources, because it can succeed without."""


def resolved(
    body: Body, part: Part | None, resolve: "Resolve", max_removals: float, log: "Logger", *, is_update: bool
) -> Body:
    """Return a request's body with the accounts of its sources. `part` is the record before the request.

    An Update to the properties of the accepted body, or of the one before it, is a rollback. It confirms no held
    removals, and if a source cannot be resolved, the recorded accounts count. Raises ProviderError for any other
    request.
    """
    known = recorded(part, body.properties) if is_update and part is not None else None
    try:
        accounts = resolve(1.0 if known is None else _SHARE)
    except ProviderError as error:
        if part is None or known is None:
            raise
        log.warning(
            "account sources could not be resolved", arn=part.arn, used="the recorded accounts", answer=str(error)
        )
        return _as_recorded(body, part, known)
    entries = source_entries(body.wanted, distribution_configuration())
    found = {source_id(entry): [*accounts[path]] for path, entry in entries}
    if known is None:
        return body._replace(resolved=found)
    counting, held = limited(known, found, max_removals)
    return body._replace(resolved=counting, held=held)


def _as_recorded(body: Body, part: Part, known: Mapping[str, list[str]]) -> Body:
    """Return a body with the recorded accounts of its sources, and the removals that are held."""
    held = {source: removed for source, removed in held_removals(part).items() if source in known}
    return body._replace(resolved=known, held=held)


class Refreshed(NamedTuple):
    """What a sweep found: the records to replace, and why some sources could not be resolved."""

    changes: tuple[tuple[Part, Part], ...] = ()
    problems: tuple[str, ...] = ()


class Refresh:
    """Resolves the sources of accepted bodies that count anew.

    `read` returns the accounts of a source, or raises ProviderError. `has_time` returns whether to read more sources.
    Each source is read once. One that cannot be resolved, or whose new accounts do not fit, keeps its accounts.
    """

    def __init__(
        self,
        read: Callable[[Source], tuple[str, ...]],
        max_removals: float,
        has_time: Callable[[], bool] = lambda: True,
    ) -> None:
        self._read, self._max_removals, self.has_time = read, max_removals, has_time
        self._results: dict[Source, tuple[str, ...] | ProviderError] = {}

    def has_read(self, parts: list[Part]) -> bool:
        """Return whether all sources of the parts that count have been read."""
        return all(source in self._results for part in effective(parts) for source in _sources(part).values())

    def read(self, parts: list[Part]) -> None:
        """Read the sources of the parts that count, unless they have been read."""
        for source in (source for part in effective(parts) for source in _sources(part).values()):
            if source not in self._results:
                self._results[source] = self._result(source)

    def __call__(self, parts: list[Part]) -> Refreshed:
        """Return what changes of the parts of a configuration, whose sources have been read."""
        problems: dict[str, None] = {}
        changes = []
        for part in effective(parts):
            found: dict[str, list[str]] = {}
            for key, source in _sources(part).items():
                result = self._results[source]
                if isinstance(result, ProviderError):
                    problems[f"{source} could not be resolved, so its last accounts stay in effect: {result}"] = None
                else:
                    found[key] = [*result]
            new = resolve_anew(part, found, self._max_removals)
            if new is not part:
                changes.append((part, new))
        return _fitting(parts, Refreshed(tuple(changes), tuple(problems)))

    def _result(self, source: Source) -> tuple[str, ...] | ProviderError:
        try:
            return self._read(source)
        except ProviderError as error:
            return error


def _fitting(parts: list[Part], refreshed: Refreshed) -> Refreshed:
    """Leave out the changes that conflict with other parts, or exceed a limit of the service."""
    newcomers = [
        old._replace(proposed=new.accepted, is_removing=False, is_retained=False) for old, new in refreshed.changes
    ]
    if not newcomers:
        return refreshed
    rejected = judge(parts, newcomers, account_of(parts[0].arn)).rejected
    problems = (
        f"the new accounts of {named(owner)} do not fit, so its last accounts stay in effect: {reason}"
        for owner, reason in rejected.items()
    )
    changes = tuple(change for change in refreshed.changes if change[0].owner not in rejected)
    return Refreshed(changes, (*refreshed.problems, *problems))


def _sources(part: Part) -> dict[str, Source]:
    """Return the sources of the accepted body, by `source_id`."""
    body = part.accepted_body()
    if body is None or not body.resolved:
        return {}
    entries = source_entries(body.wanted, distribution_configuration())
    return {source_id(entry): Source.of(entry) for _, entry in entries}
