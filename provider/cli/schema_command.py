"""`schema`: prints the JSON Schema of the resource's properties."""

from pathlib import Path

import click

from .files import output_option, type_option, write

EPILOG = """\b
In an editor with yaml-language-server, make this the first line of a file that contains only the Properties:
  # yaml-language-server: $schema=./docs/properties.schema.json
To configure the editor for functions in short form, see docs/linting.md.
"""


@click.command(epilog=EPILOG, short_help="Print the JSON Schema of the properties.")
@type_option
@output_option
def schema(type_name: str, output: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of the resource's Properties.

    The schema is generated from the service model of the installed botocore, with the API's documentation as
    descriptions; docs/properties.schema.json is a copy.

    Each value can also be a function, in long or short form. The schema has only CloudFormation's property names; the
    provider also accepts the API's camelCase names.
    """
    from ..authoring.block import as_json
    from ..authoring.json_schema import schema as json_schema
    from ..resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION

    name = CONTRIBUTION if type_name == "contribution" else DISTRIBUTION_CONFIGURATION
    write(as_json(json_schema(name)), output)
