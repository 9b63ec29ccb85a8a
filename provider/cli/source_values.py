"""The accounts of sources as --resolve gives them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .files import UserError, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..schema.account_sources import Source

_FILE: Final = "file://"
_SEPARATORS: Final = re.compile(r'[\s,\[\]"]+')
"""Also those of a JSON list, as the AWS CLI prints it."""
_ACCOUNT_ID: Final = re.compile("[0-9]{12}", re.ASCII)


class SourceValues:
    """The accounts of sources, given as text by the ID or the name of each source."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given
        self._recorded: Mapping[Source, Sequence[str]] = {}

    def with_recorded(self, recorded: Mapping[Source, Sequence[str]]) -> SourceValues:
        """The same, with the accounts that the ledger records for the sources of a resource and that are not given."""
        found = SourceValues(self._given)
        found._recorded = recorded
        return found

    def given(self, source: Source) -> list[str] | None:
        """The accounts before any are left out; None if none are given.

        Raises UserError if the given value is not a list of account IDs.
        """
        return _accounts(source.id, self._given[source.id]) if source.id in self._given else None

    def accounts(self, source: Source) -> tuple[str, ...] | None:
        """The accounts of a source, sorted; None if they are neither given nor recorded.

        Raises UserError if the given value is not a list of account IDs, or if Except leaves none.
        """
        given = self.given(source)
        if given is None:
            return tuple(sorted(self._recorded[source])) if source in self._recorded else None
        found = {*given} - source.exceptions
        if not found:
            raise UserError(f"--resolve {source.id}: no account is left without those in Except")
        return tuple(sorted(found))


def _accounts(name: str, value: str) -> list[str]:
    """The account IDs in a value, or in the file that it names."""
    text = value
    if value.startswith(_FILE):
        text = read_bytes(Path(value.removeprefix(_FILE))).decode("utf-8", "replace")
    entries = [entry for entry in _SEPARATORS.split(text) if entry]
    invalid = [entry for entry in entries if not _ACCOUNT_ID.fullmatch(entry)]
    if invalid or not entries:
        problem = f"{invalid[0]!r} is not an account ID" if invalid else "there is no account ID"
        raise UserError(
            f"--resolve {name}: {problem}. The value is account IDs with commas between them, or {_FILE}FILE"
        )
    return entries
