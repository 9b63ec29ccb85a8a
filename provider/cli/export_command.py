"""`export`: prints a template with a resource that adopts a live configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .evaluated_template import stack_id
from .files import UserError, format_option, output_option, write
from .live import Live, endpoint_option, live_service, profile_option
from .records.access import ledger_table, require_ledger, table_option, without_log
from .service_token import service_token_option

if TYPE_CHECKING:
    from ..ledger.parts import Part
    from ..plan import Configuration
    from .adopting import OwnPart

_ELSEWHERE = ". If your credentials are not of account {}, use --role-arn with a role there, or --profile"
_NOT_ASSUMED = (
    ". The external ID was {}: if the trust policy requires another stack's, use --stack-name; or use --profile with "
    "credentials of account {}, and add RoleArn to the resource"
)

EPILOG = """\b
Examples:
  python -m provider export arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base
  python -m provider export "$ARN" --profile production --output base.yaml
  python -m provider export "$ARN" | python -m provider validate -
  python -m provider export "$ARN" --role-arn arn:aws:iam::111122223333:role/images
  python -m provider export "$ARN" --table "$TABLE" --parts

\b
Exit status:
  0  the template was written
  1  the configuration was not found
  2  a mistake in the command, or the service cannot be read, or the configuration is shared and no ledger records it
