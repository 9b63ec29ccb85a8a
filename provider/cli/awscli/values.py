"""Parses values on the command line: files, JSON, YAML, shorthand, and plain text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command_errors import InvalidParameterError
from .shorthand import parse
from .text_encoding import FILE_ENCODING, encoding_from

if TYPE_CHECKING:
    from ...schema.model import Schema


def parse_member(given: str | bool | tuple[str, ...], option: str, schema: Schema) -> Any:
    """Parse the value of `option`, for a list the values of its entries.

    Raises InvalidParameterError if it cannot be parsed. The value is not validated.
    """
    if isinstance(given, bool):
        return given
    try:
        if isinstance(given, str):
            return _value(contents(given), schema)
        texts = [contents(text) for text in given]
        if schema.item is None or (len(texts) == 1 and texts[0].lstrip().startswith("[")):
            return _json(texts[0])
        return [_value(text, schema.item) for text in texts]
    except ValueError as error:
        raise _unreadable(option, error) from error


def parse_input(given: str, option: str) -> dict[str, Any]:
    """Parse the value of `option`, which is --cli-input-json or --cli-input-yaml.

    Raises InvalidParameterError if it cannot be parsed.
    """
    from ...schema.validation import describe

    try:
        text = contents(given)
        members = _yaml(text) if option.endswith("yaml") else _json(text)
    except ValueError as error:
        raise _unreadable(option, error) from error
    if not isinstance(members, dict):
        raise InvalidParameterError(
            f"Error parsing parameter '{option}': Invalid type: expecting map, received {describe(members)}"
        )
    return members


def contents(text: str) -> str:
    """The file's content for file://PATH or fileb://PATH, with ~ and variables expanded; else the text itself.

    The encoding of file:// is AWS_CLI_FILE_ENCODING, or else UTF-8. Raises ValueError if the file cannot be read, and
    CommandError if the encoding is unknown.
    """
    scheme, separator, path = text.partition("://")
    if not separator or scheme not in ("file", "fileb"):
        return text
    encoding = (scheme == "file" and encoding_from(FILE_ENCODING)) or "utf-8"
    try:
        return Path(os.path.expandvars(path)).expanduser().read_text(encoding).removeprefix("\ufeff")
    except (OSError, UnicodeError) as error:
        raise ValueError(f"Unable to load paramfile {text}: {error}") from error


def _value(text: str, schema: Schema) -> Any:
    from ...schema.expand import coerce

    if schema.is_scalar:
        return coerce(text, schema)
    return _json(text) if text.lstrip().startswith(("{", "[")) else _typed(parse(text, contents), schema)


def _typed(value: Any, schema: Schema) -> Any:
    """Convert shorthand's strings to the model's types. A single value for a list becomes its only entry."""
    from ...schema.expand import coerce

    if schema.type_name == "list" and schema.item:
        return [_typed(entry, schema.item) for entry in (value if isinstance(value, list) else [value])]
    if not isinstance(value, dict):
        return coerce(value, schema)
    inner = schema.members if schema.type_name == "structure" else dict.fromkeys(value, schema.item)
    return {name: _typed(entry, known) if (known := inner.get(name)) else entry for name, entry in value.items()}


def _json(text: str) -> Any:
    return _load("JSON", json.loads, json.JSONDecodeError, text)


def _yaml(text: str) -> Any:
    from yaml import YAMLError

    from .yaml_1_2 import load

    return _load("YAML", load, YAMLError, text)


def _load(language: str, load: Callable[[str], Any], error_type: type[Exception], text: str) -> Any:
    try:
        return load(text)
    except RecursionError:
        raise ValueError(f"Invalid {language}: it is nested too deeply") from None
    except error_type as error:
        raise ValueError(f"Invalid {language}: {error}\n{language} received: {text}") from error


def _unreadable(option: str, error: ValueError) -> InvalidParameterError:
    return InvalidParameterError(f"Error parsing parameter '{option}': {error}")
