"""Runs the migrations in docs/migrating step by step, with the templates and commands of the pages."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from provider.handler import handler
from provider.resources import resource_type
from provider.schema.expand import expand
from provider.schema.model import ON_DELETE, TARGET, Schema, pascal_case
from provider.schema.rules import OWNERSHIP_TAGS
from provider.stack_engine.sink import ResponseSink
from provider.stack_engine.stacks import Stack, StackEngine
from provider.template.sections import load
from tests.docs.page import DOCS, ROOT, Block, blocks, commands, rows

PAGES = DOCS / "migrating"
EXAMPLES = ROOT / "examples" / "migrating"
OURS = "Custom::ImageBuilderDistributionConfiguration"
NOT_RUN = ("aws cloudformation", "terraform")
"""Commands that need an account or a tool that is not installed."""

BEFORE = {"native": ("retained", "Distribution"), "lambda": ("retained", "Distribution"), "terraform": ("adopted", "")}
"""The template and the resource that describe the configuration before the migration."""


def properties(guide: str, template: str, logical_id: str = "") -> dict[str, Any]:
    """Return a resource's properties in an example, by the API's names. The default is the provider's resource."""
    resources = load(EXAMPLES / guide / f"{template}.yaml").resources
    resource = resources.get(logical_id) or next(one for one in resources.values() if one["Type"] == OURS)
    return dict(expand(resource["Properties"], resource_type().schema).parameters)


def seed(emulator: Emulator, guide: str) -> str:
    """Create the configuration as its previous manager did; return its ARN."""
    content = properties(guide, *BEFORE[guide])
    name = content.get("name") or content[TARGET].rpartition("/")[2]
    return emulator.seed(
        name=name,
        description=content["description"],
        distributions=content["distributions"],
        tags=content.get("tags"),
    )


def calls(emulator: Emulator, seen: int = 0) -> list[str]:
    """Return the operations that were called after the first `seen`, except reads."""
    return [one.operation for one in emulator.requests[seen:] if not one.operation.startswith(("Get", "List"))]


# The pages' templates.


SHOWN = [(page, block) for page in sorted(PAGES.glob("*.md")) for block in blocks(page) if block.language == "yaml"]


@pytest.mark.parametrize(("page", "block"), SHOWN, ids=[f"{page.stem}-{block.file}" for page, block in SHOWN])
def test_a_template_in_a_page_is_an_example(page: Path, block: Block) -> None:
    """Each template excerpt in a page occurs, line by line, in the example to which the page links before it."""
    assert block.file is not None
    assert f"\n{block.text}" in f"\n{block.file.read_text('utf-8')}"


def test_the_removed_block_is_an_example() -> None:
    """The `removed` block in the page equals the file to which the page links before it."""
    (shown,) = [one for one in blocks(PAGES / "terraform.md") if one.file and one.file.suffix == ".tf"]
    assert shown.file is not None
    assert shown.text == shown.file.read_text("utf-8")


