"""The functions' code: built once, only if its stack is synthesized, and reproducibly."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.aws_lambda import Function, Runtime

from provider.build.artifact import build
from provider.construct import asset
from provider.construct.asset import code

FUNCTION = "LastResortFunction"


def synthesized(folder: Path, *, names: tuple[str, ...] = ("images",), bundled: str = "**") -> list[Path]:
    """Synthesize stacks with the function into a folder, building assets of stacks that match `bundled`."""
    context = {"aws:cdk:bundling-stacks": [bundled]}
    app = App(outdir=str(folder), context=context, builtin_cloud_formation_validation=False)
    for name in names:
        Function(Stack(app, name), "Function", code=code(FUNCTION), handler="a.b", runtime=Runtime.PYTHON_3_13)
    app.synth()
    return sorted(folder.glob("asset.*"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_builds_are_the_same(tmp_path: Path) -> None:
    """Builds in different folders give assets with the same name and the same bytes."""
    build(FUNCTION, tmp_path / "artifact")
    ((here,), (there,)) = (synthesized(tmp_path / name) for name in ("here", "there"))
    assert here.name == there.name
    assert contents(here) == contents(there) == contents(tmp_path / "artifact")


def test_each_function_has_its_asset(tmp_path: Path) -> None:
    """The two functions have different assets, although they are built from the same sources."""
    app = App(outdir=str(tmp_path), context={"aws:cdk:bundling-stacks": []})
    stack = Stack(app, "images")
    for name in (FUNCTION, "ProviderFunction"):
        Function(stack, name, code=code(name), handler="a.b", runtime=Runtime.PYTHON_3_13)
    keys = app.synth().get_stack_by_name("images").template["Resources"]
    found = {one["Properties"]["Code"]["S3Key"] for one in keys.values() if one["Type"] == "AWS::Lambda::Function"}
    assert len(found) == 2


def test_it_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stacks share one build, and a second synth into the same folder reuses it."""
    built = []

    def counted(function: str, folder: Path) -> None:
        built.append(function)
        build(function, folder)

    monkeypatch.setattr(asset, "build", counted)
    (result,) = synthesized(tmp_path, names=("one", "two"))
    assert synthesized(tmp_path) == [result]
    assert len(built) == 1


def test_a_build_without_bytecode_is_another_asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build on a machine without the runtime's Python has another asset name than one with bytecode."""
    (compiled,) = synthesized(tmp_path / "compiled")
    monkeypatch.setattr(asset, "interpreter", lambda: None)
    asset._hash.cache_clear()
    (plain,) = synthesized(tmp_path / "plain")
    asset._hash.cache_clear()
    assert plain.name != compiled.name


def test_a_stack_that_is_not_deployed_builds_nothing(tmp_path: Path) -> None:
    """If only another stack is deployed, nothing is built for this one."""
    assert synthesized(tmp_path, bundled="others/**") == []
