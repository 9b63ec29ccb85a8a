"""`verify`: whether a deployed provider works, with a stack that is deployed for that and deleted."""

from __future__ import annotations

import json
import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..extras import DISTRIBUTION
from .files import UserError, form_option
from .live import Live, live_service, profile_option, region_option, session_of_any_service

if TYPE_CHECKING:
    from ..preflight.reader import CachingReader
    from .screen import Screen
    from .verification.installation import Installation
    from .verification.report import NotRead
    from .verification.throw_away_stack import Response, ThrowAwayStack

EPILOG = """\b
Examples:
  python -m provider verify
  python -m provider verify --name golden-verification --profile sandbox --region eu-west-1
  python -m provider verify --stack-name my-provider --format json | jq .problems

\b
Exit status:
  0    the stack was created and deleted, no alarm is in state ALARM, and the role may do what its parameters allow
  1    one of these is not so, or something remains
  2    a mistake in the command, or the provider's stack cannot be read
  130  Ctrl-C; the stack is deleted first. A second Ctrl-C ends the wait for that
"""


@click.command(epilog=EPILOG, short_help="Try a deployed provider with a throw-away stack.")
@click.option(
    "--stack-name", metavar="NAME", default=DISTRIBUTION, show_default=True, help="The name of the provider's stack."
)
@click.option(
    "--name",
    metavar="NAME",
    help="The name of the configuration that is created and deleted.  [default: a new one that the provider's "
    "NamePattern matches]",
)
@region_option
@profile_option
@form_option
def verify(stack_name: str, name: str | None, region: str | None, profile: str | None, form: str) -> None:
    """Deploy and delete a stack with one configuration, through the deployed provider, and report what it finds.

    The stack's name begins with that of the provider's stack, followed by -verify-. It costs nothing. It is always
    deleted: also after a failure, and after Ctrl-C. What could not be deleted is named.

    The report has the provider's version, its response (the configuration's attributes, or the reason of the failure),
    the states of its alarms, and what its role may access, from a simulation of the role's policies. If you lack the
    permissions to read alarms or to simulate policies, the report says `not permitted`. docs/permissions.md has a
    policy for verify.

    With --format json, standard output is one object: stack, region, account, version, function, role, configuration,
    throwAwayStack, response (status, physicalId, reason, attributes, seconds), alarms (name, state, reason), access
    (what, actions, resource, decision), notPermitted, remains, and problems. alarms and access are null if they could
    not be read. Progress is on standard error.
    """
    from ..arn import Location
    from ..preflight.interface import Context
    from ..preflight.reader import CachingReader
    from .screen import Screen
    from .verification.installation import read_installation
    from .verification.report import as_json, show

    progress = Screen(sys.stderr)
    # The account is that of the provider's function, which is not known yet.
    with live_service(region, profile, None, "0" * 12) as service:
        here = service.location
        with closing(CachingReader(session_of_any_service(), Context(here, ""))) as read:
            progress.print(f"Reading the stack {stack_name} in {here.region} ...", dim=True)
            installation = read_installation(read, stack_name, here.region)
            service.location = Location(here.partition, here.region, installation.account, True)
            found = _verified(service, read, installation, name or matching_name(installation), progress)
    screen = Screen(sys.stdout)
    if form == "json":
        screen.print(as_json(found))
    else:
        show(screen, found)
    raise SystemExit(1 if found.problems else 0)


def matching_name(installation: Installation) -> str:
    """A new name that the provider's NamePattern matches."""
    pattern = installation.parameters.get("NamePattern") or "*"
    name = pattern.replace("*", f"verify-{secrets.token_hex(4)}", 1).replace("*", "").replace("?", "x")
    # A name has at least three characters, but a pattern can match fewer.
    return name if len(name) > 2 else f"verify-{secrets.token_hex(4)}"


