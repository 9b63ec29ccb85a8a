"""Access to the live service: the commands' options, and Image Builder in all locations that the caller can reach."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from .emulation import ACCOUNT, check_account
from .files import UserError

if TYPE_CHECKING:
    from ..arn import Location
    from ..aws.client import Credentials
    from ..cloudformation.deadline import Deadline
    from ..reconciler.api_calls import ApiCalls
    from ..resources.image_builder import ImageBuilder
    from ..resources.locations import Locations

_TIMEOUT = 120.0
"""Seconds for all reads, including retries."""
_SESSION_NAME = "plan"
"""The name of the sessions of roles that are assumed."""
ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_IMAGEBUILDER"


def check_url(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Validate an option's URL, as its callback."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        is_valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid or re.search(r"\s", value):
        raise click.BadParameter(f"{value!r} must have the form http://HOST:PORT or https://HOST.")
    return value


region_option = click.option("--region", metavar="REGION", help="[default: AWS_REGION's, or the profile's]")
profile_option = click.option(
    "--profile",
    metavar="NAME",
    help="The profile with the credentials and Region to use.  [default: AWS_PROFILE's, then AWS_DEFAULT_PROFILE's]",
)
endpoint_option = click.option(
    "--endpoint-url",
    metavar="URL",
    callback=check_url,
    help="Read this Image Builder endpoint instead of the Region's.",
)
account_option = click.option(
    "--account",
    metavar="ID",
    callback=check_account,
    help=f"The account to read.  [default: that of the credentials, from STS; {ACCOUNT} with --endpoint-url]",
)


@dataclass
class Live:
    """The live service. `location` is that of the Region and the credentials.

    Roles of other locations are assumed with the external ID `stack_id`. Set it before the first call there.
    """

    location: Location
    stack_id: str = ""
    seconds: float = _TIMEOUT
    """Seconds for all calls, including retries."""
    deadline: Deadline = field(init=False)
    calls: ApiCalls = field(init=False)

    def __post_init__(self) -> None:
        from ..cloudformation.deadline import Deadline
        from ..reconciler.api_calls import ApiCalls

        self.deadline = Deadline(self.seconds)
        self.calls = ApiCalls(self._connect, self.deadline)

    def at(self, locations: Locations | None = None) -> ImageBuilder:
        """Image Builder in the locations of a resource; by default, in `location`."""
        from ..resources.image_builder import ImageBuilder
        from ..resources.locations import Locations

        return ImageBuilder(self.calls, locations or Locations(*[self.location] * 3))

    def credentials(self, location: Location, *, renew: bool = False) -> Credentials | None:
        """The credentials of a location's role; None without a role. Raises ProviderError if it cannot be assumed."""
        from ..aws import roles

        if not location.role:
            return None
        assumption = roles.Assumption(location.role, self.stack_id)
        return roles.credentials(assumption, _SESSION_NAME, self.location.region, time.time, renew=renew)

    def _connect(self, location: Location, renew: bool) -> Any:
        from ..aws.client import client
        from ..schema.model import SERVICE

        return client(SERVICE, location.region, self.credentials(location, renew=renew))


@contextmanager
def live_service(
    region: str | None, profile: str | None, endpoint_url: str | None, account: str | None, *, default_region: str = ""
) -> Iterator[Live]:
    """Image Builder in the location of the options and settings. All clients in this context use its credentials.

    Raises UserError if the Region, credentials, or account are missing.
    """
    from ..arn import Location
    from ..aws.client import using_session
    from ..schema.model import SERVICE
    from ..template.placeholders import Placeholders
    from .awscli.session import cli_session

    with using_session(cli_session(profile, region), {SERVICE: endpoint_url} if endpoint_url else {}):
        region = check_settings(default_region)
        is_custom_endpoint = bool(endpoint_url) or ENDPOINT_VARIABLE in os.environ
        # The default account is only a guess. If the location is not verified, names are also searched in the list.
        is_verified = bool(account) or not is_custom_endpoint
        account = account or (ACCOUNT if is_custom_endpoint else _caller_account(region))
        yield Live(Location(Placeholders(region, account).partition, region, account, is_verified))


def check_settings(default_region: str = "") -> str:
    """The session's Region. Raises UserError if there is no Region, or no credentials.

    The Region is that of --region, the environment, or the profile, else the default, which the session then uses, too.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from ..aws.client import session
    from .awscli.session import CredentialsError, load_credentials

    try:
        region = session().get_config_variable("region")
        if not region and default_region:
            region = default_region
            session().set_config_variable("region", region)
        has_credentials = bool(region) and load_credentials(session())
    except (BotoCoreError, ClientError) as error:
        raise UserError(f"{str(error).rstrip('.')}: check AWS_PROFILE and the other AWS_ variables") from error
    except CredentialsError as error:
        raise UserError(str(error)) from error
    if not region:
        raise UserError("no Region is set: set AWS_REGION, or add a Region to your profile")
    if not has_credentials:
        raise UserError("no credentials found: set AWS_PROFILE, or sign in with `aws sso login` or `aws configure`")
    return str(region)


def session_of_any_service() -> Any:
    """A session for any service, with the credentials that the Image Builder client has already resolved."""
    from botocore.session import Session

    from ..aws.client import session

    credentials = session().get_credentials()
    assert credentials is not None, "check_settings has found credentials"
    frozen = credentials.get_frozen_credentials()
    found = Session(profile=session().profile)
    found.set_credentials(str(frozen.access_key), str(frozen.secret_key), frozen.token or "")
    return found


def _caller_account(region: str) -> str:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from ..aws.client import session

    try:
        config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        client: Any = session().create_client("sts", region_name=region, config=config)
        with closing(client) as sts:
            return str(sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UserError(f"STS did not return the account: {error}. To specify it, use --account ID") from error
