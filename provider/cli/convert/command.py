"""`convert`: the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..mistakes import Mistake
from ..reading import STANDARD_INPUT, bytes_of
from ..writing import output_option, write

if TYPE_CHECKING:
    from ...template.reader import Source
    from .document import Document, Note
    from .resources import Resource

EPILOG = """\b
Examples:
  python -m provider convert native.yaml --output ours.yaml
  python -m provider convert native.yaml --adopt --output adopted.yaml
  python -m provider convert update-distribution-configuration.json
  python -m provider convert ours.yaml --to native
  python -m provider convert ours.yaml --to cli --resource GoldenImage

\b
Exit status:
  0  all was converted, and the result passes all checks
  1  something could not be converted, or the result has errors
  2  the file cannot be read or has nothing to convert, or the command is wrong
"""


@click.command(epilog=EPILOG, short_help="Convert native resources and CLI input, and back.")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--to",
    "form",
    type=click.Choice(["ours", "native", "cli"]),
    default="ours",
    show_default=True,
    help="Resources of the provider's, native ones, or the AWS CLI's --cli-input-json.",
)
@click.option("--adopt", is_flag=True, help="Let ours take over what native resources of a deployed stack stand for.")
@click.option("--resource", metavar="LOGICAL_ID", default="", help="With --to cli: which resource, if there are more.")
@output_option
def convert(file: Path, form: str, adopt: bool, resource: str, output: Path | None) -> None:
    """Convert FILE, which is a template, a part of one, or input of the AWS CLI, in YAML or JSON.

    A template's native resources (AWS::ImageBuilder::DistributionConfiguration) become the provider's. All else
    stays to the letter: comments, quotes, order, functions, and what refers to the resources. --to native does the
    opposite, and tells what the native resource cannot have.

    Input of update- or create-distribution-configuration becomes a template in YAML; comments in it are kept.

    A resource that is deployed as native needs --adopt: ours takes over its configuration under another logical ID.
    That is the second step of docs/migrating.md; the first, to deploy DeletionPolicy: Retain, is looked for.

    Standard error tells what was changed, what could not be converted, and where. Nothing is left out silently.
    """
    from ...template.reader import UnreadableError
    from .document import Document

    name = "stdin" if file == STANDARD_INPUT else str(file)
    try:
        source = Document.of(bytes_of(file))
    except UnreadableError as error:
        raise Mistake(f"{name}:{error.position.line}:{error.position.column}: {error.message}") from error
    text = {"ours": _to_ours, "native": _to_native, "cli": _to_cli}[form](source, adopt, resource)
    for note in _in_order(source.notes):
        lost = "not converted: " if note.lost else ""
        click.echo(f"{name}:{note.line}:{note.column}: {lost}{note.text}", err=True)
    errors = False
    if text:
        made = _read_again(text, name)
        write(text, output)
        errors = _tell_findings(made, form, str(output or "the result"))
    raise SystemExit(errors or any(note.lost for note in source.notes))


def _in_order(notes: list[Note]) -> list[Note]:
    return sorted(dict.fromkeys(notes), key=lambda note: (note.line, note.column))


def _to_ours(source: Document, adopt: bool, resource: str) -> str:
    from ...authoring.native import NATIVE_TYPE
    from . import cli_input, from_native
    from .resources import resources

    _only(resource, "--resource", "--to cli")
    if resources(source, NATIVE_TYPE):
        (from_native.adopt if adopt else from_native.own)(source)
        return source.result()
    _only(adopt, "--adopt", "native resources")
    if cli_input.is_input(source.source.tree):
        return cli_input.from_input(source)
    raise Mistake(
        f"there is nothing to convert: no resource of the type {NATIVE_TYPE}, and no input of the AWS CLI. "
        "For a resource of the provider's, say --to native or --to cli"
    )


def _to_native(source: Document, adopt: bool, resource: str) -> str:
    from .to_native import to_native

    _only(adopt, "--adopt", "--to ours")
    _only(resource, "--resource", "--to cli")
    _ours(source)
    to_native(source)
    return source.result()


def _to_cli(source: Document, adopt: bool, resource: str) -> str:
    from .cli_input import to_input

    _only(adopt, "--adopt", "--to ours")
    found = {one.name: one for one in _ours(source)}
    if resource and resource not in found:
        raise Mistake(f"--resource: there is no {resource}; there are {', '.join(found)}")
    if not resource and len(found) > 1:
        raise Mistake(f"which one? --resource says it; there are {', '.join(found)}")
    return to_input(source, found[resource] if resource else next(iter(found.values())))


def _ours(source: Document) -> list[Resource]:
    from ...resources import CUSTOM_RESOURCE, DISTRIBUTION_CONFIGURATION
    from .resources import own_resources

    if found := own_resources(source):
        return found
    own, generic = DISTRIBUTION_CONFIGURATION, CUSTOM_RESOURCE
    raise Mistake(
        f"there is nothing to convert: no resource of the type {own}, nor of {generic} with this provider's properties"
    )


def _only(given: object, option: str, place: str) -> None:
    if given:
        raise click.UsageError(f"{option} goes with {place} only.")


def _read_again(text: str, name: str) -> Source:
    """What the result says. Raises Mistake where the original is laid out so that changing it in places went wrong."""
    from ...template.reader import UnreadableError, read

    try:
        return read(text.encode())
    except UnreadableError as error:
        raise Mistake(f"{name}: cannot be changed in its layout ({error}); lay it out plainly first") from error


def _tell_findings(made: Source, form: str, name: str) -> bool:
    """Tell what `validate` would say of the result if it were ours. Returns whether there are errors."""
    from ...lint.template_check import check
    from ...schema.finding import Severity

    tree, above = _as_ours(made, form)
    found = check(tree)
    placed = sorted(((made.position(one.path[above:]), one) for one in found), key=lambda told: told[0].line)
    for place, one in placed:
        click.echo(f"{name}:{place.line}:{place.column}: {one.severity.value} {one.id}: {one.message}", err=True)
    return any(one.severity is Severity.ERROR for one in found)


def _as_ours(made: Source, form: str) -> tuple[Any, int]:
    """A template of ours that says what the result says, and how many steps of its paths the result does not have."""
    from ...authoring.block import RESOURCE_TYPE
    from ...authoring.native import NATIVE_TYPE
    from ...template.reader import read

    tree = made.tree
    if form == "cli":
        return {"Resources": {"Resource": {"Type": RESOURCE_TYPE, "Properties": tree}}}, 3
    if form == "native":
        tree = read(made.text.replace(NATIVE_TYPE, RESOURCE_TYPE).encode()).tree
    if "Resources" in tree:
        return tree, 0
    return ({"Resources": {"Resource": tree}}, 2) if "Type" in tree else ({"Resources": tree}, 1)
