"""Where a command's result goes, and in what form."""

from __future__ import annotations

from pathlib import Path

import click

from .mistakes import Mistake

output_option = click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it there instead of to standard output.",
)
format_option = click.option(
    "--format", "form", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="How to print it."
)


def write(text: str, output: Path | None) -> None:
    """Write a text that ends with a line break. Raises Mistake where the file cannot be written."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise Mistake(f"{output}: cannot be written: {error.strerror}") from error
