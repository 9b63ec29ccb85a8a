"""The functions' code: built where it is wanted, once, and the same bytes each time."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.aws_lambda import Function, Runtime

from provider.build.artifact import build
from provider.construct import asset
from provider.construct.asset import code

FUNCTION = "LastResortFunction"


def synthesised(folder: Path, *, names: tuple[str, ...] = ("images",), wanted: str = "**") -> list[Path]:
    """Synthesise stacks with the function into a folder, building what those `wanted` need; the assets there."""
    context = {"aws:cdk:bundling-stacks": [wanted]}
    app = App(outdir=str(folder), context=context, builtin_cloud_formation_validation=False)
    for name in names:
        Function(Stack(app, name), "Function", code=code(FUNCTION), handler="a.b", runtime=Runtime.PYTHON_3_13)
    app.synth()
    return sorted(folder.glob("asset.*"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_builds_are_the_same(tmp_path: Path) -> None:
    """Builds in different folders give an asset of one name, with the bytes that any other build has."""
    build(FUNCTION, tmp_path / "artifact")
    ((here,), (there,)) = (synthesised(tmp_path / name) for name in ("here", "there"))
    assert here.name == there.name
    assert contents(here) == contents(there) == contents(tmp_path / "artifact")


def test_each_function_has_its_asset(tmp_path: Path) -> None:
    """The two functions' assets are told apart, although both are made of the same sources."""
    app = App(outdir=str(tmp_path), context={"aws:cdk:bundling-stacks": []})
    stack = Stack(app, "images")
    for name in (FUNCTION, "ProviderFunction"):
        Function(stack, name, code=code(name), handler="a.b", runtime=Runtime.PYTHON_3_13)
    keys = app.synth().get_stack_by_name("images").template["Resources"]
    found = {one["Properties"]["Code"]["S3Key"] for one in keys.values() if one["Type"] == "AWS::Lambda::Function"}
    assert len(found) == 2


def test_it_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stacks share one build, and a further synth into the same folder takes what is there."""
    built = []

    def counted(function: str, folder: Path) -> None:
        built.append(function)
        build(function, folder)

    monkeypatch.setattr(asset, "build", counted)
    (made,) = synthesised(tmp_path, names=("one", "two"))
    assert synthesised(tmp_path) == [made]
    assert len(built) == 1


def test_without_byte_code_it_is_another_asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build by a machine without the runtime's Python does not pass for one that has byte code."""
    (compiled,) = synthesised(tmp_path / "compiled")
    monkeypatch.setattr(asset, "interpreter", lambda: None)
    asset._hash.cache_clear()
    (plain,) = synthesised(tmp_path / "plain")
    asset._hash.cache_clear()
    assert plain.name != compiled.name


def test_a_stack_that_is_not_wanted_builds_nothing(tmp_path: Path) -> None:
    """Where another stack is deployed, nothing is built for this one."""
    assert synthesised(tmp_path, wanted="others/**") == []
