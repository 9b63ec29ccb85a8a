"""Sources in lists of account IDs: an organizational unit or an SSM parameter, resolved to accounts by the caller.

Pure: `find_sources` returns the sources in parameters, and `with_accounts` replaces them with what they resolved to.
This module is loaded only for lists that contain sources.
"""

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from .check import findings
from .checkpoint import Checkpoint, paced, proceed
from .expand import Expanded
from .finding import Finding, Path
from .model import VARIANTS, Schema, pascal_case
from .rules import Rule

ORGANIZATIONAL_UNIT: Final = "organizationalUnit"
EXCEPT: Final = "except"
PARAMETER: Final = "parameter"

_ACCOUNT_ID: Final = Schema("string", "ExceptedAccountId", pattern="^[0-9]{12}$")

ACCOUNT_SOURCE: Final = Schema(
    type_name="structure",
    shape="AccountSource",
    members={
        ORGANIZATIONAL_UNIT: Schema(
            "string", "ParentId", pattern="^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$"
        ),
        EXCEPT: Schema("list", "ExceptedAccountList", minimum=1, item=_ACCOUNT_ID),
        PARAMETER: Schema(
            "string",
            "PSParameterName",
            minimum=1,
            maximum=2048,
            pattern=r"^(arn:aws[^:]*:ssm:[^:]+:[0-9]{12}:parameter/)?[a-zA-Z0-9_.\-/]+(:[a-zA-Z0-9_.\-]+)?$",
        ),
    },
)
"""The schema of a source. The patterns are those of Organizations and SSM, in forms that match a whole ID or name."""


_VARIANTS: Final = VARIANTS[ACCOUNT_SOURCE.shape]


def is_variant(value: Mapping[str, Any]) -> bool:
    """Return whether the members of a source are those of one variant."""
    return any(first in value and value.keys() <= {first, *others} for first, *others in _VARIANTS)


def explain_variants(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield why the members of a source are not those of one variant, each with a path below the source."""
    firsts = [first for first, *_ in _VARIANTS]
    given = [first for first in firsts if first in value]
    if len(given) != 1:
        choice = " or ".join(map(pascal_case, firsts))
        yield (), f"specify either {choice}{', not both' if given else ''}"
    for first, *others in _VARIANTS:
        if first not in given:
            yield from (((name,), f"is valid only with {pascal_case(first)}") for name in others if name in value)


def certain_entries(value: list[Any]) -> list[Any]:
    """Return a list as it is at least, once resolved: its different account IDs, or one entry if all are sources.

    A list without sources is unchanged.
    """
    if not any(isinstance(entry, Mapping) for entry in value):
        return value
    others = [entry for entry in value if not isinstance(entry, Mapping)]
    return [*{repr(entry): entry for entry in others}.values()] or value[:1]


class Source(NamedTuple):
    """One source. `member` says what `id` identifies: `ORGANIZATIONAL_UNIT`, or an SSM `PARAMETER`.

    `exceptions` are the accounts that are left out of it.
    """

    member: str
    id: str
    exceptions: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Return the source for messages: `OrganizationalUnit ou-ab12-11111111`."""
        return f"{pascal_case(self.member)} {self.id}"

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Source":
        """Return the source that a valid entry of a list describes."""
        member = next(first for first, *_ in _VARIANTS if first in entry)
        return cls(member, entry[member], frozenset(entry.get(EXCEPT, ())))


def find_sources(parameters: Any, schema: Schema, checkpoint: Checkpoint = proceed) -> dict[Path, Source]:
    """Return the sources in valid parameters by their paths, in the order of the paths."""
    return {path: Source.of(entry) for path, entry in source_entries(parameters, schema, checkpoint)}


def source_entries(
    value: Any, schema: Schema, checkpoint: Checkpoint = proceed
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the path and the content of each source in a value, which need not be valid."""
    for path, entries in sourced_lists(value, schema, (), checkpoint):
        yield from (((*path, index), entry) for index, entry in enumerate(entries) if isinstance(entry, Mapping))


def sourced_lists(
    value: Any, schema: Schema, path: Path = (), checkpoint: Checkpoint = proceed
) -> Iterator[tuple[Path, list[Any]]]:
    """Yield the path and the content of each list with sources in a value, which need not be valid."""
    if schema.type_name == "list" and schema.item is not None and schema.item.source is not None:
        if isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value):
            yield path, value
        return
    for key, entry, inner in paced(_below(value, schema), checkpoint):
        yield from sourced_lists(entry, inner, (*path, key), checkpoint)


def _below(value: Any, schema: Schema) -> list[tuple[str | int, Any, Schema]]:
    """Return the members of a structure, or the entries of a list of structures, each with its key and schema."""
    if schema.type_name == "structure" and isinstance(value, Mapping):
        return [(name, entry, schema.members[name]) for name, entry in value.items() if name in schema.members]
    if schema.type_name == "list" and isinstance(value, list) and schema.item is not None and not schema.item.is_scalar:
        return [(index, entry, schema.item) for index, entry in enumerate(value)]
    return []


def with_accounts(
    parameters: Mapping[str, Any], schema: Schema, accounts: Mapping[Path, Collection[str]]
) -> dict[str, Any]:
    """Return parameters with the accounts of each source, by its path, in place of the source.

    A list that had sources is sorted and has no duplicates. Raises KeyError if `accounts` lacks a source.
    """
    replaced = copy.deepcopy(dict(parameters))
    for path, entries in sourced_lists(replaced, schema):
        found = [(entry,) if isinstance(entry, str) else accounts[*path, i] for i, entry in enumerate(entries)]
        entries[:] = sorted({account for some in found for account in some})
    return replaced


def findings_once_resolved(
    expanded: Expanded, parameters: dict[str, Any], rules: tuple[Rule, ...], checkpoint: Checkpoint = proceed
) -> Iterator[Finding]:
    """Yield the findings about parameters whose sources are resolved, without those about `expanded`, as given."""
    reported = {*findings(expanded, rules, checkpoint)}
    resolved = expanded._replace(parameters=parameters, checked=parameters, findings=(), has_sources=False)
    yield from (finding for finding in findings(resolved, rules, checkpoint) if finding not in reported)
