"""`skeleton`: prints a template to start from."""

from pathlib import Path
from typing import Any

import click

from .files import UserError, format_option, output_option, type_option, write
from .service_token import service_token_option

EPILOG = """\b
Examples:
  python -m provider skeleton --required > stack.yaml
  python -m provider skeleton --format json
  python -m provider skeleton --type contribution > part.yaml
  python -m provider skeleton --adopt arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base
"""


@click.command(epilog=EPILOG, short_help="Print a template to start from.")
@click.option("--required", is_flag=True, help="Only the properties that every configuration needs.")
@click.option("--adopt", metavar="ARN", default="", help="Adopt this configuration instead of creating one.")
@type_option
@service_token_option
@format_option
@output_option
def skeleton(
    required: bool, adopt: str, type_name: str, service_token: Any, output_format: str, output: Path | None
) -> None:
    """Print a template with one distribution configuration, or with one contribution, to fill in.

    It has all properties, with sample values that pass all checks. In YAML, a comment describes each property, its
    allowed values, and whether it is required. Properties that exclude another one are commented out.

    Of a contribution, keep only what the Contributions of the configuration's owner allow.

    For an existing configuration, use `export`.
    """
    from ..arn import is_configuration_arn
    from ..authoring.block import as_json
    from ..authoring.starter_template import StarterTemplate
    from ..resources import CONTRIBUTION, DISTRIBUTION_CONFIGURATION

    if adopt and type_name == "contribution":
        raise click.UsageError("--adopt applies only to configurations.")
    if adopt and not is_configuration_arn(adopt):
        raise UserError(f"--adopt: {adopt!r} is not the ARN of a distribution configuration")
    name = CONTRIBUTION if type_name == "contribution" else DISTRIBUTION_CONFIGURATION
    starter = StarterTemplate(required, adopt, name, service_token)
    write(starter.as_yaml() if output_format == "yaml" else as_json(starter.as_template()), output)
