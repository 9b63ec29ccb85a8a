"""Every block that a page shows is run, or says why not; its commands, options, parameters, and paths exist."""

import ast
import inspect
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from awscli.clidriver import create_clidriver

from provider import construct
from provider.cli.main import main
from provider.construct.properties import DistributionConfigurationProperties
from provider.preflight.checks import CHECKS
from provider.resources import RESOURCE_TYPES, resource_type
from provider.schema.check import findings
from provider.schema.checkpoint import proceed
from provider.schema.expand import expand
from provider.schema.model import TARGET, pascal_case
from provider.template.sections import load
from tests.docs.page import PAGES, ROOT
from tests.docs.shown import BLOCKS, Shown, aws_commands, provider_commands, summary
from tests.stack import ARN

FOLDERS = tuple(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("."))
GENERATED = ("build/",)
"""Folders that commands create."""
SHELL = ("bash", "sh", "", "text", "mermaid")
EXACT = {"ts", "js"}
"""Languages whose blocks are files of the project."""


def of(*languages: str) -> list[Any]:
    """The blocks of these languages, as parameters of a test."""
    return [pytest.param(block, id=block.where) for block in BLOCKS if block.language in languages]


@pytest.mark.parametrize("block", of(""))
def test_a_note_is_true(block: Shown) -> None:
    """A block that another test runs names an existing file that mentions its page."""
    kind, text = block.note
    if kind == "run by":
        source = (ROOT / text).read_text("utf-8")
        assert block.page.stem in source
    elif kind == "not run":
        assert len(text.split()) > 2


def test_every_language_is_checked() -> None:
    """There is a check for the blocks of each language."""
    checked = {*SHELL, *EXACT, "yaml", "json", "python", "terraform"}
    assert {block.language for block in BLOCKS} <= checked
    assert "blocks on" in summary()


def test_the_readme_is_short() -> None:
    """The README has about 700 words."""
    assert len((ROOT / "README.md").read_text("utf-8").split()) < 800


# Commands.


@pytest.mark.parametrize("block", [block for block in BLOCKS if any(provider_commands(block))], ids=lambda b: b.where)
def test_each_command_and_option_exists(block: Shown) -> None:
    """Each of the provider's commands exists, and has the options and choices that the page shows."""
    for name, *arguments in provider_commands(block):
        command = main.commands[name]
        options, _, _ = command.make_parser(click.Context(command, **main.context_settings)).parse_args(
            [one for one in arguments if not one.startswith("[")]
        )
        choices = {
            one.name: one.type.choices
            for one in command.params
            if isinstance(one, click.Option) and isinstance(one.type, click.Choice)
        }
        assert {key: value for key, value in options.items() if value not in choices.get(key, [value])} == {}


