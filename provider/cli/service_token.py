"""The option `--service-token`: which provider manages the resources that a command writes."""

import re
from typing import Any, Final

import click

from .files import UserError

_EXPORT: Final = re.compile(r"[-:a-zA-Z0-9]+")
"""The name of an export, which CloudFormation limits to these characters."""


def _property(_: click.Context, __: click.Parameter, given: str | None) -> Any:
    """The property's value. Raises UserError if it is neither an ARN nor the name of an export."""
    from ..authoring.block import SERVICE_TOKEN
    from ..template.structure import SERVICE_TOKEN_ARN

    if given is None:
        return SERVICE_TOKEN
    if given.startswith("arn:"):
        if SERVICE_TOKEN_ARN.fullmatch(given):
            return given
    elif _EXPORT.fullmatch(given):
        return {"Fn::ImportValue": given}
    raise UserError(
        f"--service-token: {given!r} is neither the ARN of a Lambda function nor the name of an export. The provider's "
        "stack has the ARN as its output ServiceToken"
    )


service_token_option = click.option(
    "--service-token",
    metavar="TOKEN",
    callback=_property,
    help="The provider: the ARN of its function, or the name of the export that contains it.  "
    "[default: image-builder-distribution-provider-ServiceToken]",
)
