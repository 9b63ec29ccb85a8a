"""`skeleton`: prints a template to start from."""

from pathlib import Path

import click

from .files import UserError, format_option, output_option, write

EPILOG = """\b
Examples:
  python -m provider skeleton --required > stack.yaml
  python -m provider skeleton --format json
  python -m provider skeleton --adopt arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base
"""


@click.command(epilog=EPILOG, short_help="Print a template to start from.")
@click.option("--required", is_flag=True, help="Only the properties that every configuration needs.")
@click.option("--adopt", metavar="ARN", default="", help="Adopt this configuration instead of creating one.")
@format_option
@output_option
def skeleton(required: bool, adopt: str, output_format: str, output: Path | None) -> None:
    """Print a template with one distribution configuration, to fill in.

    It has all properties, with sample values that pass all checks. In YAML, a comment describes each property, its
    allowed values, and whether it is required. Properties that exclude another one are commented out.

    For an existing configuration, use `export`.
    """
    from ..arn import is_configuration_arn
    from ..authoring.block import as_json
    from ..authoring.starter_template import StarterTemplate

    if adopt and not is_configuration_arn(adopt):
        raise UserError(f"--adopt: {adopt!r} is not the ARN of a distribution configuration")
    starter = StarterTemplate(required, adopt)
    write(starter.as_yaml() if output_format == "yaml" else as_json(starter.as_template()), output)
