"""`convert`: converts native resources and the AWS CLI's input to this provider's resources, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .files import FILE_OR_STANDARD_INPUT, STANDARD_INPUT, UserError, output_option, read_bytes, write
from .service_token import service_token_option

if TYPE_CHECKING:
    from ..lint.diagnostic import Diagnostic
    from ..template.reader import Source
    from .convert.document import Document
    from .convert.resource_nodes import ResourceNode

EPILOG = """\b
Examples:
  python -m provider convert native.yaml --output ours.yaml
  python -m provider convert native.yaml --adopt --output adopted.yaml
  python -m provider convert update-distribution-configuration.json
  aws imagebuilder get-distribution-configuration \\
    --distribution-configuration-arn ARN | python -m provider convert -
  python -m provider convert ours.yaml --to native
  python -m provider convert ours.yaml --to cli --resource GoldenImage

\b
Exit status:
  0  everything was converted, and the result passes all checks
  1  something could not be converted, or `validate` rejects the result
  2  the file cannot be read or has nothing to convert, or the command is wrong
"""


_TERRAFORM = (
    "this is a file of Terraform, which is not converted. Use `export ARN`, which writes the resource from the live "
    "configuration; docs/migrating/terraform.md describes the migration and maps the names"
)


@click.command(epilog=EPILOG, short_help="Convert native resources and CLI input, and back.")
@click.argument("file", metavar="FILE", type=FILE_OR_STANDARD_INPUT)
@click.option(
    "--to",
    "target",
    type=click.Choice(["ours", "native", "cli"]),
    default="ours",
    show_default=True,
    help="Convert to this provider's resources, to native resources, or to JSON for the AWS CLI's --cli-input-json.",
)
@click.option("--adopt", is_flag=True, help="Adopt the configurations of native resources that are deployed.")
@click.option("--resource", metavar="LOGICAL_ID", default="", help="With --to cli: the resource, if there are several.")
@service_token_option
@output_option
def convert(file: Path, target: str, adopt: bool, resource: str, service_token: Any, output: Path | None) -> None:
    """Convert FILE: a template, a part of one, or input of the AWS CLI, in YAML or JSON.

    A template's native resources (AWS::ImageBuilder::DistributionConfiguration) become this provider's. Everything
    else is unchanged: comments, quotes, order, functions, and references to the resources. --to native does the
    opposite, and reports the properties that the native resource lacks.

    Input of update- or create-distribution-configuration becomes a template in YAML; comments in it are kept. Output
    of get-distribution-configuration becomes a template that adopts the configuration and changes nothing.

    If a native resource is already deployed, use --adopt: the provider's resource adopts its configuration under
    another logical ID. This is the second step of docs/migrating.md. The first is to deploy the native resource with
    DeletionPolicy: Retain; convert checks that the template has it.

    Standard error shows each change, and everything that could not be converted, with line and column.
    """
    _check_options(target, adopt, resource)
    _check_service_token(target)
    name = "stdin" if file == STANDARD_INPUT else str(file)
    content = read_bytes(file)
    try:
        document = _document(content, name)
        text = _converted(document, target, adopt, resource, service_token)
    except click.ClickException as error:
        if _is_terraform(file, content):
            raise UserError(f"{name}: {_TERRAFORM}") from error
        raise
    for note in sorted(dict.fromkeys(document.notes), key=lambda note: (note.line, note.column)):
        prefix = "not converted: " if note.is_loss else ""
        click.echo(f"{name}:{note.line}:{note.column}: {prefix}{note.text}", err=True)
    has_errors = False
    if text:
        converted = _parse(text, name)
        write(text, output)
        has_errors = _report_findings(converted, target, str(output or "the result"))
    raise SystemExit(has_errors or any(note.is_loss for note in document.notes))


def _document(content: bytes, name: str) -> Document:
    """The document in a file. Raises UserError if it cannot be read."""
    from ..template.reader import UnreadableError
    from .convert.document import Document

    try:
        return Document.of(content)
    except UnreadableError as error:
        raise UserError(f"{name}:{error.position.line}:{error.position.column}: {error.message}") from error


def _is_terraform(file: Path, content: bytes) -> bool:
    """Whether a file that cannot be converted is a configuration or a state of Terraform or OpenTofu."""
    is_named_so = file.name.endswith((".tf", ".tf.json", ".tofu", ".tfstate"))
    return is_named_so or b"aws_imagebuilder_distribution_configuration" in content


def _check_options(target: str, adopt: bool, resource: str) -> None:
    if adopt and target != "ours":
        raise click.UsageError("--adopt can be used only with --to ours.")
    if resource and target != "cli":
        raise click.UsageError("--resource can be used only with --to cli.")


def _check_service_token(target: str) -> None:
    source = click.get_current_context().get_parameter_source("service_token")
    if source is ParameterSource.COMMANDLINE and target != "ours":
        raise click.UsageError("--service-token can be used only with --to ours.")


def _converted(document: Document, target: str, adopt: bool, resource: str, service_token: Any) -> str:
    """The result; empty if nothing could be converted. Raises UserError if there is nothing to convert."""
    from ..authoring.native import NATIVE_TYPE
    from .convert import cli_input, from_native, get_output
    from .convert.resource_nodes import resources

    if target == "native":
        from .convert.to_native import to_native

        _provider_resources(document)
        to_native(document)
    elif target == "cli":
        return cli_input.to_input(document, _chosen_resource(document, resource))
    elif resources(document, NATIVE_TYPE):
        (from_native.to_adopted if adopt else from_native.to_owned)(document, service_token)
    elif get_output.is_output(document.source.tree):
        return get_output.from_output(document, service_token)
    elif adopt:
        raise click.UsageError("--adopt applies only to native resources.")
    elif cli_input.is_input(document.source.tree):
        return cli_input.from_input(document, service_token)
    else:
        raise UserError(
            f"there is nothing to convert: the file contains neither {NATIVE_TYPE} resources nor AWS CLI input. "
            "To convert a resource of this provider, use --to native or --to cli"
        )
    return document.result()


def _chosen_resource(document: Document, logical_id: str) -> ResourceNode:
    """The resource with this logical ID, or the only one. Raises UserError if there is no such resource."""
    found = {one.logical_id: one for one in _provider_resources(document)}
    if logical_id and logical_id not in found:
        raise UserError(f"--resource: there is no {logical_id}; there are {', '.join(found)}")
    if not logical_id and len(found) > 1:
        raise UserError(f"there are several resources: {', '.join(found)}; choose one with --resource")
    return found[logical_id] if logical_id else next(iter(found.values()))


def _provider_resources(document: Document) -> list[ResourceNode]:
    from ..resources import CUSTOM_RESOURCE, DISTRIBUTION_CONFIGURATION
    from .convert.resource_nodes import provider_resources

    if found := provider_resources(document):
        return found
    raise UserError(
        f"there is nothing to convert: the file contains neither {DISTRIBUTION_CONFIGURATION} resources nor "
        f"{CUSTOM_RESOURCE} resources with this provider's properties"
    )


def _parse(text: str, name: str) -> Source:
    """Parse the result. Raises UserError if the original's layout made the edits fail."""
    from ..template.reader import UnreadableError, read

    try:
        return read(text.encode())
    except UnreadableError as error:
        raise UserError(f"{name}: this YAML layout cannot be edited in place ({error}); reformat it first") from error


