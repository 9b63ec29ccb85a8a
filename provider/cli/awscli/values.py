"""Parses values on the command line: files, JSON, YAML, shorthand, and plain text."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failure import Invalid
from .shorthand import parse

if TYPE_CHECKING:
    from ...schema.model import Schema


def member_of(given: str | bool | tuple[str, ...], option: str, type_: Schema) -> Any:
    """Parse the value of `option` for a member of `type_`; a list's entries are given one by one.

    Raises Invalid if it cannot be parsed. The value is not validated.
    """
    if isinstance(given, bool):
        return given
    try:
        if isinstance(given, str):
            return _value(contents(given), type_)
        texts = [contents(text) for text in given]
        if type_.item is None or (len(texts) == 1 and texts[0].lstrip().startswith("[")):
            return _json(texts[0])
        return [_value(text, type_.item) for text in texts]
    except ValueError as error:
        raise _unreadable(option, error) from error


def input_of(given: str, option: str) -> dict[str, Any]:
    """The members in the value of `option`: --cli-input-json or --cli-input-yaml.

    Raises Invalid if it cannot be parsed.
    """
    from ...schema.validation import describe

    try:
        text = contents(given)
        members = _yaml(text) if option.endswith("yaml") else _json(text)
    except ValueError as error:
        raise _unreadable(option, error) from error
    if not isinstance(members, dict):
        raise Invalid(f"Error parsing parameter '{option}': Invalid type: expecting map, received {describe(members)}")
    return members


def contents(text: str) -> str:
    """The file's content for file://PATH or fileb://PATH, with ~ and variables expanded; else the text itself.

    Raises ValueError if the file cannot be read as UTF-8.
    """
    scheme, found, path = text.partition("://")
    if not found or scheme not in ("file", "fileb"):
        return text
    try:
        return Path(os.path.expandvars(path)).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"Unable to load paramfile {text}: {error}") from error


def _value(text: str, type_: Schema) -> Any:
    from ...schema.expand import coerce

    if type_.is_scalar:
        return coerce(text, type_)
    return _json(text) if text.lstrip().startswith(("{", "[")) else _typed(parse(text, contents), type_)


def _typed(value: Any, type_: Schema) -> Any:
    """Convert shorthand's texts to the model's types; a single value for a list becomes its only entry."""
    from ...schema.expand import coerce

    if type_.type_name == "list" and type_.item:
        return [_typed(entry, type_.item) for entry in (value if isinstance(value, list) else [value])]
    if not isinstance(value, dict):
        return coerce(value, type_)
    inner = type_.members if type_.type_name == "structure" else dict.fromkeys(value, type_.item)
    return {name: _typed(entry, known) if (known := inner.get(name)) else entry for name, entry in value.items()}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"Invalid JSON: {error}\nJSON received: {text}") from error
    except RecursionError:
        raise ValueError("Invalid JSON: it is nested too deeply") from None


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"Invalid YAML: {error}\nYAML received: {text}") from error
    except RecursionError:
        raise ValueError("Invalid YAML: it is nested too deeply") from None


def _unreadable(option: str, error: ValueError) -> Invalid:
    return Invalid(f"Error parsing parameter '{option}': {error}")
