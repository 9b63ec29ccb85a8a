"""The ways of docs/migrating, gone step by step with the templates and the commands that stand in the pages."""

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
from provider.stack_engine.sink import AnswerSink
from provider.stack_engine.stacks import Stack, StackEngine
from provider.template.sections import load
from tests.docs.page import DOCS, ROOT, Block, blocks, commands, rows

PAGES = DOCS / "migrating"
EXAMPLES = ROOT / "examples" / "migrating"
OURS = "Custom::ImageBuilderDistributionConfiguration"
NOT_RUN = ("aws cloudformation", "terraform")
"""What only an account, or a tool that is not here, can do."""

BEFORE = {"native": ("retained", "Distribution"), "lambda": ("retained", "Distribution"), "terraform": ("adopted", "")}
"""The template, and the resource in it, that says what there is before a way begins."""


def properties(way: str, template: str, logical_id: str = "") -> dict[str, Any]:
    """A resource's properties as an example has them, by the API's names; the provider's own one by default."""
    resources = load(EXAMPLES / way / f"{template}.yaml").resources
    resource = resources.get(logical_id) or next(one for one in resources.values() if one["Type"] == OURS)
    return dict(expand(resource["Properties"], resource_type().schema).parameters)


def put_there(emulator: Emulator, way: str) -> str:
    """Let there be what the former manager has made; gives its ARN."""
    content = properties(way, *BEFORE[way])
    name = content.get("name") or content[TARGET].rpartition("/")[2]
    return emulator.seed(
        name=name,
        description=content["description"],
        distributions=content["distributions"],
        tags=content.get("tags"),
    )


def calls(emulator: Emulator, seen: int = 0) -> list[str]:
    """The operations called since the first `seen`, those that only read left out."""
    return [one.operation for one in emulator.requests[seen:] if not one.operation.startswith(("Get", "List"))]


# what the pages show


SHOWN = [(page, block) for page in sorted(PAGES.glob("*.md")) for block in blocks(page) if block.language == "yaml"]


@pytest.mark.parametrize(("page", "block"), SHOWN, ids=[f"{page.stem}-{block.file}" for page, block in SHOWN])
def test_a_template_in_a_page_is_an_example(page: Path, block: Block) -> None:
    """What a page shows of a template stands, line for line, in the example that it names before."""
    assert block.file is not None
    assert f"\n{block.text}" in f"\n{block.file.read_text('utf-8')}"


def test_what_terraform_is_told_is_an_example() -> None:
    """The `removed` block in the page is the file that it names."""
    (shown,) = [one for one in blocks(PAGES / "terraform.md") if one.file and one.file.suffix == ".tf"]
    assert shown.file is not None
    assert shown.text == shown.file.read_text("utf-8")


def test_the_examples_lint_clean() -> None:
    """cfn-lint has nothing to say about any template on the way, with the provider's rules or without."""
    templates = map(str, sorted(EXAMPLES.glob("*/*.yaml")))
    command = [str(Path(sys.executable).with_name("cfn-lint")), *templates, "-a", "provider.lint"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (linted.returncode, linted.stdout) == (0, "")


# what the pages have their readers do


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder that looks like the checkout to who types the commands."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def typed(page: Path, desk: Path, arn: str, emulator: Emulator) -> str:
    """Type all of a page's commands that can run here, in their order; what they printed."""
    lines = [line for line in commands(page) if not line.startswith(NOT_RUN)]
    assert any("rehearse" in line for line in lines)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],
        cwd=desk,
        env={**clean, "PATH": path, "PYTHONPATH": str(ROOT), "ARN": arn, **emulator.environment()},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize(
    ("way", "unchanged", "made"),
    [
        ("native", 2, {"adopted.yaml": "adopted.yaml"}),
        ("lambda", 3, {}),
        ("terraform", 2, {"adopted.yaml": "adopted.yaml"}),
    ],
)
def test_the_commands_do_what_the_page_says(
    way: str, unchanged: int, made: Mapping[str, str], desk: Path, emulator: Emulator
) -> None:
    """Each command ends well and only reads, what it writes is the example, and adopting is rehearsed as no change."""
    printed = typed(PAGES / f"{way}.md", desk, put_there(emulator, way), emulator)
    assert calls(emulator) == []
    assert printed.count("No configuration changed.") == unchanged
    for file, example in made.items():
        assert (desk / file).read_text("utf-8") == (EXAMPLES / way / example).read_text("utf-8")


