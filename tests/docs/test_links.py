"""The links between pages are valid."""

from pathlib import Path

import pytest

from tests.docs.page import PAGES, ROOT, anchors, links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_has_a_target(page: Path) -> None:
    """A link within the project names an existing file and, if it has an anchor, a heading of that file."""
    for file, anchor in links(page):
        assert file.exists(), f"{page.name} links to {file}"
        assert not anchor or anchor in anchors(file), f"{page.name} links to #{anchor} of {file.name}"
