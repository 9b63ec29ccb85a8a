"""`schema`: prints the JSON Schema of the resource's properties, or of whole templates."""

from pathlib import Path

import click

from .files import output_option, type_option, write

EPILOG = """\b
In an editor with yaml-language-server, make this the first line of a template:
  # yaml-language-server: $schema=./docs/template.schema.json
And this the first line of a file that contains only the Properties:
  # yaml-language-server: $schema=./docs/properties.schema.json
To configure the editor for functions in short form, see docs/linting.md.
"""

_INCLUDED = ("AWS::ImageBuilder::*",)


@click.command(epilog=EPILOG, short_help="Print the JSON Schema of the properties or of templates.")
@type_option
@click.option("--template", "is_template", is_flag=True, help="Print the schema of whole templates.")
@click.option(
    "--include",
    "patterns",
    metavar="PATTERN",
    multiple=True,
    help="With --template, also check the properties of these resource types, for example 'AWS::S3::*'. Can be "
    "repeated.  [default: AWS::ImageBuilder::*]",
)
@output_option
def schema(type_name: str, is_template: bool, patterns: tuple[str, ...], output: Path | None) -> None:
    """Print the JSON Schema (draft 2020-12) of the resource's Properties, or with --template, of whole templates.

    The schema is generated from the service model of the installed botocore, with the API's documentation as
    descriptions; docs/properties.schema.json is a copy.

    With --template, the sections of a template and the other resource types are those of CloudFormation's public
    schemas, from the installed cfn-lint. docs/template.schema.json is a copy. The properties of types that are not
    included are not checked. Each included type makes the schema larger and the editor slower.

    Each value can also be a function, in long or short form. The schema has only CloudFormation's property names; the
    provider also accepts the API's camelCase names.
    """
    from ..authoring.block import as_json
    from ..authoring.json_schema import schema as json_schema
    from ..resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION

    if patterns and not is_template:
        raise click.UsageError("--include requires --template.")
    if is_template:
        write(_template_schema(patterns or _INCLUDED), output)
        return
    name = CONTRIBUTION if type_name == "contribution" else DISTRIBUTION_CONFIGURATION
    write(as_json(json_schema(name)), output)


def _template_schema(patterns: tuple[str, ...]) -> str:
    from ..authoring.block import as_json
    from ..authoring.template_schema import SECTIONS, template_schema
    from .native_schema import registered_schemas, section_schemas

    return as_json(template_schema(section_schemas(SECTIONS), registered_schemas(patterns)))