def test_owning_is_rehearsed_as_two_tags(desk: Path, emulator: Emulator) -> None:
    """The rehearsal's last update shows two tags and nothing else, and its deletion takes the configuration along."""
    printed = typed(PAGES / "native.md", desk, put_there(emulator, "native"), emulator)
    _, _, owned = printed.partition("from owned.yaml")
    updated, _, deleted = owned.partition("Delete ")
    assert re.findall(r"^ +[-+~] (\w+)", updated, re.MULTILINE)[1:] == ["Tags", "Tags"]
    assert "(deleted)" in deleted


# what the steps come to


@pytest.fixture
def engine(emulator: Emulator, sink: AnswerSink) -> StackEngine:
    """Deploys stacks with the real function."""
    return StackEngine(
        invoke=lambda event: handler(event, None),
        sink=sink,
        region="us-east-1",
        account="123456789012",
        on_event=lambda event: None,
    )


def deployed(engine: StackEngine, way: str, template: str, stack: Stack | None = None) -> Stack:
    """A stack created from an example, or updated to it."""
    parsed = load(EXAMPLES / way / f"{template}.yaml")
    after = engine.update(stack, parsed, {}) if stack else engine.create(way, parsed, {})
    assert after.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    return after


@pytest.mark.parametrize(
    ("way", "templates"),
    [("native", ["retained", "adopted"]), ("lambda", ["retained", "adopted", "alone"]), ("terraform", ["adopted"])],
)
def test_adopting_calls_nothing_that_changes_anything(
    way: str, templates: list[str], engine: StackEngine, emulator: Emulator
) -> None:
    """Each way to adopting, and the stack's deletion after it, leaves the configuration as it was, untouched."""
    arn = put_there(emulator, way)
    before = emulator.configurations
    stack: Stack | None = None
    for template in templates:
        stack = deployed(engine, way, template, stack)
    assert stack is not None
    (resource,) = [one for one in stack.resources.values() if one.type == OURS]
    assert resource.physical_id == arn
    assert engine.delete(stack).status == "DELETE_COMPLETE"
    assert calls(emulator) == []
    assert emulator.configurations == before


def test_owning_only_tags_and_the_way_back_takes_the_tags_off(engine: StackEngine, emulator: Emulator) -> None:
    """Owning puts two tags on; adopting again and removing the resource leaves the configuration as it once was."""
    arn = put_there(emulator, "native")
    before = emulator.configurations
    stack = deployed(engine, "native", "adopted", deployed(engine, "native", "retained"))
    stack = deployed(engine, "native", "owned", stack)
    assert calls(emulator) == ["TagResource"]
    assert {**emulator.configurations[arn]["tags"]}.keys() == {"Team", *OWNERSHIP_TAGS}
    assert stack.outputs["DistributionConfigurationArn"] == arn
    stack = deployed(engine, "native", "retained", deployed(engine, "native", "adopted", stack))
    assert calls(emulator) == ["TagResource", "UntagResource"]
    assert emulator.configurations == before


# Terraform's names


def names() -> dict[str, str]:
    """Terraform's names -> ours, as the page's table has them."""
    table = rows(PAGES / "terraform.md", "What is called what")
    pairs = {left.strip("`"): re.findall(r"`(\w+)", right)[0] for left, right in table}
    assert len(pairs) == len(table)
    return pairs


def members(type_: Schema) -> set[str]:
    """The properties of a type, and of all types within it."""
    inner = {name for one in (type_.item, *type_.members.values()) if one for name in members(one)}
    return inner | {pascal_case(name) for name in type_.members}


def test_every_property_has_its_name_in_terraform() -> None:
    """The table names all properties that there are, and no other one."""
    assert set(names().values()) == members(resource_type().schema)


def translated(block: Mapping[str, Any]) -> dict[str, Any]:
    """A block of Terraform's state as the table has it; what is empty is left out."""
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


def test_a_state_is_what_is_exported() -> None:
    """Terraform's state, renamed as the table says, has the properties of the template that `export` writes."""
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