def test_the_examples_lint_clean() -> None:
    """cfn-lint reports no problems in any template of the migrations, with the provider's rules."""
    templates = map(str, sorted(EXAMPLES.glob("*/*.yaml")))
    command = [str(Path(sys.executable).with_name("cfn-lint")), *templates, "-a", "provider.lint"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (linted.returncode, linted.stdout) == (0, "")


# The pages' commands.


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the parts of a checkout that the commands need."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def run_commands(page: Path, checkout: Path, arn: str, emulator: Emulator) -> str:
    """Run all commands of a page that can run here, in order; return their output."""
    lines = [line for line in commands(page) if not line.startswith(NOT_RUN)]
    assert any("rehearse" in line for line in lines)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=checkout,
        env={**clean, "PATH": path, "PYTHONPATH": str(ROOT), "ARN": arn, **emulator.environment()},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize(
    ("guide", "unchanged", "made"),
    [
        ("native", 2, {"adopted.yaml": "adopted.yaml"}),
        ("lambda", 3, {}),
        ("terraform", 2, {"adopted.yaml": "adopted.yaml"}),
    ],
)
def test_the_commands_do_what_the_page_says(
    guide: str, unchanged: int, made: Mapping[str, str], checkout: Path, emulator: Emulator
) -> None:
    """Each command succeeds and only reads, writes the example, and rehearses the adoption without changes."""
    printed = run_commands(PAGES / f"{guide}.md", checkout, seed(emulator, guide), emulator)
    assert calls(emulator) == []
    assert printed.count("No configuration changed.") == unchanged
    for file, example in made.items():
        assert (checkout / file).read_text("utf-8") == (EXAMPLES / guide / example).read_text("utf-8")


def test_rehearsing_ownership_shows_two_tags(checkout: Path, emulator: Emulator) -> None:
    """The rehearsal's last update shows only two tags, and its deletion deletes the configuration."""
    printed = run_commands(PAGES / "native.md", checkout, seed(emulator, "native"), emulator)
    _, _, owned = printed.partition("from owned.yaml")
    updated, _, deleted = owned.partition("Delete ")
    assert re.findall(r"^ +[-+~] (\w+)", updated, re.MULTILINE)[1:] == ["Tags", "Tags"]
    assert "(deleted)" in deleted


# The steps.


@pytest.fixture
def engine(emulator: Emulator, sink: ResponseSink) -> StackEngine:
    """Deploys stacks with the real handler."""
    return StackEngine(
        invoke=lambda event: handler(event, None),
        sink=sink,
        region="us-east-1",
        account="123456789012",
        on_event=lambda event: None,
    )


def deployed(engine: StackEngine, guide: str, template: str, stack: Stack | None = None) -> Stack:
    """Create a stack from an example, or update the stack to it."""
    parsed = load(EXAMPLES / guide / f"{template}.yaml")
    after = engine.update(stack, parsed, {}) if stack else engine.create(guide, parsed, {})
    assert after.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return after


@pytest.mark.parametrize(
    ("guide", "templates"),
    [("native", ["retained", "adopted"]), ("lambda", ["retained", "adopted", "alone"]), ("terraform", ["adopted"])],
)
def test_adopting_changes_nothing(guide: str, templates: list[str], engine: StackEngine, emulator: Emulator) -> None:
    """Each migration up to the adoption, and the stack's deletion after it, leaves the configuration unchanged."""
    arn = seed(emulator, guide)
    before = emulator.configurations
    stack: Stack | None = None
    for template in templates:
        stack = deployed(engine, guide, template, stack)
    assert stack is not None
    (resource,) = [one for one in stack.resources.values() if one.type == OURS]
    assert resource.physical_id == arn
    assert engine.delete(stack).status == "DELETE_COMPLETE"
    assert calls(emulator) == []
    assert emulator.configurations == before


def test_owning_sets_tags_and_migrating_back_removes_them(engine: StackEngine, emulator: Emulator) -> None:
    """Owning sets two tags; adopting again and removing the resource restores the configuration."""
    arn = seed(emulator, "native")
    before = emulator.configurations
    stack = deployed(engine, "native", "adopted", deployed(engine, "native", "retained"))
    stack = deployed(engine, "native", "owned", stack)
    assert calls(emulator) == ["TagResource"]
    assert {**emulator.configurations[arn]["tags"]}.keys() == {"Team", *OWNERSHIP_TAGS}
    assert stack.outputs["DistributionConfigurationArn"] == arn
    stack = deployed(engine, "native", "retained", deployed(engine, "native", "adopted", stack))
    assert calls(emulator) == ["TagResource", "UntagResource"]
    assert emulator.configurations == before


# Names in Terraform.


def names() -> dict[str, str]:
    """Return the page's table: Terraform's names -> the resource's."""
    table = rows(PAGES / "terraform.md", "Names in Terraform")
    pairs = {left.strip("`"): re.findall(r"`(\w+)", right)[0] for left, right in table}
    assert len(pairs) == len(table)
    return pairs


def members(type_: Schema) -> set[str]:
    """The properties of a type, and of all types within it."""
    inner = {name for one in (type_.item, *type_.members.values()) if one for name in members(one)}
    return inner | {pascal_case(name) for name in type_.members}


def test_the_table_lists_every_property() -> None:
    """The table lists all properties, and no others."""
    assert set(names().values()) == members(resource_type().schema)


def translated(block: Mapping[str, Any]) -> dict[str, Any]:
    """Translate a block of Terraform's state by the table, without empty values."""
    found = {}
    for name, value in block.items():
        if value in ("", [], {}, 0) and value is not False:
            continue
        ours = names()[name]
        if isinstance(value, list) and isinstance(value[0], dict):
            several = [translated(one) for one in value]
            found[ours] = several if ours.endswith("s") else several[0]
        else:
            found[ours] = value
    return found


def test_a_translated_state_equals_the_export() -> None:
    """Terraform's state, translated by the table, equals the properties in the template that `export` writes."""
    state = json.loads((EXAMPLES / "terraform" / "state.json").read_text("utf-8"))
    (resource,) = state["values"]["root_module"]["resources"]
    values = resource["values"]
    mine = ("arn", "description", "distribution")
    wanted = expand(
        translated({name: values[name] for name in mine} | {"tags": values["tags_all"]}), resource_type().schema
    ).parameters
    exported = properties("terraform", "adopted")
    for one in (wanted, exported):
        one["distributions"] = sorted(one["distributions"], key=lambda distribution: distribution["region"])
    assert wanted == exported
    assert ON_DELETE not in exported
