"""Prints the notes of the release that the checkout has: its section of the changelog.

Usage: python -m provider.build.release_notes TAG. Fails if the tag is not that of the version.
"""

import re
import sys
from pathlib import Path
from typing import Final

from .. import __version__

_CHANGELOG: Final = Path(__file__).parents[2] / "CHANGELOG.md"
_HEADING: Final = re.compile(r"^## \[(?P<version>[^]]+)](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


class ReleaseError(Exception):
    """There can be no release; the text says why."""


def sections(changelog: str) -> dict[str, str]:
    """Return the text of each version's section, without its heading. `Unreleased` is a version, too."""
    found = [*_HEADING.finditer(changelog)]
    ends = [*(one.start() for one in found[1:]), len(changelog)]
    return {one["version"]: changelog[one.end() : end].strip() for one, end in zip(found, ends, strict=True)}


def release_notes(changelog: str, version: str) -> str:
    """Return the notes of a version. Raises ReleaseError if it has none, or if there are unreleased changes."""
    texts = sections(changelog)
    if not texts.get(version):
        raise ReleaseError(f"CHANGELOG.md has no section, or an empty one, for {version}")
    if texts.get("Unreleased"):
        raise ReleaseError(f"CHANGELOG.md has unreleased changes; move them to the section {version}")
    return texts[version]


def check_tag(tag: str) -> None:
    """Raise ReleaseError if a tag is not that of the version."""
    if tag != f"v{__version__}":
        raise ReleaseError(f"the tag {tag} is not that of the version: v{__version__}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        check_tag(sys.argv[1])
        print(release_notes(_CHANGELOG.read_text("utf-8"), __version__))
    except ReleaseError as error:
        sys.exit(str(error))
