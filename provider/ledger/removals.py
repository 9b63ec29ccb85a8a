"""Removals of accounts that sources no longer contain. If too many go at once, they are held. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from .parts import Part

_FREE_REMOVALS: Final = 5
"""Accounts that a source may always lose at once."""

Accounts = Mapping[str, Sequence[str]]
"""Accounts of sources, by `source_id`."""


def held_removals(part: Part) -> Mapping[str, list[str]]:
    """Return the accounts that are held, by the `source_id` of their source."""
    body = part.accepted_body()
    return {} if body is None else body.held


def limited(
    before: Accounts, found: Accounts, max_removals: float
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the accounts that count for the sources in `found`, and those of them that are held.

    Accounts are added at once. Removals of more than `max_removals` percent of one source's accounts, and of more than
    five, are held.
    """
    resolved: dict[str, list[str]] = {}
    held: dict[str, list[str]] = {}
    for source, accounts in found.items():
        known = before.get(source, ())
        removed = sorted({*known} - {*accounts})
        is_held = len(removed) > max(_FREE_REMOVALS, len(known) * max_removals / 100)
        resolved[source] = sorted({*accounts, *(removed if is_held else ())})
        held |= {source: removed} if is_held else {}
    return resolved, held


def resolve_anew(part: Part, found: Accounts, max_removals: float) -> Part:
    """Record the accounts that a sweep found for sources of the accepted body. See `limited`.

    A source that it did not find keeps its accounts. Raises ProviderError if the body gets too large.
    """
    body = part.accepted_body()
    if body is None:
        return part
    counting, newly_held = limited(body.resolved, found, max_removals)
    resolved = {**body.resolved, **counting}
    held = {source: accounts for source, accounts in body.held.items() if source not in found} | newly_held
    if resolved == body.resolved and held == body.held:
        return part
    return part._replace(accepted=body._replace(resolved=resolved, held=held).pack())


def confirm_removals(part: Part) -> Part:
    """Remove the accounts that are held."""
    body = part.accepted_body()
    if body is None or not body.held:
        return part
    remaining = {
        source: [account for account in accounts if account not in body.held.get(source, ())]
        for source, accounts in body.resolved.items()
    }
    return part._replace(accepted=body._replace(resolved=remaining, held={}).pack())
