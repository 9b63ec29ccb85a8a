"""Collects the sources of the site: python -m website.sources FOLDER.

The pages keep their paths, so that their links keep working. Three things differ from GitHub: the README is the home
page, and has the table of contents; a link to a file that is not a page leads to a page that shows the file; and a link
to a folder leads to a list of its files.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from website.navigation import contents

ROOT = Path(__file__).parents[1]
HOME = "index"
PATTERNS = ("*.md", "docs/**/*.md", "examples/README.md", "events/README.md", "benchmarks/results/*.md")
"""The pages."""
LANGUAGES = {".py": "python", ".yaml": "yaml", ".json": "json", ".toml": "toml", ".ts": "ts", ".tf": "terraform"}
IMAGES = {".svg", ".png"}

_CODE = re.compile(r"(^```.*?^ *```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")


def pages() -> list[Path]:
    """Return the Markdown files that become pages."""
    return sorted({path for pattern in PATTERNS for path in ROOT.glob(pattern)})


def collect(target: Path) -> None:
    """Write the sources of the site into a new folder."""
    shutil.rmtree(target, ignore_errors=True)
    linked: set[Path] = set()
    for page in pages():
        text = page.read_text("utf-8")
        linked.update(_linked(page, text))
        _write(target / f"{name(page)}.md", _rewritten(page, text) + (_contents() if name(page) == HOME else ""))
    for folder in [path for path in linked if path.is_dir()]:
        linked.update(_files(folder))
    for path in linked:
        relative = path.relative_to(ROOT)
        if path.is_dir():
            _write(target / relative / f"{HOME}.md", _folder(path))
            continue
        (target / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / relative)
        if path.suffix not in IMAGES:
            _write(target / f"{relative}.md", _file(path))


def name(page: Path) -> str:
    """Return a page's name on the site: its path without the suffix."""
    found = page.relative_to(ROOT).with_suffix("").as_posix()
    return HOME if found == "README" else found


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _target(page: Path, link: str) -> Path | None:
    """Return what a link within the project leads to."""
    return None if ":" in link else (page.parent / link).resolve()


def _linked(page: Path, text: str) -> Iterator[Path]:
    """Return the files and folders to which a page links, except pages."""
    found = (_target(page, link) for link, _ in _LINK.findall(_CODE.sub("", text)))
    yield from (target for target in found if target is not None and target.suffix != ".md")


def _rewritten(page: Path, text: str) -> str:
    """Return a page whose links lead to pages of the site."""

    def link(found: re.Match[str]) -> str:
        target = _target(page, found[1])
        if target is None or target.suffix in IMAGES:
            return found[0]
        if target.is_dir():
            return f"]({found[1].rstrip('/')}/{HOME}.md)"
        if target == ROOT / "README.md":
            return f"]({found[1].replace('README', HOME)}{found[2] or ''})"
        return found[0] if target.suffix == ".md" else f"]({found[1]}.md)"

    parts = _CODE.split(text)
    return "".join(part if number % 2 else _LINK.sub(link, part) for number, part in enumerate(parts))


def _contents() -> str:
    """Return the table of contents, which the sidebar shows."""
    listed = contents({name(page) for page in pages()} - {HOME})
    trees = ("\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```", ""])
             for caption, names in listed.items())  # fmt: skip
    return "\n".join(trees)


def _file(path: Path) -> str:
    """Return the page that shows a file."""
    language = LANGUAGES.get(path.suffix, "text")
    text = path.read_text("utf-8").rstrip()
    download = f"{{download}}`Download <{path.name}>`"
    return f"{_head(path)}{download}\n\n````{language}\n{text}\n````\n"


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that the site shows."""
    yield from (path for path in folder.rglob("*") if path.is_file() and path.suffix in LANGUAGES)


def _folder(path: Path) -> str:
    """Return the page that lists the files of a folder."""
    files = sorted(each.relative_to(path) for each in _files(path))
    listed = "\n".join(f"- [{file}]({file}.md)" for file in files)
    return f"{_head(path)}{listed}\n"


def _head(path: Path) -> str:
    """Return the head of a page that is not in the table of contents."""
    return f"---\norphan: true\n---\n\n# {path.relative_to(ROOT)}\n\n"


if __name__ == "__main__":
    collect(Path(sys.argv[1]))
