"""Access to the ledger: the commands' options, and the records together with Image Builder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ...extras import require
from ...resources import LEDGER_TABLE
from ..environment import temporary_environment
from ..files import UserError, form_option
from ..live import Live, account_option, check_url, live_service, profile_option

if TYPE_CHECKING:
    from ...ledger.combine import Ledger
    from ...ledger.table import DynamoTable
    from ...reconciler.api_calls import ApiCalls
    from ...resources.image_builder import ImageBuilder
    from ...resources.ownership import Owner

_SECONDS = 180.0
"""Seconds for one configuration, including waiting for the lease."""
_LEVEL_VARIABLE = "POWERTOOLS_LOG_LEVEL"

table_option = click.option(
    "--table", metavar="NAME", envvar=LEDGER_TABLE, help=f"The ledger's table.  [default: {LEDGER_TABLE}'s]"
)
_OPTIONS = (
    table_option,
    click.option(
        "--region",
        metavar="REGION",
        help="The Region of the provider and its table.  [default: that of the first ARN; without one, AWS_REGION's, "
        "or the profile's]",
    ),
    account_option,
    profile_option,
    click.option(
        "--endpoint-url",
        metavar="URL",
        callback=check_url,
        help="Use this Image Builder endpoint instead of the Region's. For DynamoDB, set AWS_ENDPOINT_URL_DYNAMODB.",
    ),
    form_option,
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


class Access(NamedTuple):
    """Where the ledger is, as the options say."""

    table: str | None
    region: str | None
    account: str | None
    profile: str | None
    endpoint_url: str | None


def ledger_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of all commands that read the ledger. The command gets `access` and the output's `form`."""

    @wraps(command)
    def with_access(
        *,
        table: str | None,
        region: str | None,
        account: str | None,
        profile: str | None,
        endpoint_url: str | None,
        **others: Any,
    ) -> None:
        command(access=Access(table, region, account, profile, endpoint_url), **others)

    found: Callable[..., None] = with_access
    for option in reversed(_OPTIONS):
        found = option(found)
    return found


class Connection(NamedTuple):
    """A table, with its Region and account. `open` returns the ledger and Image Builder, for one configuration."""

    table: str
    region: str
    account: str
    open: Callable[[], tuple[Ledger, ImageBuilder]]


def require_ledger() -> None:
    """Raise ModuleNotFoundError, with how to install it, if a package is missing that the ledger needs."""
    require("aws_lambda_powertools")  # it logs with it


@contextmanager
def without_log() -> Iterator[None]:
    """Suppress log lines in this context, because the commands show what the function would log."""
    with temporary_environment():
        os.environ[_LEVEL_VARIABLE] = "CRITICAL"
        yield


def ledger_table(name: str, live: Live) -> DynamoTable:
    """The ledger's table in the Region of `live`, with its credentials and its time for all calls."""
    from random import Random

    from ...ledger.table import DynamoTable

    return DynamoTable(name, live.location.region, live.deadline, Random())  # noqa: S311 - jitter, not secrets


@contextmanager
def recorded_configurations(
    access: Access, arns: Iterable[str] = (), *, needs_table: bool = True
) -> Iterator[Connection]:
    """The ledger in the chosen Region, else in that of the first ARN.

    Raises UserError if an ARN is not a configuration's, if there is no table but the command needs one, and for errors
    of the ledger in this context.
    """
    from ...arn import is_configuration_arn
    from ...errors import ProviderError

    require_ledger()
    arns = [*arns]
    for arn in arns:
        if not is_configuration_arn(arn):
            raise UserError(f"{arn!r} is not the ARN of a distribution configuration")
    table = access.table or ""
    if needs_table and not table:
        raise UserError(
            f"no table is given: use --table NAME, or set {LEDGER_TABLE}. The output LedgerTableName of the "
            "provider's stack has the name"
        )
    own_region = arns[0].split(":")[3] if arns else None
    with (
        without_log(),
        live_service(access.region or own_region, access.profile, access.endpoint_url, access.account) as live,
    ):
        try:
            yield Connection(table, live.location.region, live.location.account, lambda: _open(table, live))
        except ProviderError as error:
            raise UserError(error.problem) from error


def _open(table: str, live: Live) -> tuple[Ledger, ImageBuilder]:
    from random import Random

    from ...ledger.combine import Ledger
    from ...ledger.configurations import ImageBuilderConfigurations
    from ...ledger.owner_roles import Reached, reach
    from ...ledger.store import Store
    from ...observability import logger
    from ...resources import resource_type

    one = Live(live.location, seconds=_SECONDS)
    deadline, builder = one.deadline, one.at()
    random = Random()  # noqa: S311 - jitter and nonces, not secrets
    store = Store(ledger_table(table, one), deadline.now)

    def elsewhere(arn: str) -> Reached | None:
        if arn.split(":")[4] == live.location.account:
            return None
        return reach(store, resource_type(), live.location, lambda owner: _calls(live, owner), arn)

    configurations = ImageBuilderConfigurations(builder, one.calls, elsewhere)
    return Ledger(store, configurations, deadline, random, logger()), builder


def _calls(live: Live, owner: Owner) -> ApiCalls:
    """Calls that assume roles for an owner, with the user's credentials."""
    return Live(live.location, owner.stack_id, _SECONDS).calls


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation. Raises ClickException unless it is given."""
    if yes:
        return
    try:
        is_confirmed = click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        is_confirmed = False
    if not is_confirmed:
        raise click.ClickException("not confirmed, so nothing was changed; to skip the question, use --yes")


def as_date(seconds: float) -> str | None:
    """A time in seconds since the epoch as text; None for none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
