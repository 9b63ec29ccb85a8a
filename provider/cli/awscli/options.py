"""The options of an AWS CLI command: the operation's members, and those that all commands have."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import click

from .command_errors import InvalidUsageError, exit_statuses
from .output_formats import FORMATS

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
    from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]  # jmespath has no types

    try:
        return jmespath.compile(value)
    except JMESPathError as error:
        raise click.BadParameter(f"{value}: {error}") from error


def _version(context: click.Context, _: click.Parameter, requested: bool) -> None:
    if requested and not context.resilient_parsing:
        context.find_root().command(["--version"])


INPUT: Final = (
    click.Option(["--cli-input-json"], metavar="JSON", help="The members as JSON, or as file://PATH; options for "
                 "individual members override it."),
    click.Option(["--cli-input-yaml"], metavar="YAML", help="The same as YAML 1.2, without duplicate keys."),
    click.Option(["--generate-cli-skeleton"], type=click.Choice(["input", "yaml-input", "output"]), is_flag=False,
                 flag_value="input", help="Make no API call. Print all members as a template to fill in, as JSON "
                 "(input, the default) or commented YAML (yaml-input); or check the members and print a sample "
                 "response (output)."),
)  # fmt: skip
"""The options that give members in other ways, or print them."""

GLOBAL: Final = (
    click.Option(["--region"], help="The Region.  [default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's]"),
    click.Option(["--profile"], help="The profile in the shared configuration and credentials files.  "
                 "[default: AWS_PROFILE, then AWS_DEFAULT_PROFILE]"),
    click.Option(["--endpoint-url"], callback=_endpoint, help="The endpoint to call instead of the Region's."),
    click.Option(["--output"], type=click.Choice(FORMATS),
                 help="The output format.  [default: AWS_DEFAULT_OUTPUT, the profile's, or json]"),
    click.Option(["--query"], callback=_query, help="A JMESPath expression that selects the output."),
    click.Option(["--color"], type=click.Choice(["on", "off", "auto"]), default="auto",
                 help="Color in tables; auto: on a terminal, unless NO_COLOR is set."),
    click.Option(["--debug"], is_flag=True, help="Log to standard error, without signatures, credentials, MFA codes, "
                 "and external IDs."),
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
    click.Option(["--no-paginate"], is_flag=True, expose_value=False, help="The response has only one page."),
    click.Option(["--cli-binary-format"], expose_value=False, help="No member is binary."),
    click.Option(["--no-cli-pager"], is_flag=True, expose_value=False, help="There is no pager."),
    click.Option(["--cli-auto-prompt"], is_flag=True, expose_value=False, help="There is no prompt."),
    click.Option(["--no-cli-auto-prompt"], is_flag=True, expose_value=False, help="There is no prompt."),
    click.Option(["--cli-error-format"], expose_value=False, help="Errors are plain text."),
)  # fmt: skip
"""Options that have no effect and are accepted so that scripts keep working."""


_NEGATIVE_NUMBER: Final = re.compile(r"-\d+|-\d*\.\d+")


class OperationCommand(click.Command):
    """The command of the Update operation. It has the AWS CLI's options and those that are declared with it."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """All parameters. Those of the operation come from the service model, which is loaded on first use."""
        return [param for _, params in self._sections(ctx) for param in params]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments. Errors end the command as in the AWS CLI."""
        try:
            with exit_statuses():
                assigned = _assign_values(args, self.get_params(ctx))
                return super().parse_args(ctx, ["--help"] if args == ["help"] else assigned)
        except click.UsageError as error:
            raise InvalidUsageError(error.format_message(), ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Output that cannot be written ends it as in the AWS CLI."""
        with exit_statuses():
            return super().invoke(ctx)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage on one line. Click would wrap it after a name of this length."""
        formatter.write(f"Usage: {ctx.command_path} {' '.join(self.collect_usage_pieces(ctx))}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections. Those of the operation have the service's documentation."""
        from ...authoring.documentation import description, plain
        from ...schema.model import UPDATE, operation

        for member in _member_options():
            member.help = plain(description(operation(UPDATE), str(member.name)))
        for heading, params in self._sections(ctx):
            with formatter.section(heading):
                formatter.write_dl([record for param in params if (record := param.get_help_record(ctx))])

    def _sections(self, ctx: click.Context) -> tuple[tuple[str, list[click.Parameter]], ...]:
        return (
            ("Members", [*_member_options()]),
            ("Input", [*INPUT]),
            ("Beyond the AWS CLI", super().get_params(ctx)),
            ("Global options", [*GLOBAL]),
            ("Accepted but ignored", [*IGNORED]),
        )


