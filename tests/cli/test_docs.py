"""`docs` and `schema` print the generated files or write them."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, command, process


@pytest.mark.parametrize(("name", "golden"), [("docs", "reference.md"), ("schema", "properties.schema.json")])
def test_the_copies_are_the_output_of_the_commands(name: str, golden: str) -> None:
    """The copies in docs/ are identical to the commands' output."""
    assert process(name) == (0, (ROOT / "docs" / golden).read_text(), "")


@pytest.mark.parametrize("name", ["docs", "schema", "skeleton"])
def test_output_names_a_file(name: str, tmp_path: Path) -> None:
    """--output writes to the file and not to standard output."""
    file = tmp_path / "made"
    assert command(name, "--output", file) == (0, "", "")
    assert file.read_text() == command(name).stdout


@pytest.mark.parametrize("name", ["docs", "schema", "skeleton"])
def test_a_file_that_cannot_be_written(name: str, tmp_path: Path) -> None:
    """If the output's folder does not exist, the command reports it in a sentence."""
    ended = command(name, "--output", tmp_path / "nowhere" / "made")
    assert ended.status == 2
    assert "cannot be written: No such file or directory" in ended.stderr


def test_the_schema_is_json() -> None:
    """`schema` prints one JSON document."""
    assert json.loads(command("schema").stdout)["title"] == "Custom::ImageBuilderDistributionConfiguration"
