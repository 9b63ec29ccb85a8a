"""Adds the built pages of a release to a folder with all releases: python -m website.releases PAGES FOLDER.

The folder has a folder for each release, `latest` with the pages of the newest build, `versions.html` with links to all
of them, and `index.html`, which leads to `latest`.
"""

import shutil
import sys
from pathlib import Path

from provider import __version__

LATEST = "latest"


def add(pages: Path, folder: Path, release: str) -> None:
    """Copy the pages into the folder, and list all releases in it."""
    for name in (release, LATEST):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(pages, folder / name)
    (folder / "versions.html").write_text(_list(releases(folder)), encoding="utf-8")
    (folder / "index.html").write_text(_redirection(), encoding="utf-8")
    (folder / ".nojekyll").touch()  # GitHub Pages would otherwise omit the folders that begin with an underscore


def releases(folder: Path) -> list[str]:
    """Return the releases in the folder, the newest first."""
    names = [path.name for path in folder.iterdir() if path.is_dir() and path.name[:1].isdigit()]
    return sorted(names, key=lambda name: [int(part) for part in name.split(".") if part.isdigit()], reverse=True)


def _list(names: list[str]) -> str:
    links = "\n".join(f'<li><a href="{name}/index.html">{name}</a></li>' for name in (LATEST, *names))
    return _page("Versions of this documentation", f"<h1>Versions of this documentation</h1>\n<ul>\n{links}\n</ul>")


def _redirection() -> str:
    link = f'<p><a href="{LATEST}/index.html">Latest version</a></p>'
    return _page("Documentation", link, f'<meta http-equiv="refresh" content="0; url={LATEST}/index.html">')


def _page(title: str, body: str, head: str = "") -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="{LATEST}/_static/favicon.svg">
{head}<title>{title}</title>
</head>
<body style="font-family: sans-serif; margin: 2rem">
{body}
</body>
</html>
"""


if __name__ == "__main__":
    add(Path(sys.argv[1]), Path(sys.argv[2]), __version__)
