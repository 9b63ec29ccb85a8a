"""The emulator's own account and Region, and the configurations that exist beforehand, there or in other locations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..arn import is_configuration_arn, slug
from .files import UserError, parse_json, read_bytes

if TYPE_CHECKING:
    from ..emulator.emulator import Emulator

REGION = "us-east-1"
ACCOUNT = "123456789012"

_CONFIGURATION_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):imagebuilder:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):distribution-configuration/"
)
"""The start of a configuration's ARN, anywhere in a text."""


class EmulatedLocation(NamedTuple):
    """A Region and an account. `source` names the input that they come from; empty for options and defaults."""

    region: str
    account: str
    source: str

    @property
    def function_arn(self) -> str:
        """The ARN of the provider's function in this location."""
        from ..template.placeholders import Placeholders

        return Placeholders(self.region, self.account).arn("AWS::Lambda::Function", "provider")


def _check(pattern: str, description: str) -> Any:
    """An option's callback that rejects values that do not match the pattern."""

    def check(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r} is not {description}.")
        return value

    return check


check_account = _check(r"[0-9]{12}", "an account ID of 12 digits")
"""The callback of an option that takes an account."""

region_option = click.option(
    "--region",
    metavar="REGION",
    callback=_check(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", "a Region, such as eu-west-1"),
    help=f"The emulated Region.  [default: {REGION}]",
)
account_option = click.option(
    "--account", metavar="ID", callback=check_account, help=f"The emulated account.  [default: {ACCOUNT}]"
)


def choose_location(region: str | None, account: str | None, texts: Iterable[tuple[str, str]]) -> EmulatedLocation:
    """The given Region and account, else those of the first configuration ARN in `texts` (name, text)."""
    for name, text in texts:
        match = _CONFIGURATION_ARN.search(text)
        if match and not (region and account):
            return EmulatedLocation(region or match["region"], account or match["account"], name)
    return EmulatedLocation(region or REGION, account or ACCOUNT, "")


def emulator_at(location: EmulatedLocation, port: int = 0) -> Emulator:
    """An emulator for this Region and account that is not started. Raises UserError for an unknown Region."""
    from botocore.exceptions import UnknownRegionError

    from ..emulator.emulator import Emulator

    try:
        return Emulator(location.region, location.account, port)
    except UnknownRegionError as error:
        raise UserError(str(error)) from error


def existing_configuration(file: Path) -> dict[str, Any]:
    """A configuration as `aws imagebuilder get-distribution-configuration` prints it.

    Raises UserError if the file has none.
    """
    printed = parse_json(read_bytes(file), str(file))
    configuration = printed.get("distributionConfiguration", printed) if isinstance(printed, dict) else None
    if not isinstance(configuration, dict) or not isinstance(configuration.get("name"), str):
        raise UserError(
            f"{file}: is not the output of `aws imagebuilder get-distribution-configuration`: "
            "there is no distributionConfiguration with a name"
        )
    return configuration


def seed_placeholder(emulator: Emulator, arn: str) -> bool:
    """Add a configuration with this ARN and placeholder content, in its Region and account.

    Returns False if no configuration can have this ARN.
    """
    from botocore.exceptions import UnknownRegionError

    from ..template.partitions import partition_of

    match, name = _CONFIGURATION_ARN.match(arn), name_in(arn)
    if not match or match["partition"] != partition_of(match["region"]).name or name != slug(name):
        return False
    try:
        service = emulator.at(match["region"], match["account"])
    except UnknownRegionError:
        return False
    ami = {"name": "before {{ imagebuilder:buildDate }}"}
    distributions = [{"region": match["region"], "amiDistributionConfiguration": ami}]
    service.seed(name=name, distributions=distributions, description="Placeholder content")
    return True


def name_in(arn: str) -> str:
    """The name at the end of a configuration's ARN; empty if `arn` is not one."""
    return arn.rpartition("/")[2] if is_configuration_arn(arn) else ""
