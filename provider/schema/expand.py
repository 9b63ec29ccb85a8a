"""Properties -> API parameters: converts names to the API's, and strings to the schema's types. Never validates."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache, partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .finding import Finding, Path
from .model import HAVE_SOURCES, IGNORED, PROPERTIES, REFUSED, SERVICE_TOKEN, Schema, camel_case, pascal_case

_BOOLEANS = {"true": True, "false": False}
_MAX_DIGITS = 32
"""Far more than any limit of the model allows, and far fewer than Python refuses to convert."""

_SIMILAR = 0.65
"""The least similarity of a known name that is suggested for an unknown one."""
_VERY_SIMILAR = 0.75
"""The same if another structure has a member of the unknown name."""

_MAX_COMPARED = 256
"""Characters. Comparing a longer name takes long, and no known name is similar to it."""
SUGGESTIONS: Final = 20
"""How many unknown names get a suggestion. Finding one takes a hundred times as long as anything else."""
UNKNOWN: Final = "unknown property"
"""The message for an unknown name without a suggestion."""


class _Conversion:
    """The state of one conversion: its checkpoint, and whether it found unknown or duplicate names, and sources."""

    __slots__ = ("checkpoint", "has_invalid_names", "has_sources")

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.has_invalid_names = False
        self.has_sources = False


Convert = Callable[[Any, _Conversion], Any]
"""Converts a value by the user's names."""


class Expanded(NamedTuple):
    """API parameters, and the findings about the *names* in the properties.

    Unknown names are left out. A value that cannot be converted is unchanged; validation reports it.
    `checked` are the parameters to validate: they also have what is beneath misspelled names. `misspelled` has these
    names as written, by their paths in `checked`.
    """

    parameters: dict[str, Any]
    schema: Schema
    checked: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    misspelled: Mapping[Path, str] = MappingProxyType({})
    partition: str = ""
    account: str = ""
    """The partition and the account of the provider's function, if the service token names it."""
    has_sources: bool = False
    """Whether some list contains a source. See `account_sources`."""


def expand(properties: Mapping[str, Any], schema: Schema, checkpoint: Checkpoint = proceed) -> Expanded:
    """Convert resource properties, as CloudFormation delivers them, to parameters by the API's names."""
    given = {name: value for name, value in properties.items() if name not in IGNORED}
    refused = [name for name in given if camel_case(name) in REFUSED]
    findings = [Finding((name,), REFUSED[camel_case(name)], "refused-property") for name in refused]
    for name in refused:
        del given[name]
    conversion = _Conversion(checkpoint)
    parameters = _converter(schema)(given, conversion)
    partition, account = _place_of(properties.get(SERVICE_TOKEN))
    if not conversion.has_invalid_names:
        return Expanded(
            parameters,
            schema,
            parameters,
            tuple(findings),
            partition=partition,
            account=account,
            has_sources=conversion.has_sources,
        )
    checked, check = _converter(schema)(given, conversion), _NameCheck(schema, conversion)
    findings += check.findings(given, schema, (), checked)
    return Expanded(
        parameters, schema, checked, tuple(findings), check.misspelled, partition, account, conversion.has_sources
    )


def _place_of(service_token: object) -> tuple[str, str]:
    parts = service_token.split(":") if isinstance(service_token, str) else []
    return (parts[1], parts[4]) if len(parts) > 5 and parts[2] == "lambda" else ("", "")


def parameters_of(properties: Mapping[str, Any], schema: Schema, checkpoint: Checkpoint = proceed) -> dict[str, Any]:
    """Return the parameters of `expand` without its findings, for properties that the user can no longer correct."""
    parameters: dict[str, Any] = _converter(schema)(dict(properties), _Conversion(checkpoint))
    return parameters


def coerce(value: object, schema: Schema) -> Any:
    """Convert a string to the boolean or integer that `schema` requires. Any other value is unchanged."""
    if isinstance(value, str):
        if schema.type_name == "boolean":
            return _BOOLEANS.get(value.lower(), value)
        if schema.type_name in ("integer", "long") and len(value) <= _MAX_DIGITS and _is_integer(value):
            return int(value)
    return value


