"""Write the table of checks into docs/linting.md; `make docs` runs this."""

from pathlib import Path

from provider.lint.catalog import table

PAGE = Path(__file__).parents[2] / "docs" / "linting.md"
BEGIN, END = "<!-- checks, written by make docs -->\n", "<!-- end of checks -->\n"


def with_table(page: str) -> str:
    """The page with the catalog's table between the markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), encoding="utf-8")
