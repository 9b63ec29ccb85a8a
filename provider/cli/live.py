"""Access to the live service: the commands' options, and a client for one Region of one account."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from .emulation import ACCOUNT, check_account
from .environment import temporary_environment
from .files import UserError

if TYPE_CHECKING:
    from ..arn import Location
    from ..cloudformation.deadline import Deadline
    from ..reconciler.api_calls import ApiCalls
    from ..resources.image_builder import ImageBuilder

_TIMEOUT = 120.0
"""Seconds for all reads, including retries."""
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


@contextmanager
def live_service(
    region: str | None, profile: str | None, endpoint_url: str | None, account: str | None
) -> Iterator[tuple[Location, ImageBuilder]]:
    """The location, and Image Builder there. Raises UserError if the Region, credentials, or account are missing."""
    from ..cloudformation.deadline import Deadline

    with live_location(region, profile, endpoint_url, account) as location:
        yield location, image_builder(location, api_calls(Deadline(_TIMEOUT)))


def api_calls(deadline: Deadline) -> ApiCalls:
    """The calls of Image Builder inside `live_location`."""
    from ..aws.client import client
    from ..reconciler.api_calls import ApiCalls
    from ..schema.model import SERVICE

    return ApiCalls(lambda there, _: client(SERVICE, there.region), deadline)


def image_builder(location: Location, calls: ApiCalls) -> ImageBuilder:
    """Image Builder in a location."""
    from ..resources.image_builder import ImageBuilder
    from ..resources.locations import Locations

    return ImageBuilder(calls, Locations(location, location, location))


@contextmanager
def live_location(
    region: str | None, profile: str | None, endpoint_url: str | None, account: str | None
) -> Iterator[Location]:
    """The location of the user's settings, which all clients use inside this context.

    Raises UserError if the Region, credentials, or account are missing.
    """
    from ..arn import Location
    from ..aws.client import using_session
    from ..template.placeholders import Placeholders
    from .awscli.session import cli_session

    with temporary_environment(), using_session(cli_session(profile, region)):
        _set_environment(region, endpoint_url)
        region = check_settings()
        if profile:
            # Only now: a credential helper must not see a profile that its own environment does not have.
            os.environ["AWS_PROFILE"] = profile
            os.environ.pop("AWS_DEFAULT_PROFILE", None)
        is_custom_endpoint = ENDPOINT_VARIABLE in os.environ
        # The default account is only a guess. If the location is not verified, names are also searched in the list.
        is_verified = bool(account) or not is_custom_endpoint
        account = account or (ACCOUNT if is_custom_endpoint else _caller_account(region))
        yield Location(Placeholders(region, account).partition, region, account, is_verified)


def check_settings() -> str:
    """The Region in the environment or the profile. Raises UserError if there is no Region, or no credentials."""
    from botocore.exceptions import BotoCoreError, ClientError

    from ..aws.client import session
    from .awscli.session import CredentialsError, load_credentials

    try:
        region = os.environ.get("AWS_REGION") or session().get_config_variable("region")
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


def _set_environment(region: str | None, endpoint_url: str | None) -> None:
    """Set the environment variables that have the same effect as the options."""
    if region:
        os.environ |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if endpoint_url:
        os.environ |= {ENDPOINT_VARIABLE: endpoint_url, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}


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
