"""`schema`: the JSON Schema of the resource's properties."""

from __future__ import annotations

from pathlib import Path

import click

from .writing import output_option, write

EPILOG = """\b
In an editor with yaml-language-server, as the first line of a file that has the Properties alone:
  # yaml-language-server: $schema=./docs/properties.schema.json
What it has to be told of functions in short form is in docs/linting.md.

\b
Exit status:
  0  the schema was written
  2  the output cannot be written, or the command is wrong
"""


@click.command(epilog=EPILOG, short_help="Print the JSON Schema of the properties.")
@output_option
def schema(output: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of the resource's Properties.

    It is made from the service model of the botocore that is installed, with the API's documentation as
    descriptions; docs/properties.schema.json is a copy.

    Functions are taken to be all right wherever they stand, in short form too: an editor does not tell a schema of
    tags. Names are those of CloudFormation; the API's own camelCase, which the provider takes as well, is not in it.
    """
    from ..authoring.block import as_json
    from ..authoring.schema import schema as made

    write(as_json(made()), output)
