"""The options of a command of the AWS CLI: its operation's members, and those that all commands have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import click

from .failure import Misused
from .output import FORMATS

if TYPE_CHECKING:
    from ...schema.model import Type


def _endpoint(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and "://" not in value:
        raise click.BadParameter(
            f'"{value}": scheme is missing. Must be of the form http://<hostname>/ or https://<hostname>/'
        )
    return value


def _query(_: click.Context, __: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    import jmespath  # type: ignore[import-untyped]
    from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

    try:
        return jmespath.compile(value)
    except JMESPathError as error:
        raise click.BadParameter(f"{value}: {error}") from error


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        context.find_root().command(["--version"])


INPUT: Final = (
    click.Option(["--cli-input-json"], metavar="JSON", help="The members as JSON, or the file://PATH of it; what has "
                 "an option of its own on the command line is taken from there."),
    click.Option(["--cli-input-yaml"], metavar="YAML", help="The same as YAML."),
    click.Option(["--generate-cli-skeleton"], type=click.Choice(["input", "yaml-input", "output"]), is_flag=False,
                 flag_value="input", help="Call nothing. Print all members to be filled in, as JSON (input, also "
                 "where nothing is said) or commented YAML (yaml-input); or check the members and print what an answer "
                 "looks like (output)."),
)  # fmt: skip
"""Where the members come from besides their own options."""

GLOBAL: Final = (
    click.Option(["--region"], help="The Region to call; else AWS_REGION's, AWS_DEFAULT_REGION's, the profile's."),
    click.Option(["--profile"], help="The profile in the shared configuration and credentials files."),
    click.Option(["--endpoint-url"], callback=_endpoint, help="What to call instead of the Region's endpoint."),
    click.Option(["--output"], type=click.Choice(FORMATS),
                 help="How the answer is printed; else as AWS_DEFAULT_OUTPUT or the profile says, else json."),
    click.Option(["--query"], callback=_query, help="What of the answer is printed, in JMESPath."),
    click.Option(["--color"], type=click.Choice(["on", "off", "auto"]), default="auto",
                 help="Color in tables; auto: on a terminal, unless NO_COLOR is set."),
    click.Option(["--debug"], is_flag=True, help="Log to standard error, without signatures and credentials."),
    click.Option(["--no-sign-request"], is_flag=True, help="Sign nothing, and look for no credentials."),
    click.Option(["--no-verify-ssl"], is_flag=True, help="Trust any certificate."),
    click.Option(["--ca-bundle"], help="A file of the certificates to trust; else AWS_CA_BUNDLE's, the profile's."),
    click.Option(["--cli-read-timeout"], type=click.IntRange(0), default=60, show_default=True,
                 help="Seconds to wait for an answer; 0: for ever."),
    click.Option(["--cli-connect-timeout"], type=click.IntRange(0), default=60, show_default=True,
                 help="Seconds to wait for a connection; 0: for ever."),
    click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_version,
                 help="Show versions."),
)  # fmt: skip
"""What every command of the AWS CLI has."""

MEANINGLESS: Final = (
    click.Option(["--no-paginate"], is_flag=True, expose_value=False, help="An answer has one page."),
    click.Option(["--cli-binary-format"], expose_value=False, help="No member is binary."),
    click.Option(["--no-cli-pager"], is_flag=True, expose_value=False, help="There is no pager."),
    click.Option(["--cli-auto-prompt"], is_flag=True, expose_value=False, help="There is no prompt."),
    click.Option(["--no-cli-auto-prompt"], is_flag=True, expose_value=False, help="There is no prompt."),
    click.Option(["--cli-error-format"], expose_value=False, help="Errors are plain text."),
)  # fmt: skip
"""What is accepted so that scripts keep working."""


class OperationCommand(click.Command):
    """The command of the Update call: what is declared at it comes on top of what the AWS CLI has."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """All parameters; the operation's from the service model, which is read where they are needed."""
        return [param for _, params in self._sections(ctx) for param in params]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; what is wrong with them ends the command as it ends the AWS CLI."""
        lists = {option for option, (_, type_) in members().items() if type_.kind == "list"}
        try:
            return super().parse_args(ctx, ["--help"] if args == ["help"] else _each_named(args, lists))
        except click.UsageError as error:
            raise Misused(error.format_message(), ctx) from None

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line: click breaks it behind a name as long as this one."""
        formatter.write(f"Usage: {ctx.command_path} {' '.join(self.collect_usage_pieces(ctx))}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of each kind below a heading of their own, the operation's as the service documents them."""
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
            ("Accepted without meaning", [*MEANINGLESS]),
        )


@cache
def members() -> Mapping[str, tuple[str, Type]]:
    """The option of each member of the call's input -> the member's name and type."""
    from botocore import xform_name

    from ...schema.model import UPDATE, operation

    return {f"--{xform_name(name, '-')}": (name, type_) for name, type_ in operation(UPDATE).members.items()}


@cache
def _member_options() -> tuple[click.Option, ...]:
    return tuple(_member_option(option, name, type_) for option, (name, type_) in members().items())


def _member_option(option: str, name: str, type_: Type) -> click.Option:
    if type_.kind == "boolean":
        return click.Option([f"{option}/--no-{option[2:]}", name], default=None)
    several = type_.kind == "list"
    return click.Option([option, name], multiple=several, metavar=type_.kind.upper() + "..." * several)


def _each_named(arguments: list[str], lists: set[str]) -> list[str]:
    """Give each value of a list's option the option's name, as click takes several: `--ids 1 2` -> `--ids 1 --ids 2`.

    Without a value it is the empty list. Where it is given twice, the last one counts, as in the AWS CLI.
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
    for option, texts in values.items():
        others += [part for text in texts or ["[]"] for part in (option, text)]
    return others
