"""The docstring of the package describes each package and module of it."""

import re

import provider
from tests.test_architecture import MAY, PROVIDER


def jobs(docstring: str) -> dict[str, str]:
    """The packages and modules that a docstring lists, each with its job."""
    return dict(re.findall(r"^  (\w+) {2,}(\S.*)$", docstring, re.MULTILINE))


def test_the_docstring_lists_what_the_import_table_lists() -> None:
    """Each package and module of the import table is in the docstring with its job, and no other is."""
    assert jobs(str(provider.__doc__)).keys() == MAY.keys()


def test_the_docstring_lists_what_exists() -> None:
    """Each package and module in the docstring exists, and each that exists is in the docstring."""
    existing = {path.stem for path in PROVIDER.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert jobs(str(provider.__doc__)).keys() == existing - {"__init__"}


def test_a_name_without_a_job_is_not_listed() -> None:
    """A line that has a name but no job does not count."""
    assert jobs("Text:\n\n  schema      the properties\n  plan\n") == {"schema": "the properties"}
