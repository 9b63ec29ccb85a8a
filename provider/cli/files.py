"""Reads input files and writes a command's result; `-` is standard input."""

import json
import sys
from pathlib import Path
from typing import Any

import click

STANDARD_INPUT = Path("-")
FILE_OR_STANDARD_INPUT = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)

output_option = click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
format_option = click.option(
    "--format",
    "output_format",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="The output format.",
)
form_option = click.option(
    "--output",
    "--format",
    "form",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    help="Output format: human-readable text, or one JSON object.",
)
type_option = click.option(
    "--type",
    "type_name",
    type=click.Choice(["configuration", "contribution"]),
    default="configuration",
    show_default=True,
    help="The resource type: a distribution configuration, or a part of another stack's.",
)


class UserError(click.ClickException):
    """An error in the command or in a file: one message without a traceback, and exit status 2."""

    exit_code = 2


def read_bytes(file: Path) -> bytes:
    """The content of `file`. Raises UserError if it cannot be read."""
    if file == STANDARD_INPUT and sys.stdin is None:
        raise UserError("standard input is closed")
    try:
        return sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from error


def parse_json(content: bytes, name: str) -> Any:
    """Parse JSON. `name` is the source's name in messages. Raises UserError with the line and column of an error."""
    from ..template.reader import decode, is_too_deep
    from ..template.template_error import TemplateError

    try:
        value = json.loads(decode(content))
    except TemplateError as error:
        raise UserError(f"{name}: {error}") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{name}: is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError:
        raise UserError(f"{name}: is nested too deeply") from None
    if is_too_deep(value):
        raise UserError(f"{name}: is nested too deeply")
    return value


def write(text: str, output: Path | None) -> None:
    """Write a text to the file, or to standard output if it is None. Raises UserError if the file cannot be written."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise UserError(f"{output}: cannot be written: {error.strerror}") from error
