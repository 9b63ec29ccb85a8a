"""Reads the templates on the command line, and the values for their parameters, imports, and dynamic references."""

from __future__ import annotations

import re
from collections import UserDict
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .mistakes import Mistake
from .reading import STANDARD_INPUT, bytes_of

if TYPE_CHECKING:
    from ..template.sections import Template
    from ..template.template_error import TemplateError

FILE_OR_STANDARD_INPUT = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


def _pairs(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not name or not equals:
            raise click.BadParameter(f"{value!r} must have the form {parameter.metavar}.")
        if name in pairs:
            raise click.BadParameter(f"{name} is given twice, as {pairs[name]!r} and as {text!r}.")
        pairs[name] = text
    return pairs


parameter_option = click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    callback=_pairs,
    help="Set a template parameter; repeatable. Each template uses those that it declares.",
)


import_option = click.option(
    "--import",
    "exports",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_pairs,
    help="Set the value of another stack's export, for Fn::ImportValue; repeatable.",
)
resolve_option = click.option(
    "--resolve",
    "references",
    multiple=True,
    metavar="REFERENCE=VALUE",
    callback=_pairs,
    help="Set the value of a dynamic reference, such as ssm:/accounts/production=123456789012; repeatable.",
)


class Given(UserDict[str, str]):
    """The values of an option by name; `unused` are the names that were not looked up."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.unused = dict.fromkeys(values)

    def __getitem__(self, name: str) -> str:
        self.unused.pop(name, None)
        return super().__getitem__(name)


def unused_values(exports: Given, references: Given, texts: Collection[str]) -> Iterator[str]:
    """Messages about values that were given for exports and dynamic references but not used.

    If a name occurs in a template's text, there is no message: its resource may not have been reached.
    """
    for option, what, given in (("--import", "export", exports), ("--resolve", "dynamic reference", references)):
        for name in given.unused:
            if not any(name in text for text in texts):
                yield f"{option} {name} has no effect: the templates have no such {what}"


def checked_stack_name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Validate the value of --stack-name, as its callback."""
    if value is not None and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", value):
        raise click.BadParameter(f"{value!r}: a stack name has letters, digits, and hyphens, and starts with a letter.")
    return value


def stack_name_after(file: Path) -> str:
    """The default stack name, derived from a file name."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", file.stem).lstrip("-0123456789").rstrip("-")[:128] or "stack"


def texts_of(files: tuple[Path, ...]) -> dict[Path, str]:
    """What is in the files. Raises Mistake."""
    from ..template.reader import decode
    from ..template.template_error import TemplateError

    texts = {}
    for file in dict.fromkeys(files):
        try:
            texts[file] = decode(bytes_of(file))
        except TemplateError as error:
            raise Mistake(f"{called(file, files)}: {error}") from error
    return texts


def called(file: Path, files: tuple[Path, ...]) -> str:
    """A template's name in messages: its file name, or its path if another file has the same name."""
    if file == STANDARD_INPUT:
        return "standard input"
    return str(file) if any(file.name == other.name and file != other for other in files) else file.name


def load(
    files: tuple[Path, ...],
    texts: Mapping[Path, str],
    parameters: Mapping[str, str],
    read: Callable[[str, str], Template],
) -> list[Template]:
    """The templates in the files, made by `read` from text and name.

    Raises Mistake for a file that is not a template, and for a parameter that no template declares.
    """
    from ..template.sections import TemplateError

    loaded = []
    for file in files:
        name = called(file, files)
        try:
            loaded.append(_with_foreign(read(texts[file], name)))
        except TemplateError as error:
            raise refused(name, error) from error
    known = {name for template in loaded for name in template.parameters}
    if unknown := [name for name in parameters if name not in known]:
        has = f"parameters are {', '.join(sorted(known))}" if known else "there are no parameters"
        raise Mistake(f"no template has a parameter {', '.join(unknown)}; {has}")
    return loaded


def refused(name: str, error: TemplateError) -> Mistake:
    """The error for a template that CloudFormation would reject, with a line for each problem."""
    return Mistake("\n".join(f"{name}: {one}" for one in error.all))


def _with_foreign(template: Template) -> Template:
    """The template with `foreign` set: the resources of the generic type that belong to other functions.

    Raises TemplateError if the provider's own type is misspelled.
    """
    from ..lint.resource_matching import misspelled_types, provider_resources
    from ..resources import RESOURCE_TYPES
    from ..template.template_error import TemplateError, raise_all

    ours = provider_resources({"Resources": template.resources})
    raise_all(TemplateError(slip.message, slip.path) for slip in misspelled_types(ours))
    backed = (name for name, resource in template.resources.items() if resource["Type"] in RESOURCE_TYPES)
    return template._replace(foreign=frozenset(backed) - {path[-1] for path in ours})


def declared(template: Template, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a template declares."""
    return {name: value for name, value in parameters.items() if name in template.parameters}
