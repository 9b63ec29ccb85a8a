"""Reads a file from the command line, or standard input for `-`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .mistakes import Mistake

STANDARD_INPUT = Path("-")


def bytes_of(file: Path) -> bytes:
    """The content of `file`. Raises Mistake if it cannot be read."""
    if file == STANDARD_INPUT and sys.stdin is None:
        raise Mistake("standard input is closed")
    try:
        return sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
    except OSError as error:
        raise Mistake(f"{file}: cannot be read: {error.strerror}") from error


def json_of(content: bytes, name: str) -> Any:
    """The JSON that `content` spells; `name` is what to call it. Raises Mistake with the place of what is wrong."""
    from ..template.reader import decode, is_too_deep
    from ..template.template_error import TemplateError

    try:
        value = json.loads(decode(content))
    except TemplateError as error:
        raise Mistake(f"{name}: {error}") from error
    except json.JSONDecodeError as error:
        raise Mistake(f"{name}: is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError:
        raise Mistake(f"{name}: is nested too deeply") from None
    if is_too_deep(value):
        raise Mistake(f"{name}: is nested too deeply")
    return value
