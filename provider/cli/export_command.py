"""`export`: prints a template with a resource that adopts a live configuration."""

from __future__ import annotations

from pathlib import Path

import click

from .files import UserError, format_option, output_option, write
from .live import endpoint_option, live_service, profile_option

EPILOG = """\b
Examples:
  python -m provider export arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base
  python -m provider export "$ARN" --profile production --output base.yaml
  python -m provider export "$ARN" | python -m provider validate -

\b
Exit status:
  0  the template was written
  1  the configuration was not found
  2  a mistake in the command, or the service cannot be read
"""


@click.command(epilog=EPILOG, short_help="Print a live configuration as a template.")
@click.argument("arn")
@click.option("--region", metavar="REGION", help="The Region to read.  [default: that of the ARN]")
@profile_option
@endpoint_option
@format_option
@output_option
def export(
    arn: str, region: str | None, profile: str | None, endpoint_url: str | None, output_format: str, output: Path | None
) -> None:
    """Print a template with a resource that adopts the configuration ARN.

    If you deploy the template unchanged, the resource adopts the configuration with its current contents and tags.
    If you delete the stack, the configuration is retained.

    The configuration is only read, with the credentials of your environment or --profile.
    """
    from ..arn import is_configuration_arn
    from ..authoring.block import as_json, as_yaml, logical_id, template
    from ..errors import ProviderError
    from .adopting import adopting_properties, finding_texts, owner_warnings

    if not is_configuration_arn(arn):
        raise UserError(f"{arn!r} is not the ARN of a distribution configuration")
    _, _, _, own_region, account, _ = arn.split(":", 5)
    region = region or own_region
    click.echo(f"Reading {arn} ...", err=True)
    try:
        with live_service(region, profile, endpoint_url, account) as (_, image_builder):
            live = image_builder.read(arn)
    except ProviderError as error:
        raise UserError(f"the configuration cannot be read: {error.problem}") from error
    if live is None:
        raise click.ClickException(f"{arn} was not found in account {account}, Region {region}")
    properties = adopting_properties(live.arn, live.content, live.tags)
    for warning in (*finding_texts(properties), *owner_warnings(live.tags)):
        click.echo(f"Warning: {warning}", err=True)
    exported = template(logical_id(live.name), properties)
    write(as_yaml(exported) if output_format == "yaml" else as_json(exported), output)
