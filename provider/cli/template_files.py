"""Reads the templates on the command line, and the values for their parameters, imports, and dynamic references."""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .files import STANDARD_INPUT, UserError, read_bytes

if TYPE_CHECKING:
    from ..template.sections import Template
    from ..template.template_error import TemplateError


class OptionValues(UserDict[str, str]):
    """The values of a repeatable option by name; `unused` are the names that were not looked up."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.unused = dict.fromkeys(values)

    def __getitem__(self, name: str) -> str:
        self.unused.pop(name, None)
        return super().__getitem__(name)


def _option_values(_: click.Context, parameter: click.Parameter, pairs: tuple[str, ...]) -> OptionValues:
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{pair!r} must have the form {parameter.metavar}.")
        if name in values:
            raise click.BadParameter(f"{name} is specified twice, as {values[name]!r} and {value!r}.")
        values[name] = value
    return OptionValues(values)


def _repeatable(names: Sequence[str], metavar: str, purpose: str) -> Callable[[Any], Any]:
    text = f"{purpose}; repeatable."
    return click.option(*names, multiple=True, metavar=metavar, callback=_option_values, help=text)


parameter_option = _repeatable(
    ["-p", "--parameter", "parameters"], "KEY=VALUE", "Set a template parameter in each template that declares it"
)
import_option = _repeatable(
    ["--import", "exports"], "NAME=VALUE", "Set the value of another stack's export, for Fn::ImportValue"
)
resolve_option = _repeatable(
    ["--resolve", "references"],
    "REFERENCE=VALUE",
    "Set the value of a dynamic reference, or of a parameter whose type is AWS::SSM::Parameter::Value<...>, such as "
    "ssm:/accounts/production=123456789012; or the accounts of an account source, such as "
    "ou-ab12-11111111=111122223333,444455556666 or /images/accounts=file://accounts.json",
)


def unused_values(exports: OptionValues, references: OptionValues, texts: Collection[str]) -> Iterator[str]:
    """Messages about values that were given for exports and dynamic references but not used.

    If a name occurs in a template's text, there is no message: its resource may not have been reached.
    """
    for option, noun, given in (
        ("--import", "export", exports),
        ("--resolve", "dynamic reference or account source", references),
    ):
        for name in given.unused:
            if not any(name in text for text in texts):
                yield f"{option} {name} has no effect: the templates have no such {noun}"


def check_stack_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Validate the value of --stack-name, as its callback."""
    if value is not None and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", value):
        raise click.BadParameter(f"{value!r}: a stack name has letters, digits, and hyphens, and starts with a letter.")
    return value


def default_stack_name(file: Path) -> str:
    """A stack name derived from a file name."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", file.stem).lstrip("-0123456789").rstrip("-")[:128] or "stack"


def stack_names(first: str, others: Iterable[Path]) -> list[str]:
    """The name of the first stack, and unique names for the others, derived from their files' names."""
    names = [first]
    for file in others:
        name = default_stack_name(file)
        numbered = (f"{name}-{number}" for number in count(2))
        names.append(name if name not in names else next(one for one in numbered if one not in names))
    return names


def read_texts(files: tuple[Path, ...]) -> dict[Path, str]:
    """The text of each file. Raises UserError if one cannot be read."""
    from ..template.reader import decode
    from ..template.template_error import TemplateError

    texts = {}
    for file in dict.fromkeys(files):
        try:
            texts[file] = decode(read_bytes(file))
        except TemplateError as error:
            raise UserError(f"{_display_name(file, files)}: {error}") from error
    return texts


def _display_name(file: Path, files: tuple[Path, ...]) -> str:
    """A template's name in messages: its file name, or its path if another file has the same name."""
    if file == STANDARD_INPUT:
        return "standard input"
    return str(file) if any(file.name == other.name and file != other for other in files) else file.name


def load_templates(
    files: tuple[Path, ...],
    texts: Mapping[Path, str],
    parameters: Mapping[str, str],
    parse: Callable[[str, str], Template],
) -> list[Template]:
    """The templates in the files; `parse` takes a text and its name in messages.

    Raises UserError for a file that is not a template, and for a parameter that no template declares.
    """
    from ..template.template_error import TemplateError

    templates = []
    for file in files:
        name = _display_name(file, files)
        try:
            templates.append(_with_foreign(parse(texts[file], name)))
        except TemplateError as error:
            raise template_rejected(name, error) from error
    declared = {name for template in templates for name in template.parameters}
    if unknown := [name for name in parameters if name not in declared]:
        known = f"declared parameters: {', '.join(sorted(declared)) or 'none'}"
        raise UserError(f"no template declares the parameter {', '.join(unknown)}; {known}")
    return templates


def template_rejected(name: str, error: TemplateError) -> UserError:
    """The error for a template that CloudFormation would reject, with a line for each problem."""
    return UserError("\n".join(f"{name}: {one}" for one in error.all))


def _with_foreign(template: Template) -> Template:
    """The template with `foreign` set: the resources of a supported type that belong to another function.

    Raises TemplateError if the provider's own type is misspelled, or if the template uses an attribute that the
    provider's resources do not have.
    """
    from ..lint.attribute_check import check_attributes
    from ..lint.resource_matching import misspelled_types, provider_resources
    from ..resources import RESOURCE_TYPES
    from ..template.template_error import TemplateError, raise_all

    tree = {"Resources": template.resources, "Outputs": template.outputs}
    own = provider_resources(tree)
    raise_all(TemplateError(one.message, one.path) for one in misspelled_types(own))
    raise_all(TemplateError(one.message.partition(": ")[2], one.path) for one in check_attributes(tree, own))
    supported = {name for name, resource in template.resources.items() if resource["Type"] in RESOURCE_TYPES}
    return template._replace(foreign=frozenset(supported - {path[-1] for path in own}))


def provider_logical_ids(templates: Sequence[Template], verb: str) -> list[str]:
    """The logical IDs of the provider's resources. Raises UserError if there are none to `verb`."""
    from ..resources import RESOURCE_TYPES

    found = [
        name
        for template in templates
        for name, resource in template.resources.items()
        if resource["Type"] in RESOURCE_TYPES and name not in template.foreign
    ]
    if not found:
        foreign = sorted({name for template in templates for name in template.foreign})
        raise UserError(
            f"{', '.join(dict.fromkeys(one.name for one in templates))}: no resource is of the provider's type "
            f"{' or '.join(RESOURCE_TYPES)}, so there is nothing to {verb}"
            + "".join(f"; by its properties, {name} belongs to another function" for name in foreign)
        )
    return found


def declared_parameters(template: Template, parameters: Mapping[str, str]) -> dict[str, str]:
    """The given parameters that a template declares."""
    return {name: value for name, value in parameters.items() if name in template.parameters}