@pytest.mark.parametrize("block", [block for block in BLOCKS if any(aws_commands(block))], ids=lambda b: b.where)
def test_each_option_of_the_aws_cli_exists(block: Shown) -> None:
    """Each command of the AWS CLI exists, and has the options that the page shows."""
    driver = create_clidriver()
    for service, *words in aws_commands(block):
        command = driver._get_command_table()[service]
        table = getattr(command, "subcommand_table", None) or command._get_command_table()
        while words and words[0] in table:
            command = table[words.pop(0)]
            table = getattr(command, "subcommand_table", {})
        known = {f"--{name}" for table in (command.arg_table, driver._get_argument_table()) for name in table}
        assert {word for word in words if word.startswith("--")} <= known
        assert words[:1] == [] or words[0].startswith(("--", "s3://", "build/"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_make_target_exists(page: Path) -> None:
    """Each `make TARGET` in a page, also within sentences, is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    used = re.findall(r"(?:^|`|&& )make ([a-z0-9-]+)", page.read_text("utf-8"), re.MULTILINE)
    assert [target for target in used if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_parameter_of_the_template_exists(page: Path) -> None:
    """Each parameter that a page passes to `sam deploy` exists, and accepts the value."""
    parameters = load(ROOT / "template.yaml").parameters
    text = page.read_text("utf-8").replace("\\\n", " ")
    for given in re.findall(r"sam deploy[^\n`]*--parameter-overrides ([^\n`]+)", text):
        for name, value in re.findall(r"([A-Z]\w+)=([^\s']+)", given):
            parameter = parameters[name]
            assert value in parameter.get("AllowedValues", [value]), name
            assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_path_exists(page: Path) -> None:
    """Each path in a page that begins with a folder of the project exists."""
    if page.name == "CHANGELOG.md":
        pytest.skip("the changelog names files as they were")
    text = re.sub(r"\]\([^)]*\)|https?://\S+", "", page.read_text("utf-8"))
    found = re.findall(rf"(?<![\w./<-])(?:{'|'.join(FOLDERS)})/[\w./-]*[\w/]", text)
    paths = {path for path in found if not path.startswith(GENERATED) and not path.endswith("/stack")}
    missing = [path for path in paths if not any(base.joinpath(path).exists() for base in (ROOT, ROOT / "provider"))]
    assert missing == []


# Other languages.


@pytest.mark.parametrize("block", of("yaml"))
def test_yaml_is_valid(block: Shown, tmp_path: Path) -> None:
    """A YAML block can be read, and its resources of this provider have no problems."""
    if "Type: Custom::ImageBuilder" not in block.text or "Properties:" not in block.text:
        yaml.compose(textwrap.dedent(block.text), yaml.SafeLoader)
        return
    if block.note[0] == "run by":
        pytest.skip(f"{block.note[1]} tests it")
    if block.page.parent.name == "migrating":
        pytest.skip("an excerpt of an example, with which test_migrating.py compares it")
    file = tmp_path / "shown.yaml"
    is_template = re.search("^Resources:", block.text, re.MULTILINE)
    file.write_text(block.text if is_template else f"Resources:\n{textwrap.indent(block.text, '  ')}", "utf-8")
    found = [one for one in load(file).resources.values() if one["Type"] in RESOURCE_TYPES]
    assert found
    for resource in found:
        given = {key: value for key, value in resource["Properties"].items() if key != "ServiceToken"}
        if isinstance(given.get(pascal_case(TARGET)), dict):
            given[pascal_case(TARGET)] = f"{ARN}golden-image"
        type_ = resource_type(resource["Type"])
        assert [*findings(expand(given, type_.schema), type_.rules, proceed)] == []


@pytest.mark.parametrize("block", of("json"))
def test_json_is_valid(block: Shown) -> None:
    """A JSON block is JSON, or a member of an object."""
    try:
        json.loads(block.text)
    except json.JSONDecodeError:
        json.loads(f"{{{block.text}}}")


@pytest.mark.parametrize("block", of("python"))
def test_python_is_valid(block: Shown) -> None:
    """A Python block compiles, imports what exists, and passes arguments that the constructs have."""
    for node in ast.walk(ast.parse(block.text.replace(", ...)", ", **{})"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("provider"):
            module = __import__(str(node.module), fromlist=["*"])
            assert [each.name for each in node.names if not hasattr(module, each.name)] == []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(construct, node.func.id):
            function = getattr(construct, node.func.id).__init__
            known = {*inspect.signature(function).parameters, *DistributionConfigurationProperties.__annotations__}
            assert {each.arg for each in node.keywords if each.arg} <= known


@pytest.mark.parametrize("block", of(*EXACT))
def test_code_is_an_example(block: Shown) -> None:
    """A block in TypeScript or JavaScript is a file of the examples."""
    files = [path for path in (ROOT / "examples").rglob("*.*s") if "node_modules" not in path.parts]
    assert any(block.text.strip() in path.read_text("utf-8") for path in files)


def test_terraform_names_the_resource() -> None:
    """A Terraform block is about the type of the migration guide."""
    blocks = [block for block in BLOCKS if block.language == "terraform"]
    assert [block for block in blocks if "aws_imagebuilder_distribution_configuration" not in block.text] == []


# Outputs.


def test_the_output_of_preflight_has_its_checks() -> None:
    """Each check in the output that docs/preflight.md shows exists, and the totals are those of its lines."""
    (block,) = [one for one in BLOCKS if one.page.name == "preflight.md" and one.text.startswith("GoldenImage")]
    rows = re.findall(r"^(pass|warning|failure|not checkable) +([\w-]+)", block.text, re.MULTILINE)
    assert {check for _, check in rows} <= {check.id for check in CHECKS}
    totals = [sum(status == kind for status, _ in rows) for kind in ("pass", "warning", "failure", "not checkable")]
    assert block.text.rstrip().endswith("{} passed, {} warnings, {} failure, {} not checkable.".format(*totals))
