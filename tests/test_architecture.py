"""Who may import whom: the rooms of the house, read from the imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROVIDER = Path(__file__).parent.parent / "provider"

MAY: dict[str, set[str]] = {
    "artifact": {"artifact", "handler", "patterns", "properties", "provision", "samtranslator", "tls", "yaml"},
    "properties": {"botocore", "properties"},
    "authoring": {"authoring", "botocore", "properties"},
    "arn": set(),
    "marker": set(),
    "errors": set(),
    "ownership": {"properties"},
    "plan": {"properties"},
    "deletion": {"arn", "errors", "marker", "ownership", "plan", "properties"},
    "lifecycle": {"arn", "deletion", "errors", "ownership", "plan", "properties"},
    "patterns": set(),
    "tls": set(),
    "transport": set(),
    "client": {"botocore", "errors", "properties", "tls", "transport", "urllib3"},
    "image_builder": {"arn", "client", "errors", "plan", "properties"},
    "observability": {"aws_lambda_powertools", "properties", "protocol"},
    "reconcile": {
        "deletion",
        "errors",
        "image_builder",
        "lifecycle",
        "marker",
        "observability",
        "ownership",
        "plan",
        "properties",
        "protocol",
    },
    "provision": {
        "client",
        "errors",
        "image_builder",
        "marker",
        "observability",
        "plan",
        "properties",
        "protocol",
        "reconcile",
    },
    "protocol": {"arn", "crhelper", "marker", "protocol", "tls", "transport"},
    "handler": {"client", "patterns", "protocol", "provision", "tls"},
    "last_resort": {"arn", "protocol"},
    "local": {"botocore", "boto3", "cfnlint", "yaml", "local"},
    "cli": {
        "arn",
        "authoring",
        "botocore",
        "boto3",
        "cfnlint",
        "click",
        "jmespath",
        "yaml",
        "cli",
        "client",
        "errors",
        "handler",
        "image_builder",
        "lifecycle",
        "lint",
        "ownership",
        "plan",
        "local",
        "properties",
        "protocol",
    },
    "lint": {"arn", "cfnlint", "lint", "properties", "protocol"},
    "construct": {"artifact", "authoring", "aws_cdk", "construct", "constructs", "jsii", "lint", "properties"},
    "__main__": {"cli"},
}
"""What each room may import, besides the standard library; rooms by their own names."""

ONLY_STANDARD_LIBRARY = (
    "arn.py",
    "marker.py",
    "patterns.py",
    "tls.py",
    "transport.py",
    "protocol/response_url.py",
    "last_resort.py",
"handler.py", "protocol/request.py", "protocol/response.py", "protocol/delivery.py",
                         "protocol/deadline.py")  # fmt: skip

ALSO_STANDARD = (
    "provider.arn",
    "provider.marker",
    "provider.patterns",
    "provider.protocol.",
    "provider.tls",
    "provider.transport",
)

FORBIDDEN_TO_THE_CORE = {"os", "time", "random", "socket", "ssl", "subprocess", "urllib", "http"}


def imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """The modules that a file imports, those for type checkers left out."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "provider" else [node.module]
            )
            for name in names:
                if not _for_types_only(tree, node):
                    yield name


def _for_types_only(tree: ast.Module, node: ast.ImportFrom) -> bool:
    blocks = [n for n in tree.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return any(node in block.body for block in blocks)


def room_of(path: Path) -> str:
    return path.relative_to(PROVIDER).parts[0].removesuffix(".py")


def source_files() -> list[Path]:
    return [path for path in sorted(PROVIDER.rglob("*.py")) if path.name != "__init__.py"]


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(PROVIDER)))
def test_a_room_imports_what_it_may(path: Path) -> None:
    """Each file imports the standard library and what the table allows to its room, nothing else."""
    found = set()
    for module in imports(path):
        first, *rest = module.split(".")
        if first == "provider":
            found.add(rest[0])
        elif first not in sys.stdlib_module_names:
            found.add(first)
    assert found <= MAY[room_of(path)]


@pytest.mark.parametrize("name", ONLY_STANDARD_LIBRARY)
def test_what_must_always_load_needs_only_the_standard_library(name: str) -> None:
    """The handler and what it answers with load without any package: only within a function may it need one."""
    foreign = {
        module
        for module in imports(PROVIDER / name, top_only=True)
        if module.split(".")[0] not in sys.stdlib_module_names and not module.startswith(ALSO_STANDARD)
    }
    assert foreign == set()
    assert not any(module.endswith("protocol.custom_resource") for module in imports(PROVIDER / name))


@pytest.mark.parametrize(
    "path",
    [
        *sorted((PROVIDER / "properties").glob("*.py")),
        *(PROVIDER / f"{name}.py" for name in ("arn", "deletion", "lifecycle", "marker", "ownership", "plan")),
    ],
    ids=str,
)
def test_the_core_is_pure(path: Path) -> None:
    """Properties and lifecycle know no clock, no environment and no network."""
    assert {module.split(".")[0] for module in imports(path)} & FORBIDDEN_TO_THE_CORE == set()


def test_only_the_quarantine_knows_crhelper() -> None:
    """crhelper is imported in one file."""
    users = [path for path in source_files() if any(m.split(".")[0] == "crhelper" for m in imports(path))]
    assert [str(path.relative_to(PROVIDER)) for path in users] == ["protocol/custom_resource.py"]


def test_what_sam_build_runs_needs_only_the_standard_library() -> None:
    """Of what makes the artifact only the packaging needs packages, since `sam build` runs before any is installed."""
    users = [path for path in source_files() if {"samtranslator", "yaml"} & {m.split(".")[0] for m in imports(path)}]
    assert [path.name for path in users if room_of(path) == "artifact"] == ["package.py"]


def test_findings_need_no_cfn_lint() -> None:
    """Of the linting room only the rules import cfn-lint, so that `validate` starts without it."""
    users = [path for path in sorted((PROVIDER / "lint").glob("*.py")) if "cfnlint" in str(list(imports(path)))]
    assert [path.name for path in users] == ["rules.py"]


def test_no_module_is_named_after_one_of_the_standard_library() -> None:
    """A module that shadows one of the standard library's in the reader's mind has another name."""
    names = {path.stem for path in source_files()} - {"__main__"}
    assert names & set(sys.stdlib_module_names) == set()
