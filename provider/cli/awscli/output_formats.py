"""Renders the service's response for `--output`."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

FORMATS: Final = ("json", "text", "table", "yaml", "yaml-stream", "off")


def render(response: Any, output_format: str, title: str, *, color: bool) -> str:
    """Render a JSON value in one of FORMATS. A table has a `title`."""
    match output_format:
        case "json":
            return "" if response == {} else json.dumps(response, indent=4, ensure_ascii=False) + "\n"
        case "text":
            return "".join(f"{line}\n" for line in _text(response))
        case "table":
            from .table import table

            return table(title, response, color=color)
        case "yaml":
            return "" if response == {} else _yaml(response)
        case "yaml-stream":
            # A list with one entry per page; here there is one page.
            return "" if response == {} else _yaml([response])
        case _:
            return ""


def _yaml(value: Any) -> str:
    if not isinstance(value, (dict, list)):
        # As in the AWS CLI: a scalar in YAML would end with a line that has only dots.
        return json.dumps(value, ensure_ascii=False) + "\n"
    from .yaml_1_2 import dump

    return dump(value)


def _text(value: Any, name: str | None = None, columns: list[str] | None = None) -> Iterator[str]:
    """Lines of tab-separated cells. With a `name`, they start with it in uppercase."""
    if isinstance(value, dict):
        yield from _structure(value, name, columns)
    elif isinstance(value, list):
        yield from _list(value, name)
    else:
        yield str(value)


def _list(value: list[Any], name: str | None) -> Iterator[str]:
    nested, columns = value, None
    if structures := [entry for entry in value if isinstance(entry, dict)]:
        columns = sorted(set().union(*map(_scalars, structures)))
    else:
        yield from _entries([entry for entry in value if not isinstance(entry, list)], name)
        nested = [entry for entry in value if isinstance(entry, list)]
    for entry in nested:
        yield from _text(entry, name, columns)


def _structure(value: dict[str, Any], name: str | None, columns: list[str] | None) -> Iterator[str]:
    cells = [str(value.get(key, "")) for key in (sorted(_scalars(value)) if columns is None else columns)]
    if cells:
        yield "\t".join([name.upper(), *cells] if name is not None else cells)
    for key in sorted(value.keys() - set(_scalars(value) if columns is None else columns)):
        yield from _text(value[key], key)


def _entries(scalars: list[Any], name: str | None) -> Iterator[str]:
    if name is not None:
        yield from (f"{name.upper()}\t{scalar}" for scalar in scalars)
    elif scalars:
        yield "\t".join(map(str, scalars))


def _scalars(structure: dict[str, Any]) -> Iterable[str]:
    return [key for key, value in structure.items() if not isinstance(value, (dict, list))]
