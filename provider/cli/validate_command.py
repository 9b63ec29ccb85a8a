"""`validate`: reports the errors and warnings of the handler, with their lines, before a deployment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .files import STANDARD_INPUT, UserError, read_bytes

if TYPE_CHECKING:
    from ..lint.diagnostic import Diagnostic
    from ..template.reader import Source

_FORMATS = ("human", "json", "sarif", "github")

EPILOG = """\b
Examples:
  python -m provider validate stack.yaml
  python -m provider validate --strict templates/*.yaml
  cdk synth | python -m provider validate -
  python -m provider validate --format sarif stack.yaml > findings.sarif
  python -m provider validate --format github stack.yaml

\b
Exit status:
  0  no errors (with --strict: no warnings either)
  1  errors (with --strict: or warnings)
  2  a file cannot be read, has a null, or is neither a template nor properties; or the command is wrong
"""


@click.command(epilog=EPILOG, short_help="Check templates and property files.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True, path_type=Path))
@click.option(
    "--format",
    "--output",
    "output_format",
    type=click.Choice(_FORMATS),
    default="human",
    show_default=True,
    help="Output format: human-readable text, JSON, SARIF, or GitHub annotations.",
)
@click.option("--strict", is_flag=True, help="Also fail if there are only warnings.")
def validate(files: tuple[Path, ...], output_format: str, strict: bool) -> None:
    """Check distribution configurations in templates offline, as the provider does before any call.

    FILE is a template (YAML or JSON; - is standard input) or a file with the Properties of a single resource. Each
    finding has its line, the message that the provider would return, and its cfn-lint ID (see docs/linting.md).

    For values that are known only at deployment (other resources, dynamic references), only the type is checked: text
    or a list. For parameters, the Default and each of the AllowedValues are checked. For each Fn::If, both values are
    checked, in all combinations of conditions that can occur.

    To check other resources and the whole template as well, run `cfn-lint FILE -a image_builder_distribution.lint`.
    """
    from ..template.template_error import UNREADABLE
    from .reports import FORMATS, Report
    from .screen import Screen

    resources, diagnostics = 0, []
    for file in dict.fromkeys(files):
        count, found = _check_file(file)
        resources += count
        diagnostics += found
    report = Report(len(set(files)), resources, tuple(diagnostics))
    text = FORMATS[output_format](report)
    if text:
        Screen(sys.stdout).print(text)
    if any(one.id == UNREADABLE for one in diagnostics):
        raise SystemExit(2)
    raise SystemExit(bool(report.count("error") or (strict and report.diagnostics)))


def _check_file(file: Path) -> tuple[int, list[Diagnostic]]:
    """The number of the provider's resources in a file, and the problems with them, from top to bottom."""
    from ..lint.diagnostic import Diagnostic
    from ..schema.finding import Severity
    from ..template.reader import UnreadableError, read
    from ..template.template_error import UNREADABLE

    name = "stdin" if file == STANDARD_INPUT else str(file)
    try:
        source = read(read_bytes(file))
        resources, found = _check_source(source)
    except UnreadableError as error:
        unreadable = Diagnostic((), UNREADABLE, Severity.ERROR, error.message, "", name, error.position, error.line)
        return 0, [unreadable]
    except UserError as error:
        message = error.message.removeprefix(f"{name}: ")
        return 0, [Diagnostic((), UNREADABLE, Severity.ERROR, message, file=name)]
    diagnostics = []
    for one in found:
        position = source.position(one.path)
        diagnostics.append(one._replace(file=name, position=position, line=source.line(position.line)))
    return resources, sorted(diagnostics, key=lambda one: (one.position.line, one.position.column))


def _check_source(source: Source) -> tuple[int, list[Diagnostic]]:
    """The same without positions. Raises UnreadableError if it is neither a template nor properties."""
    from ..lint.account_ids import check_account_ids
    from ..lint.resource_matching import provider_resources
    from ..lint.template_check import check, check_properties
    from ..lint.template_structure import check_bare, check_structure
    from ..resources import resource_type
    from ..template.reader import UnreadableError

    tree = source.tree
    if tree is None:
        raise UnreadableError("is empty")
    if isinstance(tree, Mapping) and "Resources" in tree:
        return len(provider_resources(tree)), _combine(check_structure(tree), check(tree)) + check_account_ids(source)
    if isinstance(tree, Mapping) and not tree.keys().isdisjoint(resource_type().schema.spellings):
        return 1, _combine(check_bare(tree), check_properties(tree)) + check_account_ids(source)
    raise UnreadableError("is neither a template (it has no Resources) nor a resource's properties")


def _combine(structure: list[Diagnostic], properties: list[Diagnostic]) -> list[Diagnostic]:
    """All findings; a null that is reported once is not reported again as a value of the wrong type."""
    from ..template.template_error import UNREADABLE

    nulls = {one.path for one in structure if one.id == UNREADABLE}
    return [*structure, *(one for one in properties if one.path not in nulls)]
