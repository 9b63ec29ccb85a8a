"""The built site works in a browser: pages load, diagrams are drawn, the search finds, and phones can show it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urldefrag, urlsplit

import pytest

from provider import __version__
from website import releases, sources
from website.browser import Page
from website.conftest import SITE
from website.navigation import contents

LATEST = SITE / releases.LATEST
PAGES = sorted(path.relative_to(SITE).as_posix() for path in LATEST.rglob("*.html") if "_static" not in path.parts)
WRITTEN = {f"{sources.name(page)}.html": page.read_text("utf-8") for page in sources.pages()}
"""The text of the Markdown page for each page of the site that has one."""
PHONE = 375


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads(page: str, url: str, tab: Page) -> None:
    """A page loads without errors, draws all its diagrams, and is not wider than a phone."""
    tab.size(PHONE, 800)
    tab.open(f"{url}/{page}")
    assert tab.problems == []
    assert tab.evaluate("document.title")
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE
    diagrams = WRITTEN.get(page.partition("/")[2], "").count("```mermaid\n")
    assert tab.evaluate("document.querySelectorAll('pre.mermaid svg').length") == diagrams
    assert tab.evaluate("document.querySelectorAll('pre.mermaid .error-icon').length") == 0


def test_every_page_is_built() -> None:
    """Each Markdown page is a page of the site, and is in the table of contents."""
    assert {f"{releases.LATEST}/{name}" for name in WRITTEN} <= set(PAGES)
    names = {sources.name(page) for page in sources.pages()} - {sources.HOME}
    listed = [name for part in contents(names).values() for name in part]
    assert sorted(listed) == sorted(names)
    home = (LATEST / "index.html").read_text("utf-8")
    assert [name for name in listed if f'href="{name}.html"' not in home] == []


def test_the_address_leads_to_the_latest_version(url: str, tab: Page) -> None:
    """The site's address leads to the home page of the latest version, which names its version."""
    tab.open(f"{url}/")
    tab.wait(f"location.pathname === '/{releases.LATEST}/index.html' && document.readyState === 'complete'")
    assert __version__ in tab.evaluate("document.title")


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ("S3ExportConfiguration", "docs/reference/distribution-configuration.html"),
        ("MaxParallelLaunches", "docs/reference/distribution-configuration.html"),
        ("already exists and is not managed by this resource", "docs/runbook.html"),
        ("timed out during the outcome is unknown", "docs/runbook.html"),
        ("ROLLBACK_COMPLETE", "docs/runbook.html"),
    ],
)
def test_the_search_finds(query: str, page: str, url: str, tab: Page) -> None:
    """The search finds a property's page, and the runbook for the text of an error."""
    tab.open(f"{url}/{releases.LATEST}/search.html?q={quote(query)}")
    tab.wait("document.querySelector('#search-results ul.search li')")
    tab.wait("!document.querySelector('#search-progress')?.textContent.trim()")
    found = tab.evaluate(
        "[...document.querySelectorAll('#search-results li a')].map(link => link.pathname + link.hash)"
    )
    assert [one for one in found if one.startswith(f"/{releases.LATEST}/{page}")], found
    assert tab.problems == []


def test_examples_have_copy_buttons(url: str, tab: Page) -> None:
    """Each block of code has a button that copies its text."""
    tab.open(f"{url}/{releases.LATEST}/index.html")
    blocks = tab.evaluate("document.querySelectorAll('div.highlight pre').length")
    assert blocks > 3
    assert tab.evaluate("document.querySelectorAll('div.highlight button.copybtn').length") == blocks


def test_warnings_are_boxes() -> None:
    """Each alert of GitHub is a box on the site."""
    boxes = (LATEST / "index.html").read_text("utf-8").count('<div class="admonition warning">')
    assert boxes == WRITTEN["index.html"].count("> [!WARNING]") > 1


class _Targets(HTMLParser):
    """Collects what a page links to and loads, and its anchors."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = {""}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - as the base class
        """Note the links and anchors of an element."""
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.links.add(value)
            if name in ("id", "name") and value:
                self.anchors.add(value)


def _targets(page: Path) -> _Targets:
    found = _Targets()
    found.feed(page.read_text("utf-8"))
    return found


def _broken(page: Path, anchors: dict[Path, set[str]]) -> Iterator[str]:
    for link in _targets(page).links:
        if urlsplit(link).scheme:
            continue
        path, anchor = urldefrag(unquote(link))
        target = (page.parent / path.partition("?")[0]).resolve() if path else page
        if not target.is_file() or (target.suffix == ".html" and anchor not in anchors[target]):
            yield f"{page.relative_to(SITE)}: {link}"


def test_every_link_works() -> None:
    """Each link within the site leads to an existing file and anchor, and nothing is loaded from elsewhere."""
    pages = [path for path in SITE.rglob("*.html") if "_static" not in path.parts]
    anchors = {page: _targets(page).anchors for page in pages}
    assert [broken for page in pages for broken in _broken(page, anchors)] == []
    loads = [
        line for page in pages for line in page.read_text("utf-8").split("<") if line.startswith(("script", "img"))
    ]
    assert [line for line in loads if "src=" in line and "://" in line] == []


def test_releases_are_listed_and_kept(tmp_path: Path) -> None:
    """Adding a release keeps the others, replaces `latest`, and lists all, the newest first."""
    for release in ("0.9.0", "0.10.0"):
        pages = tmp_path / "pages" / release
        pages.mkdir(parents=True)
        (pages / "index.html").write_text(release, "utf-8")
        releases.add(pages, tmp_path / "site", release)
    assert releases.releases(tmp_path / "site") == ["0.10.0", "0.9.0"]
    assert (tmp_path / "site" / "latest" / "index.html").read_text("utf-8") == "0.10.0"
    listed = (tmp_path / "site" / "versions.html").read_text("utf-8")
    assert listed.index("0.10.0/index.html") < listed.index("0.9.0/index.html")
