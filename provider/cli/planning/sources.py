"""Account sources in a plan, which reads neither Organizations nor SSM."""

from collections.abc import Callable, Collection, Mapping
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


def with_given_accounts(
    expanded: Expanded, twin: Expanded, values: SourceValues, rules: tuple[Rule, ...]
) -> PlannedProperties:
    """Replace the sources in both evaluations. Raises UserError if the value of a source is invalid."""
    sources = find_sources(expanded.parameters, expanded.schema)
    unknown = {path: source for path, source in sources.items() if values.accounts(source) is None}
    desired = _replaced(expanded, sources, values, str)
    other = _replaced(twin, find_sources(twin.parameters, twin.schema), values, lambda source: f"{source}?")
    found = () if unknown or not sources else tuple(findings_once_resolved(expanded, desired, rules))
    return PlannedProperties(desired, other, unknown, found, frozenset(path[:-1] for path in sources))


def _replaced(
    expanded: Expanded, sources: Mapping[Path, Source], values: SourceValues, entry: Callable[[Source], str]
) -> dict[str, Any]:
    accounts: dict[Path, Collection[str]] = {
        path: values.accounts(source) or (entry(source),) for path, source in sources.items()
    }
    return with_accounts(expanded.parameters, expanded.schema, accounts)
