"""`docs` and `schema` print the generated files or write them."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, command, process
from tests.cli.docs import PAGE, page


@pytest.mark.parametrize(
    ("command_line", "golden"),
    [
        ("docs", "reference/distribution-configuration.md"),
        ("docs --type contribution", "reference/contribution.md"),
        ("schema", "properties.schema.json"),
    ],
)
def test_the_copies_are_the_output_of_the_commands(command_line: str, golden: str) -> None:
    """The copies in docs/ are identical to the commands' output."""
    assert process(*command_line.split()) == (0, (ROOT / "docs" / golden).read_text(), "")


def test_the_reference_of_the_commands_is_up_to_date() -> None:
    """docs/reference/commands.md is what `make docs` generates from the commands' parsers."""
    assert PAGE.read_text("utf-8") == page()


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
