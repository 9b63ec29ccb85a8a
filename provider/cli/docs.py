"""`docs`: the reference page of the resource's properties."""

from __future__ import annotations

from pathlib import Path

import click

from .writing import output_option

EPILOG = """\b
Examples:
  python -m provider docs | less
  python -m provider docs --output docs/reference.md

\b
Exit status:
  0  the page was written
  2  the output cannot be written, or the command is wrong
"""


@click.command(epilog=EPILOG, short_help="Print the reference page of all properties.")
@output_option
def docs(output: Path | None) -> None:
    """Print the reference page of all properties, in Markdown.

    For each property it has the type, limits and allowed values, what the API's documentation says, whether the
    native resource has it, what is checked beyond the service model, and an example of each structure.

    It is made from the service model of the botocore that is installed; docs/reference.md is a copy.
    """
    from ..authoring.reference import page
    from ..lint.catalog import CHECKS
    from .native import native_members, native_schema
    from .writing import write

    checks = {check.rule: f"{check.id}: {check.title}" for check in CHECKS.values()}
    write(page(native_members(native_schema()), checks), output)
