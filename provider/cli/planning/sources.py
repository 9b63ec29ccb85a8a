"""Account sources in a plan, which reads neither Organizations nor SSM."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...schema.account_sources import Source, find_sources, findings_once_resolved, with_accounts
from ...schema.expand import Expanded
from ...schema.finding import Finding, Path
from ...schema.rules import Rule
from ..source_values import SourceValues


class PlannedProperties(NamedTuple):
    """The API parameters of both evaluations, with the accounts of their sources as far as they are given.

    An unknown source is an entry of its list: its own text, which differs in `other`. `unknown` are such sources by
    their paths. `findings` are those that the given accounts cause.
    """

    desired: Mapping[str, Any]
    other: Mapping[str, Any]
    unknown: Mapping[Path, Source]
    findings: tuple[Finding, ...]
    lists: frozenset[Path]
    """The paths of the lists that have sources."""
    accounts: Mapping[Path, tuple[str, ...]]
    """What replaces each source, by its path."""
    other_accounts: Mapping[Path, tuple[str, ...]]
    """The same for the other evaluation."""


def with_given_accounts(
    expanded: Expanded, twin: Expanded, values: SourceValues, rules: tuple[Rule, ...]
) -> PlannedProperties:
    """Replace the sources in both evaluations. Raises UserError if the value of a source is invalid."""
    sources = find_sources(expanded.parameters, expanded.schema)
    others = find_sources(twin.parameters, twin.schema)
    unknown = {path: source for path, source in sources.items() if values.accounts(source) is None}
    accounts = _entries(sources, values, str)
    other_accounts = _entries(others, values, lambda source: f"{source}?")
    desired = with_accounts(expanded.parameters, expanded.schema, accounts)
    other = with_accounts(twin.parameters, twin.schema, other_accounts)
    found = () if unknown or not sources else tuple(findings_once_resolved(expanded, desired, rules))
    lists = frozenset(path[:-1] for path in sources)
    return PlannedProperties(desired, other, unknown, found, lists, accounts, other_accounts)


def _entries(
    sources: Mapping[Path, Source], values: SourceValues, entry: Callable[[Source], str]
) -> dict[Path, tuple[str, ...]]:
    return {path: values.accounts(source) or (entry(source),) for path, source in sources.items()}
