"""Write the policy and the table of checks into docs/preflight.md; `make docs` runs this."""

from pathlib import Path

from provider.preflight.documentation import policy_text, table

PAGE = Path(__file__).parents[2] / "docs" / "preflight.md"
PARTS = {"policy": policy_text, "checks": table}


def with_parts(page: str) -> str:
    """The page with the generated parts between their markers."""
    for name, text in PARTS.items():
        begin, end = f"<!-- {name}, written by make docs -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}{text()}{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_parts(PAGE.read_text("utf-8")), encoding="utf-8")