def _verified(service: Live, read: CachingReader, installation: Installation, name: str, progress: Screen) -> Any:
    """Deploy and delete the stack, and read everything else."""
    from .verification.installation import read_access, read_alarms
    from .verification.report import Verification
    from .verification.throw_away_stack import ThrowAwayStack

    arn = service.location.arn(name)
    suffix = secrets.token_hex(4)
    with closing(session_of_any_service().create_client("cloudformation", service.location.region)) as client:
        stack = ThrowAwayStack(client, f"{installation.stack[:100]}-verify-{suffix}", progress.event)
        progress.print(f"Deploying the stack {stack.name} with the configuration {name} ...", dim=True)
        response = _tried(service, stack, template(installation, name), arn, progress)
        remains = _deleted(service, stack, arn, progress)
    progress.print("Reading the alarms and the role's policies ...", dim=True)
    alarms = _readable(lambda: read_alarms(read, installation))
    access = _readable(lambda: read_access(read, installation, arn))
    return Verification(installation, alarms, access, arn, stack.name, response, remains)


def _tried(service: Live, stack: ThrowAwayStack, template: str, arn: str, progress: Screen) -> Response:
    """Create the stack. If that is interrupted or cannot be done, delete it, name what remains, and raise."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        with _terminated_like_interrupted():
            return stack.create(template)
    except (BotoCoreError, ClientError, TimeoutError) as error:
        _name_remains(_deleted(service, stack, arn, progress), progress)
        raise UserError(f"the stack {stack.name} could not be created: {error}") from error
    except KeyboardInterrupt:
        progress.print("Interrupted. Waiting for the response, then deleting the stack ...", fg="yellow")
        _name_remains(_deleted(service, stack, arn, progress, is_creating=True), progress)
        raise


def _deleted(
    service: Live, stack: ThrowAwayStack, arn: str, progress: Screen, *, is_creating: bool = False
) -> tuple[str, ...]:
    """Delete the stack; return what remains: the stack, and its configuration. Ctrl-C ends the wait."""
    try:
        with _terminated_like_interrupted():
            progress.print(f"Deleting the stack {stack.name} ...", dim=True)
            remains = stack.delete(is_creating=is_creating)
            return (*filter(None, (remains, _orphan(service, stack, arn))),)
    except KeyboardInterrupt:
        _name_remains((stack.abandon(),), progress)
        raise


def _orphan(service: Live, stack: ThrowAwayStack, arn: str) -> str:
    """The configuration if it still exists and the stack created it; empty if not, or if it cannot be read."""
    from ..errors import ProviderError
    from ..resources.ownership import Ownership

    try:
        live = service.at().read(arn)
    except ProviderError:
        return ""
    is_own = live is not None and bool(stack.stack_id) and Ownership.of(live.tags).stack_id == stack.stack_id
    return f"configuration {arn}" if is_own else ""


def _name_remains(remains: tuple[str, ...], progress: Screen) -> None:
    for one in remains:
        progress.print(f"Remains: {one}", fg="red")
    if not remains:
        progress.print("Nothing remains.", dim=True)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Treat SIGTERM, which pipelines send when they are canceled, as Ctrl-C."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _readable(read: Callable[[], list[Any]]) -> list[Any] | NotRead:
    from ..preflight.interface import DeniedError, ReadError
    from .verification.report import NotRead

    try:
        return read()
    except DeniedError as error:
        return NotRead(error.action, "")
    except ReadError as error:
        return NotRead("", str(error))


def template(installation: Installation, name: str) -> str:
    """The template of the throw-away stack, from the samples of the starter template."""
    from ..authoring.samples import SAMPLES
    from ..authoring.starter_template import StarterTemplate
    from ..resources import DISTRIBUTION_CONFIGURATION
    from ..schema.model import NAME
    from ..schema.return_values import ATTRIBUTES
    from .verification.throw_away_stack import LOGICAL_ID, SERVICE_TIMEOUT

    (resource,) = StarterTemplate(required=True).as_template()["Resources"].values()
    text = json.dumps(resource["Properties"]).replace(SAMPLES["Distribution", "region"], installation.region)
    properties = json.loads(text.replace(SAMPLES["Properties", NAME], json.dumps(name)[1:-1]))
    properties |= {"ServiceToken": installation.function, "ServiceTimeout": SERVICE_TIMEOUT}
    resource = {"Type": DISTRIBUTION_CONFIGURATION, "Properties": properties}
    outputs = {attribute: {"Value": {"Fn::GetAtt": [LOGICAL_ID, attribute]}} for attribute in ATTRIBUTES}
    description = "A throw-away stack of `verify`. If it still exists a day later, delete it."
    return json.dumps({"Description": description, "Resources": {LOGICAL_ID: resource}, "Outputs": outputs})
