"""The options of an AWS CLI command: the operation's members, and those that all commands have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import click

from .failure import Misused
from .output import FORMATS

if TYPE_CHECKING:
    from ...schema.model import Schema


def _endpoint(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and "://" not in value:
        raise click.BadParameter(
            f'"{value}": scheme is missing. Must be of the form http://<hostname>/ or https://<hostname>/'
        )
    return value


def _query(_: click.Context, __: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    import jmespath  # type: ignore[import-untyped]  # jmespath has no types
    from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]  # likewise

    try:
        return jmespath.compile(value)
    except JMESPathError as error:
        raise click.BadParameter(f"{value}: {error}") from error


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        context.find_root().command(["--version"])


INPUT: Final = (
    click.Option(["--cli-input-json"], metavar="JSON", help="The members as JSON, or as file://PATH; options for "
                 "individual members override it."),
    click.Option(["--cli-input-yaml"], metavar="YAML", help="The same as YAML."),
    click.Option(["--generate-cli-skeleton"], type=click.Choice(["input", "yaml-input", "output"]), is_flag=False,
                 flag_value="input", help="Call nothing. Print all members to fill in, as JSON (input, the default) "
                 "or commented YAML (yaml-input); or check the members and print a sample response (output)."),
)  # fmt: skip
"""Other sources of the members."""

GLOBAL: Final = (
    click.Option(["--region"], help="The Region.  [default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's]"),
    click.Option(["--profile"], help="The profile in the shared configuration and credentials files."),
    click.Option(["--endpoint-url"], callback=_endpoint, help="The endpoint to call instead of the Region's."),
    click.Option(["--output"], type=click.Choice(FORMATS),
                 help="The output format.  [default: AWS_DEFAULT_OUTPUT, the profile's, or json]"),
    click.Option(["--query"], callback=_query, help="A JMESPath expression that selects the output."),
    click.Option(["--color"], type=click.Choice(["on", "off", "auto"]), default="auto",
                 help="Color in tables; auto: on a terminal, unless NO_COLOR is set."),
    click.Option(["--debug"], is_flag=True, help="Log to standard error, without signatures and credentials."),
    click.Option(["--no-sign-request"], is_flag=True, help="Do not sign requests or load credentials."),
    click.Option(["--no-verify-ssl"], is_flag=True, help="Do not verify certificates."),
    click.Option(["--ca-bundle"], help="A CA bundle file.  [default: AWS_CA_BUNDLE or the profile's]"),
    click.Option(["--cli-read-timeout"], type=click.IntRange(0), default=60, show_default=True,
                 help="Seconds to wait for a response; 0: no limit."),
    click.Option(["--cli-connect-timeout"], type=click.IntRange(0), default=60, show_default=True,
                 help="Seconds to wait for a connection; 0: no limit."),
    click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version,
                 help="Show versions."),
)  # fmt: skip
"""The global options of the AWS CLI."""

IGNORED: Final = (
    click.Option(["--no-paginate"], is_flag=True, expose_value=False, help="A response has one page."),
    click.Option(["--cli-binary-format"], expose_value=False, help="No member is binary."),
    click.Option(["--no-cli-pager"], is_flag=True, expose_value=False, help="There is no pager."),
    click.Option(["--cli-auto-prompt"], is_flag=True, expose_value=False, help="There is no prompt."),
    click.Option(["--no-cli-auto-prompt"], is_flag=True, expose_value=False, help="There is no prompt."),
    click.Option(["--cli-error-format"], expose_value=False, help="Errors are plain text."),
)  # fmt: skip
"""Options that have no effect and are accepted so that scripts keep working."""


class OperationCommand(click.Command):
    """The command of the Update operation. The options declared with it are added to those of the AWS CLI."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """All parameters; the operation's come from the service model, which is loaded on first use."""
        return [param for _, params in self._sections(ctx) for param in params]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; errors end the command as in the AWS CLI."""
        lists = {option for option, (_, type_) in members().items() if type_.type_name == "list"}
        try:
            return super().parse_args(ctx, ["--help"] if args == ["help"] else _each_named(args, lists))
        except click.UsageError as error:
            raise Misused(error.format_message(), ctx) from None

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage on one line; click would wrap it after a name of this length."""
        formatter.write(f"Usage: {ctx.command_path} {' '.join(self.collect_usage_pieces(ctx))}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections, those of the operation with the service's documentation."""
        from ...authoring.documentation import of_member, plain
        from ...schema.model import UPDATE, operation

        for member in _member_options():
            member.help = plain(of_member(operation(UPDATE), str(member.name)))
        for heading, params in self._sections(ctx):
            with formatter.section(heading):
                formatter.write_dl([record for param in params if (record := param.get_help_record(ctx))])

    def _sections(self, ctx: click.Context) -> tuple[tuple[str, list[click.Parameter]], ...]:
        return (
            ("Members", [*_member_options()]),
            ("Input", [*INPUT]),
            ("Beyond the AWS CLI", super().get_params(ctx)),
            ("Global options", [*GLOBAL]),
            ("Accepted without effect", [*IGNORED]),
        )


@cache
def members() -> Mapping[str, tuple[str, Schema]]:
    """Option -> name and type of the input member."""
    from botocore import xform_name

    from ...schema.model import UPDATE, operation

    return {f"--{xform_name(name, '-')}": (name, type_) for name, type_ in operation(UPDATE).members.items()}


@cache
def _member_options() -> tuple[click.Option, ...]:
    return tuple(_member_option(option, name, type_) for option, (name, type_) in members().items())


def _member_option(option: str, name: str, type_: Schema) -> click.Option:
    if type_.type_name == "boolean":
        return click.Option([f"{option}/--no-{option[2:]}", name], default=None)
    several = type_.type_name == "list"
    return click.Option([option, name], multiple=several, metavar=type_.type_name.upper() + "..." * several)


def _each_named(arguments: list[str], lists: set[str]) -> list[str]:
    """Repeat a list's option for each value, as click expects: `--ids 1 2` -> `--ids 1 --ids 2`.

    An option without values is an empty list. If an option is given twice, the last one counts, as in the AWS CLI.
    """
    values: dict[str, list[str]] = {}
    others: list[str] = []
    current: list[str] | None = None
    for argument in arguments:
        option, given, value = argument.partition("=")
        if option in lists:
            values[option] = [value] if given else []
            current = None if given else values[option]
        elif argument.startswith("-") or current is None:
            current = None
            others.append(argument)
        else:
            current.append(argument)
    return [*others, *(part for option, texts in values.items() for part in _repeated(option, texts or ["[]"]))]


def _repeated(option: str, texts: list[str]) -> list[str]:
    return [part for text in texts for part in (option, text)]
