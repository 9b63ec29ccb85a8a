"""Writes a command's result to standard output or a file."""

from __future__ import annotations

from pathlib import Path

import click

from .mistakes import Mistake

output_option = click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="The output format.",
)


def write(text: str, output: Path | None) -> None:
    """Write a text that ends with a line break. Raises Mistake if the file cannot be written."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Mistake(f"{output}: cannot be written: {error.strerror}") from error
