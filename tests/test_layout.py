"""The docstring of the package describes each package and module of it."""

import re

import provider
from tests.test_architecture import MAY, PROVIDER


def jobs(docstring: str) -> dict[str, str]:
    """Return the packages and modules that a docstring lists, each with its description."""
    return dict(re.findall(r"^  (\w+) {2,}(\S.*)$", docstring, re.MULTILINE))


def test_the_docstring_lists_what_the_import_table_lists() -> None:
    """The docstring describes exactly the packages and modules of the import table."""
    assert jobs(str(provider.__doc__)).keys() == MAY.keys()


def test_the_docstring_lists_what_exists() -> None:
    """The docstring describes exactly the packages and modules that exist."""
    existing = {path.stem for path in PROVIDER.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert jobs(str(provider.__doc__)).keys() == existing - {"__init__"}


def test_a_name_without_a_description_does_not_count() -> None:
    """A line with a name but no description does not count."""
    assert jobs("Text:\n\n  schema      the properties\n  plan\n") == {"schema": "the properties"}
