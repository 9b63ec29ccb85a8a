"""`validate`: everything that the handler would refuse or warn of, with its line, before anything is deployed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .mistakes import Mistake
from .reading import STANDARD_INPUT, bytes_of

if TYPE_CHECKING:
    from ..lint.located import Located
    from .reports import Told
    from .source import Source

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
  1  something was found
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
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
def validate(files: tuple[Path, ...], form: str, strict: bool) -> None:
    """Check distribution configurations in templates, offline, as the provider will before any call.

    FILE is a template (YAML or JSON; - is standard input) or a file with the Properties of one resource alone.
    Each finding is told at its line, in the words of the provider's own answer, with the ID under which cfn-lint
    tells it (see docs/linting.md).

    What only a deployment can know (other resources, dynamic references) is taken to be all right. Parameters are
    taken to be their Default, and each of their AllowedValues. Both sides of each Fn::If are checked, in those
    combinations of conditions that can occur.

    Other resources, and most of the template as such, are for cfn-lint: `cfn-lint FILE -a provider.lint` does both.
    """
    from ..lint.frame import UNREADABLE
    from .reports import FORMATS, Report
    from .screen import Screen

    counted, told = 0, []
    for file in dict.fromkeys(files):
        resources, found = _checked(file)
        counted += resources
        told += found
    report = Report(len(set(files)), counted, tuple(told))
    text = FORMATS[form](report)
    if text:
        Screen(sys.stdout).say(text)
    if any(one.id == UNREADABLE for one in told):
        raise SystemExit(2)
    raise SystemExit(bool(report.count("error") or (strict and report.told)))


def _checked(file: Path) -> tuple[int, list[Told]]:
    """How many resources of the provider's a file has, and what is wrong with them, from top to bottom."""
    from ..lint.frame import UNREADABLE
    from .reports import Told
    from .source import Place, UnreadableError, read

    name = "stdin" if file == STANDARD_INPUT else str(file)
    try:
        source = read(bytes_of(file))
        resources, found = _findings(source)
    except UnreadableError as error:
        return 0, [Told(name, error.place, "error", UNREADABLE, str(error), line=error.line)]
    except Mistake as error:
        return 0, [Told(name, Place(), "error", UNREADABLE, error.message.removeprefix(f"{name}: "))]
    told = []
    for one in found:
        place = source.place(one.path)
        line = source.line(place.line)
        told.append(Told(name, place, one.severity.value, one.id, one.message, one.resource, line))
    return resources, sorted(told, key=lambda one: (one.place.line, one.place.column))


def _findings(source: Source) -> tuple[int, list[Located]]:
    """Raises UnreadableError for what is neither a template nor properties."""
    from ..lint.frame import check_bare, check_frame
    from ..lint.ours import resources
    from ..lint.template import check, check_properties
    from .source import UnreadableError

    tree = source.tree
    if tree is None:
        raise UnreadableError("is empty")
    if isinstance(tree, Mapping) and "Resources" in tree:
        return len(resources(tree)), _together(check_frame(tree), check(tree))
    if isinstance(tree, Mapping) and _are_properties(tree):
        return 1, _together(check_bare(tree), check_properties(tree))
    raise UnreadableError("is neither a template (it has no Resources) nor a resource's properties")


def _together(around: list[Located], within: list[Located]) -> list[Located]:
    """All findings; of a null it is not told once more that something else should be there."""
    from ..lint.frame import UNREADABLE

    nulls = {one.path for one in around if one.id == UNREADABLE}
    return [*around, *(one for one in within if one.path not in nulls)]


def _are_properties(tree: Mapping[str, Any]) -> bool:
    from ..resources import resource_type

    return not tree.keys().isdisjoint(resource_type().schema.spellings)