"""


@click.command(epilog=EPILOG, short_help="Print a live configuration as a template.")
@click.argument("arn")
@click.option(
    "--region",
    metavar="REGION",
    help="The Region of the stack.  [default: AWS_REGION's, or the profile's, or else that of the ARN]",
)
@click.option(
    "--role-arn",
    metavar="ROLE",
    help="A role of the ARN's account, for a stack in another account: RoleArn in the template. It is also used to "
    "read the configuration.",
)
@click.option(
    "--stack-name",
    metavar="NAME",
    default="export",
    show_default=True,
    help="The name in the stack's ID that is the external ID for --role-arn.",
)
@service_token_option
@table_option
@click.option("--parts", is_flag=True, help="Also write the parts of other stacks, as contributions.")
@profile_option
@endpoint_option
@format_option
@output_option
def export(
    arn: str,
    region: str | None,
    role_arn: str | None,
    stack_name: str,
    table: str | None,
    parts: bool,
    service_token: Any,
    profile: str | None,
    endpoint_url: str | None,
    output_format: str,
    output: Path | None,
) -> None:
    """Print a template with a resource that adopts the configuration ARN.

    If you deploy the template unchanged, the resource adopts the configuration with its current contents and tags.
    If you delete the stack, the configuration is retained.

    The configuration is only read, with the credentials of your environment or --profile, in the Region of the ARN. If
    that is not the stack's Region, the resource has a Region. If the stack is in another account than the
    configuration, give --role-arn: export assumes this role to read the configuration, with your credentials and, as
    the external ID, the ID of a new stack of the name --stack-name. If you may not assume the role, use --profile with
    credentials of the configuration's account, and add RoleArn to the resource.

    If other stacks have parts of the configuration, only the ledger shows which values are theirs, so give its --table.
    The resource then has only the owner's part: what the ledger records of the owner, with its account sources and its
    Contributions. The parts of the others stay in effect. With --parts, they are also written, as contributions to the
    resource: deploy that only if this stack replaces theirs. Without its records, a shared configuration is not
    exported, because the resource would claim the parts of others.
    """
    from ..arn import is_configuration_arn
    from ..authoring.block import as_json, as_yaml
    from ..schema.model import REGION, ROLE

    if not is_configuration_arn(arn):
        raise UserError(f"{arn!r} is not the ARN of a distribution configuration")
    _, _, _, own_region, account, _ = arn.split(":", 5)
    _check_role(role_arn, account)
    if parts and not table:
        raise UserError("--parts requires the ledger's table: use --table NAME")
    click.echo(f"Reading {arn} ...", err=True)
    # With a role, the stack's account is that of the credentials.
    stack_account = None if role_arn else account
    with (
        without_log(),
        live_service(region, profile, endpoint_url, stack_account, default_region=own_region) as service,
    ):
        live = _read(service, arn, role_arn, stack_name)
        recorded = _recorded_parts(service, table, live)
    if live is None:
        raise click.ClickException(f"{arn} was not found in account {account}, Region {own_region}")
    location = {ROLE: role_arn} if role_arn else {}
    if own_region != service.location.region:
        location[REGION] = own_region
    own = _own_part(live, recorded, with_others=parts)
    exported = _template(live, own, location, service_token, with_others=parts)
    write(as_yaml(exported) if output_format == "yaml" else as_json(exported), output)


def _template(
    live: Configuration, own: OwnPart, location: dict[str, str], service_token: Any, *, with_others: bool
) -> dict[str, Any]:
    """The template with the adopting resource, and with the parts of others if asked. Warnings are printed."""
    from ..authoring.block import logical_id, template
    from ..schema.model import CONTRIBUTIONS, pascal_case
    from .adopting import adopting_properties, finding_texts

    properties = adopting_properties(live.arn, own.content, live.tags, location)
    if own.contributions:
        properties[pascal_case(CONTRIBUTIONS)] = [*own.contributions]
    for warning in (*finding_texts(properties), *own.notes):
        click.echo(f"Warning: {warning}", err=True)
    name = logical_id(live.name)
    exported = template(name, properties, service_token=service_token)
    if with_others and own.others:
        from .recorded_export import contributions

        exported["Resources"] |= contributions(name, own.others, service_token)
    return exported


def _recorded_parts(service: Live, table: str | None, live: Configuration | None) -> list[Part]:
    """The recorded parts of a configuration; none without a table. Raises UserError if a shared one cannot be read."""
    if live is None or not table:
        return []
    require_ledger()
    from ..errors import ProviderError
    from ..ledger.store import Store
    from ..resources.ownership import is_shared

    try:
        return Store(ledger_table(table, service), service.deadline.now).parts(live.arn)
    except ProviderError as error:
        if is_shared(live.tags):
            raise UserError(error.problem) from error
        click.echo(f"Warning: {error.problem}", err=True)
        return []


def _own_part(live: Configuration, parts: list[Part], *, with_others: bool) -> OwnPart:
    """The part of the owner; without records, the whole configuration. Raises UserError if it is shared then."""
    from ..resources.ownership import is_shared
    from .adopting import OwnPart, owner_warnings

    if parts:
        from .recorded_export import own_part

        if found := own_part(live, parts, with_others=with_others):
            return found
    if is_shared(live.tags):
        raise UserError(
            f"{live.arn} is shared: it also has the parts of other stacks, which the exported resource would claim. "
            "Only the provider's ledger shows which values are theirs, and no table with its records is given: use "
            "--table NAME; the output LedgerTableName of the provider's stack has the name. To give the parts up, use "
            "`owners ARN --release` first"
        )
    return OwnPart(live.content, notes=tuple(owner_warnings(live.tags)))


def _check_role(role_arn: str | None, account: str) -> None:
    """Raise UserError if a role is not one of this account."""
    from ..schema.model import PROVIDER_PROPERTIES, ROLE
    from ..schema.validation import validate

    if role_arn is None:
        return
    if validate(role_arn, PROVIDER_PROPERTIES[ROLE]):
        raise UserError(f"--role-arn: {role_arn!r} is not the ARN of a role")
    if role_arn.split(":")[4] != account:
        raise UserError(f"--role-arn: {role_arn} is not a role of account {account}, which the configuration is in")


def _read(service: Live, arn: str, role_arn: str | None, stack_name: str) -> Configuration | None:
    """The configuration; None if it does not exist. Raises UserError if it cannot be read."""
    from ..errors import Outcome, ProviderError
    from ..resources.locations import Locations

    here, (region, account) = service.location, arn.split(":")[3:5]
    there = here.at(region, role_arn or "")
    service.stack_id = stack_id(here, stack_name)
    try:
        return service.at(Locations(here, there, there)).read(arn)
    except ProviderError as error:
        hint = _NOT_ASSUMED.format(service.stack_id, account) if role_arn else _ELSEWHERE.format(account)
        hint = hint if error.outcome is Outcome.DENIED else ""
        raise UserError(f"the configuration cannot be read: {error.problem}{hint}") from error
