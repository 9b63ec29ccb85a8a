"""Removals of accounts that sources no longer contain. If too many go at once, they are held. Pure."""

from collections.abc import Mapping
from typing import Final

from .parts import Part, pack, unpack

_FREE_REMOVALS: Final = 5
"""Accounts that a source may always lose at once."""


def held_removals(part: Part) -> Mapping[str, list[str]]:
    """Return the accounts that are held, by the `source_id` of their source."""
    return {} if part.held is None else unpack(part.held)


def resolve_anew(part: Part, found: Mapping[str, list[str]], max_removals: float) -> Part:
    """Record the accounts that a sweep found for the sources of the accepted body, by `source_id`.

    Accounts are added at once. Removals of more than `max_removals` percent of one source's accounts, and of more than
    five, are held. Raises ProviderError if the body gets too large.
    """
    body = part.accepted_body()
    if body is None:
        return part
    resolved = dict(body.resolved)
    held: dict[str, list[str]] = {}
    for source, accounts in found.items():
        before = body.resolved.get(source, [])
        removed = sorted({*before} - {*accounts})
        is_held = len(removed) > max(_FREE_REMOVALS, len(before) * max_removals / 100)
        resolved[source] = sorted({*accounts, *(removed if is_held else ())})
        held |= {source: removed} if is_held else {}
    if resolved == body.resolved and held == held_removals(part):
        return part
    return part._replace(accepted=body._replace(resolved=resolved).pack(), held=pack(held) if held else None)


def confirm_removals(part: Part) -> Part:
    """Remove the accounts that are held."""
    body, held = part.accepted_body(), held_removals(part)
    if body is None or not held:
        return part
    remaining = {
        source: [account for account in accounts if account not in held.get(source, ())]
        for source, accounts in body.resolved.items()
    }
    return part._replace(accepted=body._replace(resolved=remaining).pack(), held=None)