@cache
def members() -> Mapping[str, tuple[str, Schema]]:
    """The name and schema of each member of the input, by option."""
    from botocore import xform_name

    from ...schema.model import UPDATE, operation

    return {f"--{xform_name(name, '-')}": (name, schema) for name, schema in operation(UPDATE).members.items()}


@cache
def _member_options() -> tuple[click.Option, ...]:
    options = []
    for option, (name, schema) in members().items():
        if schema.type_name == "boolean":
            options.append(click.Option([f"{option}/--no-{option[2:]}", name], default=None))
        else:
            is_list = schema.type_name == "list"
            metavar = f"{schema.type_name.upper()}{'...' if is_list else ''}"
            options.append(click.Option([option, name], multiple=is_list, metavar=metavar))
    return tuple(options)


def _assign_values(arguments: list[str], params: list[click.Parameter]) -> list[str]:
    """Write each option with its value as one argument: `--ids 1 2 --name a` -> `--ids=1 --ids=2 --name=a`.

    A list's option is repeated for each value, as click expects; without values, it is an empty list. If an option is
    given twice, the last one is used, as in the AWS CLI. Raises UsageError if a value is missing.
    """
    options = {option: param for param in params for option in (*param.opts, *param.secondary_opts)}
    lists: dict[str, list[str]] = {}
    others: list[str] = []
    rest = list(arguments)
    while rest and rest[0] != "--":
        option, equals, value = (argument := rest.pop(0)).partition("=")
        param = options.get(option)
        if not isinstance(param, click.Option):
            others.append(argument)
        elif param.multiple:
            lists[option] = [value] if equals else _take_while(rest, lambda text: _is_value(text, options))
        elif equals or param.is_flag:
            others.append(argument)
        else:
            others.append(_with_value(param, option, rest, options))
    return [*_repeated(lists), *others, *rest]


def _repeated(lists: Mapping[str, list[str]]) -> list[str]:
    return [f"{option}={text}" for option, texts in lists.items() for text in texts or ["[]"]]


def _with_value(param: click.Option, option: str, rest: list[str], options: Mapping[str, object]) -> str:
    """The option with its value, which is removed from the rest of the arguments."""
    if rest and _is_value(rest[0], options):
        return f"{option}={rest.pop(0)}"
    if param._flag_needs_value:  # click has no public name for an option whose value is optional
        return option
    raise click.UsageError(_missing_value(option, rest, options))


def _take_while(arguments: list[str], is_taken: Callable[[str], bool]) -> list[str]:
    """Remove and return the arguments at the start that are taken."""
    taken = []
    while arguments and is_taken(arguments[0]):
        taken.append(arguments.pop(0))
    return taken


def _is_value(argument: str, options: Mapping[str, object]) -> bool:
    """Whether a separate argument is a value, and not an option, by the rules of argparse, which the AWS CLI uses."""
    if not argument.startswith("-") or argument == "-" or _NEGATIVE_NUMBER.fullmatch(argument):
        return True
    name, equals, _ = argument.partition("=")
    return " " in argument and not (equals and any(option.startswith(name) for option in options))


def _missing_value(option: str, rest: list[str], options: Mapping[str, object]) -> str:
    message = f"argument {option}: expected one argument"
    if not rest or rest[0] == "--" or rest[0].partition("=")[0] in options:
        return message
    return f"{message}; if {rest[0]} is its value, write {option}={rest[0]}"
