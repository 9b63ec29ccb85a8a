"""`docs` and `schema`: what is generated goes where the user wants it."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import ROOT, command, process


@pytest.mark.parametrize(("name", "golden"), [("docs", "reference.md"), ("schema", "properties.schema.json")])
def test_the_copy_in_the_repository_is_the_command_s_output(name: str, golden: str) -> None:
    """What the command prints is docs/'s copy, to the letter."""
    assert process(name) == (0, (ROOT / "docs" / golden).read_text(), "")


@pytest.mark.parametrize("name", ["docs", "schema", "skeleton"])
def test_output_names_a_file(name: str, tmp_path: Path) -> None:
    """With --output the text goes to the file, and nothing to standard output."""
    file = tmp_path / "made"
    assert command(name, "--output", file) == (0, "", "")
    assert file.read_text() == command(name).stdout


@pytest.mark.parametrize("name", ["docs", "schema", "skeleton"])
def test_a_file_that_cannot_be_written_is_told(name: str, tmp_path: Path) -> None:
    """A file in a directory that is not there is a mistake, told in a sentence."""
    ended = command(name, "--output", tmp_path / "nowhere" / "made")
    assert ended.status == 2
    assert "cannot be written: No such file or directory" in ended.stderr


def test_the_schema_is_json() -> None:
    """`schema` prints one JSON document."""
    assert json.loads(command("schema").stdout)["title"] == "Custom::ImageBuilderDistributionConfiguration"