def _report_findings(converted: Source, target: str, name: str) -> bool:
    """Print the findings of `validate` in the result, and return whether there are errors."""
    from ..schema.finding import Severity

    template, added = _as_template(converted, target)
    findings = _findings(template, is_ours=target == "ours", is_part=added > 0)
    positions = [(converted.position(one.path[added:]), one) for one in findings]
    for position, one in sorted(positions, key=lambda pair: pair[0].line):
        message = f"{one.severity.value} {one.id}: {one.message}"
        click.echo(f"{name}:{position.line}:{position.column}: {message}", err=True)
    return any(one.severity is Severity.ERROR for one in findings)


def _findings(template: dict[str, Any], *, is_ours: bool, is_part: bool) -> list[Diagnostic]:
    from ..lint.template_check import check
    from ..lint.template_structure import check_structure

    # A native resource has no ServiceToken and no account sources, which are reported already. A part of a template
    # lacks the resources that it depends on.
    ignored = ["E3003", "W9335"] * (not is_ours) + ["E3005"] * is_part
    structure = [one for one in check_structure(template) if one.id not in ignored]
    known = {one.path for one in structure}
    return [*structure, *(one for one in check(template) if one.path not in known and one.id not in ignored)]


def _as_template(converted: Source, target: str) -> tuple[Any, int]:
    """The result as a template with this provider's resources, and the number of path elements that this adds."""
    from ..authoring.native import NATIVE_TYPE
    from ..resources import DISTRIBUTION_CONFIGURATION
    from ..template.reader import read

    tree = converted.tree
    if target == "cli":
        return {"Resources": {"Resource": {"Type": DISTRIBUTION_CONFIGURATION, "Properties": tree}}}, 3
    if target == "native":
        tree = read(converted.text.replace(NATIVE_TYPE, DISTRIBUTION_CONFIGURATION).encode()).tree
    if "Resources" in tree:
        return tree, 0
    return ({"Resources": {"Resource": tree}}, 2) if "Type" in tree else ({"Resources": tree}, 1)
