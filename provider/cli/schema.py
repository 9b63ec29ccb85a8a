"""`schema`: the JSON Schema of the resource's properties."""

from __future__ import annotations

from pathlib import Path

import click

from .writing import output_option, write

EPILOG = """\b
In an editor with yaml-language-server, as the first line of a file that has the Properties alone:
  # yaml-language-server: $schema=./docs/properties.schema.json
To configure the editor for functions in short form, see docs/linting.md.

\b
Exit status:
  0  the schema was written
  2  the output cannot be written, or the command is wrong
"""


@click.command(epilog=EPILOG, short_help="Print the JSON Schema of the properties.")
@output_option
def schema(output: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of the resource's Properties.

    The schema is generated from the service model of the installed botocore, with the API's documentation as
    descriptions; docs/properties.schema.json is a copy.

    The schema allows functions for all values, also in short form, because editors hide YAML tags from schemas. It has
    CloudFormation's names only; the provider also accepts the API's camelCase names.
    """
    from ..authoring.block import as_json
    from ..authoring.schema import schema as made

    write(as_json(made()), output)
