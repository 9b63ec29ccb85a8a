"""The paths at which an owner allows the parts of others: `Contributions`."""

from collections.abc import Sequence
from typing import NamedTuple

from ..schema.merging import Members, merge_keys
from .claims import PRESENT, Claim, Claims, Key, Path, members, path_text, schema_at


class Breach(NamedTuple):
    """A claim that an owner does not allow. `is_missing` is whether the owner lacks the entry that leads to it."""

    path: Path
    is_missing: bool = False


def is_allowed(path: Path, allowed: Sequence[Members]) -> bool:
    """Return whether a path is at or beneath one of the allowed ones."""
    names = members(path)
    return any(names[: len(each)] == each for each in allowed)


def breaches(claims: Claims, owner: Claims, allowed: Sequence[Members]) -> list[Breach]:
    """Return what an owner does not allow of a part's claims. `owner` are the owner's own claims.

    Outside the allowed paths, a part has only the containers and the keys that lead to them, and the owner must have
    the entries with these keys. A scalar there is not allowed, even if the owner has an equal value. Containers and
    keys are not reported if a value is.
    """
    values: dict[Path, Breach] = {}
    structure: dict[Path, Breach] = {}
    for path, claim in claims.items():
        if claim.is_implied or is_allowed(path, allowed):
            continue
        if not _is_structure(path, claim):
            place = path[:-1] if isinstance(path[-1], Key) else path
            values[place] = Breach(place)
        elif not _leads_to_allowed(path, allowed):
            structure[path] = Breach(path)
        elif isinstance(path[-1], Key) and path not in owner:
            values[path] = Breach(path, is_missing=True)
    return [*(values or structure).values()]


def is_key(path: Path) -> bool:
    """Return whether the value at a path is a key of its entry."""
    if len(path) < 2 or not isinstance(path[-2], Key) or isinstance(path[-1], Key):
        return False
    *parent, name = members(path)
    return name in merge_keys(schema_at(tuple(parent)))


def _is_structure(path: Path, claim: Claim) -> bool:
    return claim.value is PRESENT or is_key(path)


def _leads_to_allowed(path: Path, allowed: Sequence[Members]) -> bool:
    names = members(path[:-1] if is_key(path) else path)
    return any(each[: len(names)] == names for each in allowed)


def relevant(claims: Claims, allowed: Sequence[Members]) -> Claims:
    """Return a part's claims without those that are only implied outside the allowed paths."""
    return {path: claim for path, claim in claims.items() if not claim.is_implied or is_allowed(path, allowed)}


def allowed_text(written: Sequence[str]) -> str:
    """Return an owner's paths for messages."""
    return ", ".join(written) if written else "nothing"


def paths_text(paths: Sequence[Path], most: int = 3) -> str:
    """Return the first paths for messages."""
    more = f", and {len(paths) - most} more" if len(paths) > most else ""
    return f"{', '.join(map(path_text, paths[:most]))}{more}"
