"""`docs`: prints the reference page of the resource's properties."""

from pathlib import Path

import click

from .files import output_option, write

EPILOG = """\b
Examples:
  python -m provider docs | less
  python -m provider docs --output docs/reference.md
"""


@click.command(epilog=EPILOG, short_help="Print the reference page of all properties.")
@output_option
def docs(output: Path | None) -> None:
    """Print the reference page of all properties, in Markdown.

    It lists each property with its type, limits, allowed values, documentation, whether the native resource supports
    it, and the checks beyond the service model. Each structure has an example.

    The page is generated from the service model of the installed botocore; docs/reference.md is a copy.
    """
    from ..authoring.reference import page
    from ..lint.catalog import CHECKS
    from .native_schema import native_members, native_schema

    checks = {check.rule: f"{check.id}: {check.title}" for check in CHECKS.values()}
    write(page(native_members(native_schema()), checks), output)
