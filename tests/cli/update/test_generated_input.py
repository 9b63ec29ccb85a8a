"""`--generate-cli-skeleton`: what it prints, and that nothing is called for it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from botocore.model import Shape
from botocore.utils import ArgumentGenerator

from provider.emulator.emulator import Emulator
from provider.schema.model import UPDATE, Schema, operation, service_model
from tests.cli.commands import command

INPUT = operation(UPDATE)


def skeleton(*arguments: str) -> str:
    ended = command("update-distribution-configuration", "--generate-cli-skeleton", *arguments)
    assert (ended.status, ended.stderr) == (0, "")
    return ended.stdout


def first_choices(value: Any, type_: Schema) -> Any:
    """The AWS CLI's skeleton, with the first of an enumeration's values where the AWS CLI takes any of them."""
    if type_.type_name == "structure":
        return {name: first_choices(entry, type_.members[name]) for name, entry in value.items()}
    if type_.type_name == "list" and type_.item:
        return [first_choices(entry, type_.item) for entry in value]
    return type_.enum[0] if type_.enum and value in type_.enum else value


def members(type_: Schema) -> Iterator[tuple[str, bool]]:
    """Each member in the order of the shapes, and whether it is required."""
    for name, member in type_.members.items():
        yield name, name in type_.required
        yield from members(member)
    if type_.item:
        yield from members(type_.item)


@pytest.mark.parametrize("arguments", [(), ("input",)], ids=["nothing said", "input"])
def test_input_is_the_aws_clis(arguments: tuple[str, ...], emulator: Emulator) -> None:
    """The JSON skeleton has the members and values of the one that the AWS CLI makes, and calls nothing."""
    shape = service_model().operation_model(UPDATE).input_shape
    assert isinstance(shape, Shape)
    expected = first_choices(ArgumentGenerator().generate_skeleton(shape), INPUT)
    assert skeleton(*arguments) == json.dumps(expected, indent=4) + "\n"
    assert emulator.requests == []


def test_yaml_input_is_the_same_value() -> None:
    """The YAML skeleton reads as the JSON one."""
    assert yaml.safe_load(skeleton("yaml-input")) == json.loads(skeleton())


def test_yaml_input_says_what_is_required() -> None:
    """Each member of the YAML skeleton has a comment, which begins with [REQUIRED] where the model requires it."""
    commented = [line.partition(": ") for line in skeleton("yaml-input").splitlines() if " # " in line]
    told = [(name.strip("- "), rest.partition("# ")[2].startswith("[REQUIRED]")) for name, _, rest in commented]
    assert told == list(members(INPUT))


def test_yaml_input_names_the_values_of_an_enumeration() -> None:
    """The comment of a member with an enumeration ends with its values."""
    line = next(line for line in skeleton("yaml-input").splitlines() if "diskImageFormat:" in line)
    export = INPUT.members["distributions"].item
    assert export is not None
    formats = export.members["s3ExportConfiguration"].members["diskImageFormat"].enum
    assert line.endswith(f"Valid values are: {', '.join(formats)}.")


def test_output_is_checked_and_nothing_is_called(emulator: Emulator) -> None:
    """A sample answer is printed only for valid members, and the service is not called for it."""
    ended = command("update-distribution-configuration", "--generate-cli-skeleton", "output", "--cli-input-json", "{}")
    assert ended.status == 252
    assert "distributions: is required" in ended.stderr
    assert emulator.requests == []
