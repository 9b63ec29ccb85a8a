"""`validate`: reports the handler's errors and warnings, with their lines, before a deployment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .mistakes import Mistake
from .reading import STANDARD_INPUT, bytes_of

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
  2  a file cannot be read, has a null, or is neither a template nor properties, or the command is wrong
"""


@click.command(epilog=EPILOG, short_help="Check templates and property files.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(allow_dash=True, path_type=Path),
)
@click.option(
    "--format",
    "--output",
    "form",
    type=click.Choice(_FORMATS),
    default="human",
    show_default=True,
    help="For people, for programs, for code scanning, or as annotations in GitHub Actions.",
)
@click.option("--strict", is_flag=True, help="Fail on warnings, too.")
def validate(files: tuple[Path, ...], form: str, strict: bool) -> None:
    """Check distribution configurations in templates offline, as the provider does before any call.

    FILE is a template (YAML or JSON; - is standard input) or a file with the Properties of a single resource. Each
    finding has its line, the message that the provider would return, and its cfn-lint ID (see docs/linting.md).

    Values that are known only at deployment (other resources, dynamic references) are not checked. For parameters, the
    Default and each of the AllowedValues are checked. For each Fn::If, both values are checked, in all combinations of
    conditions that can occur.

    To check other resources and the whole template as well, run `cfn-lint FILE -a provider.lint`.
    """
    from ..template.template_error import UNREADABLE
    from .reports import FORMATS, Report
    from .screen import Screen

    counted, diagnostics = 0, []
    for file in dict.fromkeys(files):
        resources, found = _checked(file)
        counted += resources
        diagnostics += found
    report = Report(len(set(files)), counted, tuple(diagnostics))
    text = FORMATS[form](report)
    if text:
        Screen(sys.stdout).say(text)
    if any(one.id == UNREADABLE for one in diagnostics):
        raise SystemExit(2)
    raise SystemExit(bool(report.count("error") or (strict and report.diagnostics)))


def _checked(file: Path) -> tuple[int, list[Diagnostic]]:
    """How many resources of the provider's a file has, and what is wrong with them, from top to bottom."""
    from ..lint.diagnostic import Diagnostic
    from ..schema.finding import Severity
    from ..template.reader import UnreadableError, read
    from ..template.template_error import UNREADABLE

    name = "stdin" if file == STANDARD_INPUT else str(file)
    try:
        source = read(bytes_of(file))
        resources, found = _findings(source)
    except UnreadableError as error:
        unreadable = Diagnostic((), UNREADABLE, Severity.ERROR, error.message, "", name, error.position, error.line)
        return 0, [unreadable]
    except Mistake as error:
        message = error.message.removeprefix(f"{name}: ")
        return 0, [Diagnostic((), UNREADABLE, Severity.ERROR, message, file=name)]
    placed = []
    for one in found:
        position = source.position(one.path)
        placed.append(one._replace(file=name, position=position, line=source.line(position.line)))
    return resources, sorted(placed, key=lambda one: (one.position.line, one.position.column))


def _findings(source: Source) -> tuple[int, list[Diagnostic]]:
    """Raises UnreadableError for what is neither a template nor properties."""
    from ..lint.resource_matching import provider_resources
    from ..lint.template_check import check, check_properties
    from ..lint.template_structure import check_bare, check_structure
    from ..template.reader import UnreadableError

    tree = source.tree
    if tree is None:
        raise UnreadableError("is empty")
    if isinstance(tree, Mapping) and "Resources" in tree:
        return len(provider_resources(tree)), _together(check_structure(tree), check(tree))
    if isinstance(tree, Mapping) and _are_properties(tree):
        return 1, _together(check_bare(tree), check_properties(tree))
    raise UnreadableError("is neither a template (it has no Resources) nor a resource's properties")


def _together(around: list[Diagnostic], within: list[Diagnostic]) -> list[Diagnostic]:
    """All findings; of a null it is not told once more that something else should be there."""
    from ..template.template_error import UNREADABLE

    nulls = {one.path for one in around if one.id == UNREADABLE}
    return [*around, *(one for one in within if one.path not in nulls)]


def _are_properties(tree: Mapping[str, Any]) -> bool:
    from ..resources import resource_type

    return not tree.keys().isdisjoint(resource_type().schema.spellings)
