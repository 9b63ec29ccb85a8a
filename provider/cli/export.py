"""`export`: prints a live configuration as a resource that adopts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .live import endpoint_option, profile_option
from .mistakes import Mistake
from .writing import format_option, output_option, write

if TYPE_CHECKING:
    from ..plan import Configuration

EPILOG = """\b
Examples:
  python -m provider export arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base
  python -m provider export "$ARN" --profile production --output base.yaml
  python -m provider export "$ARN" | python -m provider validate -

\b
Exit status:
  0  the block was written
  1  the configuration was not found
  2  a mistake in the command, or the service cannot be read
"""


@click.command(epilog=EPILOG, short_help="Print a live configuration as a resource block.")
@click.argument("arn")
@click.option("--region", metavar="REGION", help="The Region to read.  [default: that of the ARN]")
@profile_option
@endpoint_option
@format_option
@output_option
def export(
    arn: str, region: str | None, profile: str | None, endpoint_url: str | None, form: str, output: Path | None
) -> None:
    """Print a template with a resource that adopts the configuration ARN.

    If you deploy the template unchanged, the resource adopts the configuration with its current contents and tags.
    If you delete the stack, the configuration is retained.

    The configuration is only read, with the credentials of your environment or --profile.
    """
    from ..authoring.block import as_json, as_yaml, logical_id, template
    from ..errors import ProviderError

    account, own_region = _account_and_region(arn)
    click.echo(f"Reading {arn} ...", err=True)
    try:
        live = _read(arn, region or own_region, profile, endpoint_url, account)
    except ProviderError as error:
        raise Mistake(str(error)) from error
    if live is None:
        raise click.ClickException(f"{arn} was not found in account {account}, Region {region or own_region}")
    for warning in _warnings(live):
        click.echo(f"Warning: {warning}", err=True)
    made = template(logical_id(live.name), _properties(live))
    write(as_yaml(made) if form == "yaml" else as_json(made), output)


def _account_and_region(arn: str) -> tuple[str, str]:
    """The account and Region of an ARN. Raises Mistake if it is not a configuration's."""
    from ..arn import is_configuration_arn

    if not is_configuration_arn(arn):
        raise Mistake(f"{arn!r} is not the ARN of a distribution configuration")
    _, _, _, region, account, _ = arn.split(":", 5)
    return account, region


def _read(arn: str, region: str, profile: str | None, endpoint_url: str | None, account: str) -> Configuration | None:
    from .live import service

    with service(region, profile, endpoint_url, account) as (_, builder):
        return builder.read(arn)


def _properties(live: Configuration) -> dict[str, Any]:
    """The properties with the configuration's current content, and those of its tags that a template can set."""
    from ..resources import resource_type
    from ..schema.flatten import flatten
    from ..schema.model import TAGS, TARGET

    tags = {key: value for key, value in live.tags.items() if _is_users(key)}
    return flatten({TARGET: live.arn, **live.content, **({TAGS: tags} if tags else {})}, resource_type().schema)


def _is_users(key: str) -> bool:
    from ..schema.rules import OWNERSHIP_TAGS

    return key not in OWNERSHIP_TAGS and not key.startswith("aws:")


def _warnings(live: Configuration) -> list[str]:
    from ..resources import resource_type
    from ..resources.ownership import Ownership
    from ..schema.check import validate_properties
    from ..schema.expand import expand
    from ..schema.finding import Spelling

    properties = _properties(live)
    found = [
        *map(
            Spelling(properties, resource_type().schema).render,
            validate_properties(expand(properties, resource_type().schema), resource_type().rules),
        )
    ]
    if (ownership := Ownership.of(live.tags)).is_complete:
        found.append(
            f"the configuration is owned by {ownership}; a resource that adopts it should replace that one, or both "
            "will overwrite each other's updates"
        )
    return found
