"""`docs`: prints the reference page of a resource type."""

from pathlib import Path

import click

from .files import output_option, type_option, write

EPILOG = """\b
Examples:
  python -m provider docs | less
  python -m provider docs --type contribution --output contribution.md
"""


@click.command(epilog=EPILOG, short_help="Print the reference page of a resource type.")
@type_option
@output_option
def docs(type_name: str, output: Path | None) -> None:
    """Print the reference page of a resource type, in Markdown.

    It lists each property with its type, limits, allowed values, documentation, whether the native resource supports
    it, and the checks beyond the service model. Each structure has an example.

    The pages are generated from the service model of the installed botocore; docs/reference has copies.
    """
    from ..authoring.reference import contribution_page, page
    from ..lint.catalog import CHECKS
    from .native_schema import native_members, native_schema

    if type_name == "contribution":
        write(contribution_page(), output)
        return
    checks = {check.rule: f"{check.id}: {check.title}" for check in CHECKS.values()}
    write(page(native_members(native_schema()), checks), output)
