"""Where a rehearsal takes place, and what is there before it begins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .mistakes import Mistake
from .reading import bytes_of, json_of

if TYPE_CHECKING:
    from ..emulator.emulator import Emulator

REGION = "us-east-1"
ACCOUNT = "123456789012"

_PLACE = re.compile(
    r"arn:aws[a-z-]*:imagebuilder:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):distribution-configuration/"
)
"""How any configuration's ARN begins, wherever it stands in a text."""
_SOMETHING = ({"amiDistributionConfiguration": {"name": "before {{ imagebuilder:buildDate }}"}},)
"""The contents of a configuration of which nothing is known, but for its Region."""


class Home(NamedTuple):
    """A Region and an account; `source` is where they were found, empty for the user's own word and the default."""

    region: str
    account: str
    source: str

    @property
    def function_arn(self) -> str:
        """What the provider's function would be called here."""
        from ..template.placeholders import Placeholders

        return Placeholders(self.region, self.account).arn("AWS::Lambda::Function", "provider")


def _matching(pattern: str, what: str) -> Any:
    def check(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(pattern, value):
            raise click.BadParameter(f"{value!r} is no {what}.")
        return value

    return check


is_account = _matching(r"[0-9]{12}", "account ID of 12 digits")
"""The callback of an option that takes an account."""

region_option = click.option(
    "--region",
    metavar="REGION",
    callback=_matching(r"[a-z]{2}(-[a-z]+)+-[0-9]+", "Region, such as eu-west-1"),
    help=f"The Region that it takes place in.  [default: {REGION}]",
)
account_option = click.option(
    "--account",
    metavar="ID",
    callback=is_account,
    help=f"The account that it takes place in.  [default: {ACCOUNT}]",
)


def home(region: str | None, account: str | None, texts: Iterable[tuple[str, str]]) -> Home:
    """Region and account: the user's word, else of the first configuration's ARN in `texts` (name, text)."""
    for name, text in texts:
        match = _PLACE.search(text)
        if match and not (region and account):
            return Home(region or match["region"], account or match["account"], name)
    return Home(region or REGION, account or ACCOUNT, "")


def emulator_at(place: Home, port: int = 0) -> Emulator:
    """An emulator for this Region and account, not yet listening. Raises Mistake for a Region of no partition."""
    from botocore.exceptions import UnknownRegionError

    from ..emulator.emulator import Emulator

    try:
        return Emulator(place.region, place.account, port)
    except UnknownRegionError as error:
        raise Mistake(str(error)) from error


def existing(file: Path) -> dict[str, Any]:
    """A configuration as `aws imagebuilder get-distribution-configuration` prints it. Raises Mistake."""
    printed = json_of(bytes_of(file), str(file))
    configuration = printed.get("distributionConfiguration", printed) if isinstance(printed, dict) else None
    if not isinstance(configuration, dict) or not isinstance(configuration.get("name"), str):
        raise Mistake(
            f"{file}: is not what `aws imagebuilder get-distribution-configuration` prints: "
            "there is no distributionConfiguration with a name"
        )
    return configuration


def put_there(emulator: Emulator, configuration: Mapping[str, Any]) -> str:
    """Let a configuration exist; gives its ARN. Raises Mistake where one of its name does already."""
    try:
        return emulator.seed(
            name=configuration["name"],
            distributions=configuration.get("distributions", []),
            description=configuration.get("description"),
            tags=configuration.get("tags") or {},
        )
    except ValueError as error:
        raise Mistake(str(error)) from error


def put_something_there(emulator: Emulator, home: Home, arn: str) -> bool:
    """Let a configuration with this ARN exist, whatever is in it. False where it would not be in `home`."""
    from ..arn import slug

    match, name = _PLACE.match(arn), name_in(arn)
    if not match or (match["region"], match["account"]) != (home.region, home.account) or name != slug(name):
        return False
    distributions = [{"region": home.region, **one} for one in _SOMETHING]
    emulator.seed(name=name, distributions=distributions, description="Was there before")
    return True


def name_in(arn: str) -> str:
    """The name at the end of a configuration's ARN; empty where `arn` is none."""
    from ..arn import is_configuration_arn

    return arn.rpartition("/")[2] if is_configuration_arn(arn) else ""
