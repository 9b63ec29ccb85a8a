"""`--generate-cli-skeleton`: its output, without any call."""

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


def first_choices(value: Any, part: Schema) -> Any:
    """The AWS CLI's skeleton, with the first value of an enumeration where the AWS CLI uses any."""
    if part.type_name == "structure":
        return {name: first_choices(entry, part.members[name]) for name, entry in value.items()}
    if part.type_name == "list" and part.item:
        return [first_choices(entry, part.item) for entry in value]
    return part.enum[0] if part.enum and value in part.enum else value


def members(part: Schema) -> Iterator[tuple[str, bool]]:
    """Each member in the order of the shapes, and whether it is required."""
    for name, member in part.members.items():
        yield name, name in part.required
        yield from members(member)
    if part.item:
        yield from members(part.item)


@pytest.mark.parametrize("arguments", [(), ("input",)], ids=["nothing said", "input"])
def test_input_is_the_aws_clis(arguments: tuple[str, ...], emulator: Emulator) -> None:
    """The JSON skeleton has the same members and values as the AWS CLI's, and no call is made."""
    shape = service_model().operation_model(UPDATE).input_shape
    assert isinstance(shape, Shape)
    expected = first_choices(ArgumentGenerator().generate_skeleton(shape), INPUT)
    assert skeleton(*arguments) == json.dumps(expected, indent=4) + "\n"
    assert emulator.requests == []


def test_yaml_input_is_the_same_value() -> None:
    """The YAML skeleton has the same value as the JSON one."""
    assert yaml.safe_load(skeleton("yaml-input")) == json.loads(skeleton())


def test_yaml_input_says_what_is_required() -> None:
    """Each member of the YAML skeleton has a comment, which begins with [REQUIRED] if the model requires the member."""
    commented = [line.partition(": ") for line in skeleton("yaml-input").splitlines() if " # " in line]
    reported = [(name.strip("- "), rest.partition("# ")[2].startswith("[REQUIRED]")) for name, _, rest in commented]
    assert reported == list(members(INPUT))


def test_yaml_input_names_the_values_of_an_enumeration() -> None:
    """The comment of a member with an enumeration ends with its values."""
    line = next(line for line in skeleton("yaml-input").splitlines() if "diskImageFormat:" in line)
    export = INPUT.members["distributions"].item
    assert export is not None
    formats = export.members["s3ExportConfiguration"].members["diskImageFormat"].enum
    assert line.endswith(f"Valid values are: {', '.join(formats)}.")


def test_output_is_checked_and_nothing_is_called(emulator: Emulator) -> None:
    """A sample response is printed only if the members are valid, and no call is made."""
    ended = command("update-distribution-configuration", "--generate-cli-skeleton", "output", "--cli-input-json", "{}")
    assert ended.status == 252
    assert "distributions: is required" in ended.stderr
    assert emulator.requests == []
