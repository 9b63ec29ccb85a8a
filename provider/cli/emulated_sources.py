"""Account sources on this machine: with the accounts that --resolve gives, or with placeholders."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from ..emulator.source_emulator import SourceEmulator
from ..schema.account_sources import Source, find_sources, with_accounts
from ..schema.check import validate_properties
from ..schema.expand import expand
from ..schema.finding import Severity
from ..schema.model import Schema
from ..schema.rules import Rule
from .source_values import SourceValues


class EmulatedSources:
    """The sources of a rehearsed stack. `note` reports each placeholder once."""

    def __init__(self, emulator: SourceEmulator, values: SourceValues, note: Callable[[str], object]) -> None:
        self._emulator, self._values, self._note = emulator, values, note

    def seed(self, properties: Mapping[str, Any], schema: Schema, rules: tuple[Rule, ...] = ()) -> None:
        """Emulate the sources in valid properties. Raises UserError if the value of one is invalid."""
        expanded = expand(properties, schema)
        if not expanded.has_sources:
            return
        if any(one.severity is Severity.ERROR for one in validate_properties(expanded, rules)):
            return  # the function reports this, and reads no source
        for source in find_sources(expanded.parameters, schema).values():
            self._seed(source)

    def resolved(self, parameters: Mapping[str, Any], schema: Schema) -> Mapping[str, Any]:
        """The API parameters with the accounts of their sources, which were emulated before."""
        found = find_sources(parameters, schema)
        accounts = {path: {*self._emulator.accounts[one.id]} - one.exceptions for path, one in found.items()}
        return with_accounts(parameters, schema, accounts)

    def _seed(self, source: Source) -> None:
        accounts = self._values.given(source)
        if accounts is not None:
            self._emulator.accounts[source.id] = accounts
        elif source.id not in self._emulator.accounts:
            placeholder = f"{int(sha256(source.id.encode()).hexdigest(), 16) % 10**12:012}"
            self._emulator.accounts[source.id] = [placeholder]
            self._note(f"the accounts of {source} are assumed to be {placeholder}")


@contextmanager
def emulated_sources(values: SourceValues, note: Callable[[str], object]) -> Iterator[EmulatedSources]:
    """Emulate Organizations and SSM, and direct this process to the emulator."""
    with SourceEmulator() as emulator:
        os.environ.update(emulator.environment())
        yield EmulatedSources(emulator, values, note)