def _is_integer(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdecimal()


@cache
def _converter(schema: Schema) -> Convert:
    """Return the function that converts values of a schema. Each is made once."""
    if schema.type_name == "structure":
        return _structure_converter(schema)
    if schema.type_name == "list" and schema.item is not None and schema.item.shape in HAVE_SOURCES:
        return partial(_convert_sources, schema.item)
    if schema.type_name == "string" or (schema.item is not None and schema.item.type_name == "string"):
        return lambda value, _: value
    if schema.item is None:
        return lambda value, _: coerce(value, schema)
    return _collection_converter(schema.type_name, _converter(schema.item))


def _collection_converter(type_name: str, convert: Convert) -> Convert:
    if type_name == "list":
        return lambda value, conversion: (
            [convert(entry, conversion) for entry in paced(value, conversion.checkpoint)]
            if isinstance(value, list)
            else value
        )
    return lambda value, conversion: (
        {key: convert(entry, conversion) for key, entry in paced(value.items(), conversion.checkpoint)}
        if isinstance(value, Mapping)
        else value
    )


def _convert_sources(item: Schema, value: Any, conversion: _Conversion) -> Any:
    """Convert the names in the sources of a list."""
    if not isinstance(value, list) or dict not in map(type, value):
        return value
    conversion.has_sources = True
    return [
        _converter(item.of(entry))(entry, conversion) if isinstance(entry, dict) else entry
        for entry in paced(value, conversion.checkpoint)
    ]


def _structure_converter(schema: Schema) -> Convert:
    converters = {
        spelling: (member, None if schema.members[member].type_name == "string" else _converter(schema.members[member]))
        for spelling, member in schema.spellings.items()
    }

    def convert_structure(value: Any, conversion: _Conversion) -> Any:
        if not isinstance(value, dict):
            return value
        parameters: dict[str, Any] = {}
        for name, entry in value.items():
            member, convert = converters.get(name, _UNKNOWN_MEMBER)
            if member is None or member in parameters:
                conversion.has_invalid_names = True
            else:
                parameters[member] = entry if convert is None else convert(entry, conversion)
        return parameters

    return convert_structure


_UNKNOWN_MEMBER = (None, None)


class Suggestions:
    """Messages for unknown names. The first `SUGGESTIONS` different ones get a suggestion, the others none.

    `root` is the schema of all properties.
    """

    def __init__(self, root: Schema, checkpoint: Checkpoint = proceed) -> None:
        self._root, self._checkpoint = root, checkpoint
        self._messages: dict[tuple[str, Schema], str] = {}

    def message(self, written: str, schema: Schema, spelled: Callable[[str], str] = str) -> str:
        """Return the message for a name that a structure of `schema` does not have. See `unknown`."""
        key = (written, schema)
        if key not in self._messages:
            if len(self._messages) >= SUGGESTIONS:
                return UNKNOWN
            self._checkpoint()
            self._messages[key] = unknown(written, schema, self._root, spelled)
        return self._messages[key]


class _NameCheck:
    """Finds names that are unknown or specified twice. Checks what is beneath a misspelled name like its member's."""

    def __init__(self, root: Schema, conversion: _Conversion) -> None:
        self._root, self._conversion = root, conversion
        self._suggestions = Suggestions(root, conversion.checkpoint)
        self.misspelled: dict[Path, str] = {}

    def findings(self, value: Any, schema: Schema, path: Path, checked: Any) -> Iterator[Finding]:
        """Yield the findings beneath a value. `checked` is the same value by the API's names; it gets corrections."""
        if schema.type_name == "structure" and isinstance(value, dict):
            yield from self._in_structure(value, schema, path, checked)
        elif schema.item and not (schema.item.is_scalar and schema.item.source is None) and _fits(value, schema):
            entries = value.items() if isinstance(value, dict) else [*enumerate(value)]
            for key, entry in paced(entries, self._conversion.checkpoint):
                yield from self.findings(entry, schema.item.of(entry), (*path, key), checked[key])

    def _in_structure(
        self, value: dict[str, Any], schema: Schema, path: Path, checked: dict[str, Any]
    ) -> Iterator[Finding]:
        given: dict[str, str] = {}
        for written, entry in paced(value.items(), self._conversion.checkpoint):
            member = schema.spellings.get(written)
            if member is None:
                message = self._suggestions.message(written, schema)
                yield Finding((*path, written), message, "unknown")
                member = meant(written, schema, self._root) if message != UNKNOWN else None
                if member is None or member in checked or not _fits(entry, schema.members[member]):
                    continue
                checked[member] = _converter(schema.members[member])(entry, self._conversion)
                self.misspelled[*path, member] = written
            elif member in given:
                message = f"specified twice, as {given[member]} and {written}; remove one"
                yield Finding((*path, member), message, "twice")
                continue
            given[member] = written
            yield from self.findings(entry, schema.members[member], (*path, member), checked[member])


def _fits(value: object, schema: Schema) -> bool:
    """Return whether a value is a mapping, a list, or neither, as the schema requires."""
    container = {"structure": dict, "map": dict, "list": list}.get(schema.type_name)
    return isinstance(value, container) if container else not isinstance(value, (dict, list))


def unknown(written: str, schema: Schema, root: Schema, spelled: Callable[[str], str] = str) -> str:
    """Return the message for a name that a structure of `schema` does not have, with a suggestion.

    `root` is the schema of all properties. `spelled` spells a suggested name.
    """
    if parent := _parent(written, schema):
        suggestion = f"it belongs in {spelled(parent)}"
    elif similar := _similar_name(written, schema, root):
        suggestion = f"did you mean {spelled(similar)}?"
    elif (path := _path_elsewhere(written, root)) is not None:
        suggestion = f"it belongs {f'in {path}' if path else 'at the top level'}"
    else:
        names = dict.fromkeys(spelled(_case_of(written)(member)) for member in schema.members)
        suggestion = f"valid properties are {', '.join(names)}"
    return f"{UNKNOWN}; {suggestion}"


def meant(written: str, schema: Schema, root: Schema) -> str | None:
    """Return the member of a structure of which an unknown name is a misspelling; None if it is of none."""
    return None if _parent(written, schema) else schema.spellings.get(_similar_name(written, schema, root))


def _parent(written: str, schema: Schema) -> str | None:
    """Return the member of a structure that has, itself or in its entries, a member of this name."""
    for member, inner in schema.members.items():
        if written in _entry_of(inner).spellings:
            return _case_of(written)(member)
    return None


def _entry_of(schema: Schema) -> Schema:
    """Return the schema of a list's entries, which can be that of a source; otherwise, the schema itself."""
    return (schema.item.source or schema.item) if schema.type_name == "list" and schema.item else schema


def _path_elsewhere(written: str, root: Schema) -> str | None:
    """Return the first path, breadth first, to a structure that has a member of this name.

    The root, "", is the last: a name that is also used below is more likely to be meant there.
    """
    paths = [("", root)]
    for path, schema in paths:
        if path and written in schema.spellings:
            return path
        for member, inner in schema.members.items():
            structure = _entry_of(inner)
            name = f"{_case_of(written)(member)}{'' if structure is inner else '[]'}"
            paths.append((f"{path}.{name}" if path else name, structure))
    return "" if written in root.spellings else None


def _case_of(written: str) -> Callable[[str], str]:
    """Return the function that spells a member's name in the letter case of another name."""
    return camel_case if written[:1].islower() else pascal_case


@lru_cache(maxsize=64)
def _similar_name(written: str, schema: Schema, root: Schema) -> str:
    """Return the most similar name in a structure of `schema`, in the case of `written`; empty if none is similar."""
    from difflib import SequenceMatcher  # only a misspelling needs it

    if len(written) > _MAX_COMPARED:
        return ""
    lower = written.lower()

    def similarity(name: str) -> float:
        known = name.lower()
        ratio = SequenceMatcher(None, lower, known).ratio()
        return (1 + ratio) / 2 if lower in known or known in lower else ratio

    names = [_case_of(written)(name) for name in schema.spellings]
    most_similar = max([*names, *sorted(IGNORED)] if schema.shape == PROPERTIES else names, key=similarity)
    required = _SIMILAR if _path_elsewhere(written, root) is None else _VERY_SIMILAR
    return most_similar if similarity(most_similar) >= required else ""
