"""Write the reference of the commands, docs/reference/commands.md, from their parsers; `make docs` runs this."""

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from provider.cli.main import EPILOG, SECTIONS, main

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
PROGRAM = "image-builder-distribution"
INTRODUCTION = f"""\
# Command reference

This page is generated from the commands (`make docs`). [Commands](../commands.md) shows which command to use when.

`pip install 'path/to/this/checkout[cli]'` installs the program `{PROGRAM}`; in a checkout, after
`make demo`, it is `.venv/bin/python -m provider`.
"""


def page() -> str:
    """The page."""
    return "\n".join([INTRODUCTION, *_contents(), *_epilog(EPILOG), *_sections()])


def _contents() -> Iterator[str]:
    yield "| | |\n|---|---|"
    for title, names in SECTIONS.items():
        yield f"| {title} | {', '.join(f'[`{name}`](#{name})' for name in names)} |"
    yield ""


def _sections() -> Iterator[str]:
    for name in (name for names in SECTIONS.values() for name in names):
        command = main.commands[name]
        context = click.Context(command, info_name=f"{PROGRAM} {name}", **main.context_settings)
        command.get_help(context)  # update-distribution-configuration reads the texts of its options only for this
        yield f"## {name}\n"
        yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n"
        yield _escaped(inspect.cleandoc(command.help or "")) + "\n"
        yield "| option | |\n|---|---|"
        records = (parameter.get_help_record(context) for parameter in command.get_params(context))
        for option, text in (record for record in records if record and record[0].startswith("-")):
            yield f"| `{_cell(option)}` | {_escaped(_cell(text))} |"
        yield ""
        yield from _epilog(command.epilog)


def _epilog(epilog: str | None) -> Iterator[str]:
    """The paragraphs of an epilog, each as its title and a block; as one block if it has several titles."""
    for paragraph in filter(None, (part.strip() for part in (epilog or "").split("\b\n"))):
        title, _, body = paragraph.replace("python -m provider", PROGRAM).partition("\n")
        if re.search(r"^\S", body, re.MULTILINE):
            title, body = "", paragraph.replace("python -m provider", PROGRAM)
        yield f"{title}\n\n```text\n{textwrap.dedent(body)}\n```\n".lstrip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _escaped(text: str) -> str:
    """Text in which < and * are not markup, except in code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<>*_\[\]])", r"\\\1", part) for part in parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
