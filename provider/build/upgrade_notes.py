"""Describes what a newer botocore changed in the properties, for a pull request, in Markdown.

Usage: python -m provider.build.upgrade_notes OUTCOME, with the outcome of the tests, after `make lock docs` and before
the changes are committed. It compares the JSON Schema of the properties with the committed one.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_SCHEMA: Final = "docs/properties.schema.json"
_LOCK: Final = "provider/build/lambda.lock"
_ROOT: Final = Path(__file__).parents[2]


def properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of all properties in a JSON Schema, by the name of the shape and their own name."""
    shapes = {"": schema, **schema.get("$defs", {})}
    return {
        f"{shape}.{name}".removeprefix("."): one
        for shape, definition in shapes.items()
        for alternative in (definition, *definition.get("anyOf", []))
        for name, one in alternative.get("properties", {}).items()
    }


def notes(before: Mapping[str, Any], after: Mapping[str, Any], packages: Mapping[str, str], outcome: str) -> str:
    """Return the notes about two JSON Schemas, and packages with their versions as text such as `1.0 -> 1.1`."""
    old, new = properties(before), properties(after)
    changed = [name for name in old.keys() & new.keys() if old[name] != new[name]]
    lists = {
        "New fields": new.keys() - old.keys(),
        "Removed fields": old.keys() - new.keys(),
        "Fields that changed": changed,
    }
    sections = [line for title, names in lists.items() if names for line in _section(title, sorted(names))]
    deployed = [f"- {name}: {versions}" for name, versions in packages.items()]
    verdict = f"`make test`: **{outcome}**."
    return "\n".join([*(sections or ["No field changed.", ""]), "### Deployed packages", "", *deployed, "", verdict])


def _section(title: str, names: list[str]) -> Iterator[str]:
    yield from (f"### {title}", "", *(f"- `{name}`" for name in names), "")


def pins(lock: str) -> dict[str, str]:
    """Return the versions in a lock file by package."""
    return dict(line.split()[0].split("==") for line in lock.splitlines() if "==" in line)


def _committed(path: str) -> str:
    command = ["git", "show", f"HEAD:{path}"]
    return subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout


def _current(path: str) -> str:
    return (_ROOT / path).read_text("utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    old, new = pins(_committed(_LOCK)), pins(_current(_LOCK))
    versions = {name: f"{old.get(name)} -> {new.get(name)}" for name in sorted(new) if old.get(name) != new.get(name)}
    print(notes(json.loads(_committed(_SCHEMA)), json.loads(_current(_SCHEMA)), versions, sys.argv[1]))
