"""Access to the live service: its settings, and the account and Region for commands that read it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from .emulation import ACCOUNT, is_account
from .mistakes import Mistake

if TYPE_CHECKING:
    from ..arn import Location
    from ..resources.image_builder import ImageBuilder

SECONDS = 120.0
"""For all reads, including retries."""
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def is_url(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Validate an option's URL, as its callback."""
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"\s", value):
        raise click.BadParameter(f"{value!r} must have the form http://HOST:PORT or https://HOST.")
    return value


region_option = click.option("--region", metavar="REGION", help="[default: AWS_REGION's, or the profile's]")
profile_option = click.option("--profile", metavar="NAME", help="The profile with the credentials and Region to use.")
endpoint_option = click.option(
    "--endpoint-url", metavar="URL", callback=is_url, help="Read this Image Builder endpoint instead of the Region's."
)
account_option = click.option(
    "--account",
    metavar="ID",
    callback=is_account,
    help=f"The account to read.  [default: that of the credentials, from STS; {ACCOUNT} with --endpoint-url]",
)


@contextmanager
def service(
    region: str | None, profile: str | None, endpoint_url: str | None, account: str | None
) -> Iterator[tuple[Location, ImageBuilder]]:
    """The location and the client to read it with. Raises Mistake if Region, credentials, or account are missing."""
    from ..arn import Location
    from ..aws.client import client
    from ..cloudformation.deadline import Deadline
    from ..reconciler.api_calls import ApiCalls
    from ..resources.image_builder import ImageBuilder
    from ..schema.model import SERVICE
    from ..template.placeholders import Placeholders

    with _environment(region, profile, endpoint_url):
        here = check_settings()
        elsewhere = "AWS_ENDPOINT_URL_IMAGEBUILDER" in os.environ
        whose = account or (ACCOUNT if elsewhere else _account(here))
        # An account that is nobody's word but ours is not certain: names are looked for in the list, too.
        location = Location(
            Placeholders(here, whose).partition, here, whose, is_verified=bool(account) or not elsewhere
        )
        yield location, ImageBuilder(ApiCalls(partial(client, SERVICE, here), Deadline(SECONDS)), location)


def check_settings() -> str:
    """Return the Region. Raises Mistake if botocore finds no Region or no credentials."""
    from botocore.exceptions import BotoCoreError

    from ..aws.client import session

    try:
        region = os.environ.get("AWS_REGION") or session().get_config_variable("region")
        credentials = session().get_credentials()
    except BotoCoreError as error:
        raise Mistake(f"{str(error).rstrip('.')}: check AWS_PROFILE and the other AWS_ variables") from error
    if not region:
        raise Mistake("no Region is set: set AWS_REGION, or add a Region to your profile")
    if credentials is None:
        raise Mistake("no credentials found: set AWS_PROFILE, or sign in with `aws sso login` or `aws configure`")
    return str(region)


@contextmanager
def _environment(region: str | None, profile: str | None, endpoint_url: str | None) -> Iterator[None]:
    """Set the environment variables that have the same effect as the options."""
    before = dict(os.environ)
    if region:
        os.environ |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region}
    if endpoint_url:
        os.environ |= {
            "AWS_ENDPOINT_URL_IMAGEBUILDER": endpoint_url,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        }
    if profile:
        os.environ["AWS_PROFILE"] = profile
        # In botocore, keys in the environment override AWS_PROFILE. In the AWS CLI, --profile overrides them.
        for name in _KEYS:
            os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _account(region: str) -> str:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from ..aws.client import session

    try:
        patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        client: Any = session().create_client("sts", region_name=region, config=patience)
        with closing(client) as sts:
            return str(sts.get_caller_identity()["Account"])
    except (BotoCoreError, ClientError, ValueError) as error:
        raise Mistake(f"STS did not return the account: {error}. To specify it, use --account ID") from error
