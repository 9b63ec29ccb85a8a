"""The pages about the ledger match the template and the resources."""

from pathlib import Path
from textwrap import indent

import pytest

from provider.resources import resource_type
from provider.schema.check import findings
from provider.schema.checkpoint import proceed
from provider.schema.expand import expand
from provider.schema.model import TARGET, pascal_case
from provider.template.sections import load
from tests.docs.page import DOCS, ROOT, Block, blocks, rows
from tests.stack import ARN

PAGES = [DOCS / f"{name}.md" for name in ("contributions", "drift", "ledger")]
EXAMPLES = [block for page in PAGES for block in blocks(page) if block.language == "yaml"]


def test_the_parameters_are_those_of_the_template() -> None:
    """The table lists the parameters with which the template describes the ledger, with their defaults."""
    parameters = load(ROOT / "template.yaml").parameters
    about = {name for name, one in parameters.items() if one["Description"].startswith("With the ledger,")}
    shown = {row[0].strip("`"): row[1].strip("`") for row in rows(DOCS / "ledger.md", "Enable it")}
    assert shown == {name: str(parameters[name]["Default"]) or "none" for name in {*about, "Ledger", "Timeout"}}


@pytest.mark.parametrize("block", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_is_valid(block: Block, tmp_path: Path) -> None:
    """No example of the pages has a problem with its properties."""
    file = tmp_path / "example.yaml"
    file.write_text(f"Resources:\n{indent(block.text, '  ')}", encoding="utf-8")
    [resource] = load(file).resources.values()
    found = resource_type(resource["Type"])
    properties = {name: value for name, value in resource["Properties"].items() if name != "ServiceToken"}
    if pascal_case(TARGET) in properties:
        properties[pascal_case(TARGET)] = f"{ARN}golden-image"
    assert [*findings(expand(properties, found.schema), found.rules, proceed)] == []
