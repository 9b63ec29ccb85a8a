"""The changelog has a section for the version, which becomes the notes of its release."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from provider import __version__
from provider.build.release_notes import ReleaseError, release_notes, sections

ROOT = Path(__file__).parent.parent
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
EXAMPLE = """# Changelog

## [Unreleased]

## [1.1.0] - 2026-12-01

### Added

- A field.

## [1.0.0] - 2026-11-29

- The first one.
"""


def test_the_changelog_has_a_section_for_the_version() -> None:
    """The latest section with a date is the version's; its notes have a list, and no other version's heading."""
    dated = re.findall(r"^## \[([\d.]+)] - \d{4}-\d{2}-\d{2}$", CHANGELOG, re.MULTILINE)
    assert dated[0] == __version__
    notes = sections(CHANGELOG)[__version__]
    assert re.search("^- ", notes, re.MULTILINE)
    assert "## [" not in notes


def test_the_notes_are_the_section_without_its_heading() -> None:
    """The notes begin after the version's heading and end before the next one."""
    assert release_notes(EXAMPLE, "1.1.0") == "### Added\n\n- A field."
    assert release_notes(EXAMPLE, "1.0.0") == "- The first one."


@pytest.mark.parametrize(
    ("changelog", "version", "reason"),
    [
        (EXAMPLE, "1.2.0", "no section, or an empty one, for 1.2.0"),
        (EXAMPLE.replace("- The first one.", ""), "1.0.0", "no section, or an empty one, for 1.0.0"),
        (EXAMPLE.replace("[Unreleased]\n", "[Unreleased]\n\n- More."), "1.1.0", "unreleased changes"),
    ],
)
def test_a_release_without_notes_is_refused(changelog: str, version: str, reason: str) -> None:
    """There is no release without notes for its version, or with changes that no version has."""
    with pytest.raises(ReleaseError, match=reason):
        release_notes(changelog, version)


@pytest.mark.parametrize("arguments", [("1.0",), (f"{__version__}",), (), ("v0.9.0",)])
def test_the_tag_must_be_that_of_the_version(arguments: tuple[str, ...]) -> None:
    """The command that the release workflow runs fails if the tag is not `v` and the version."""
    command = [sys.executable, "-m", "provider.build.release_notes", *arguments]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "tag" in ran.stderr.lower()
