"""Who may import whom: the rooms of the house, read from the imports."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROVIDER = Path(__file__).parent.parent / "provider"

MAY: dict[str, set[str]] = {
    "arn": set(),
    "marker": set(),
    "errors": set(),
    "plan": {"schema"},
    "schema": {"botocore", "schema"},
    "resources": {"arn", "errors", "marker", "plan", "resources", "schema"},
    "aws": {"aws", "botocore", "errors", "schema", "urllib3"},
    "reconciler": {
        "arn",
        "aws",
        "cloudformation",
        "errors",
        "marker",
        "observability",
        "plan",
        "reconciler",
        "resources",
        "schema",
    },
    "cloudformation": {"arn", "aws", "cloudformation", "crhelper", "marker", "resources"},
    "observability": {"aws_lambda_powertools", "cloudformation", "schema"},
    "provision": {
        "arn",
        "aws",
        "cloudformation",
        "errors",
        "marker",
        "observability",
        "plan",
        "reconciler",
        "resources",
        "schema",
    },
    "handler": {"aws", "cloudformation", "provision"},
    "last_resort": {"arn", "cloudformation"},
    "emulator": {"botocore", "emulator"},
    "template": {"cfnlint", "template", "yaml"},
    "stack_engine": {"emulator", "resources", "stack_engine", "template"},
    "authoring": {"authoring", "botocore", "resources", "schema"},
    "preflight": {"arn", "botocore", "preflight", "schema"},
    "lint": {"arn", "cfnlint", "cloudformation", "lint", "resources", "schema", "template"},
    "cli": {
        "arn",
        "authoring",
        "aws",
        "boto3",
        "botocore",
        "cfnlint",
        "cli",
        "click",
        "cloudformation",
        "emulator",
        "errors",
        "handler",
        "jmespath",
        "lint",
        "plan",
        "preflight",
        "reconciler",
        "resources",
        "schema",
        "stack_engine",
        "template",
        "yaml",
    },
    "construct": {"authoring", "aws_cdk", "build", "construct", "constructs", "jsii", "lint", "resources", "schema"},
    "build": {"build", "samtranslator", "yaml"},
    "__main__": {"cli"},
}
"""What each package or module may import, besides the standard library."""

ONLY_STANDARD_LIBRARY = (
    "arn.py",
    "marker.py",
    "aws/tls.py",
    "aws/transport.py",
    "cloudformation/response_url.py",
    "cloudformation/request.py",
    "cloudformation/response.py",
    "cloudformation/delivery.py",
    "cloudformation/deadline.py",
    "last_resort.py",
    "handler.py",
    "resources/__init__.py",
)

ALSO_STANDARD = tuple(
    f"provider.{name.removesuffix('.py').replace('/', '.')}"
    for name in (*ONLY_STANDARD_LIBRARY, "cloudformation/redaction.py")
)

FORBIDDEN_TO_THE_CORE = {"os", "time", "random", "socket", "ssl", "subprocess", "urllib", "http"}


def imports(path: Path, *, top_only: bool = False) -> Iterator[str]:
    """The modules that a file imports, by their absolute names; those for type checkers left out."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not _for_types_only(tree, node):
            yield from _modules(path, node)


def _modules(path: Path, node: ast.ImportFrom) -> Iterator[str]:
    """The modules of one `from ... import`; names that are imported from the package itself are modules."""
    package = ["provider", *path.relative_to(PROVIDER).parts[:-1]]
    base = package[: len(package) - node.level + 1] if node.level else []
    module = ".".join([*base, *filter(None, [node.module])])
    for alias in node.names:
        yield f"{module}.{alias.name}" if module in ("provider", ".".join(base)) else module


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
        if module.split(".")[0] not in sys.stdlib_module_names
        and not (module == "provider.resources" or module.startswith(ALSO_STANDARD))
    }
    assert foreign == set()
    assert not any(module.endswith("cloudformation.custom_resource") for module in imports(PROVIDER / name))


@pytest.mark.parametrize(
    "path",
    [
        *sorted((PROVIDER / "schema").glob("*.py")),
        *sorted((PROVIDER / "resources").glob("*.py")),
        *(PROVIDER / f"{name}.py" for name in ("arn", "marker", "plan")),
    ],
    ids=str,
)
def test_the_core_is_pure(path: Path) -> None:
    """Schema and resources know no clock, no environment and no network."""
    assert {module.split(".")[0] for module in imports(path)} & FORBIDDEN_TO_THE_CORE == set()


def test_only_the_reader_of_preflight_makes_calls() -> None:
    """Of preflight, only the reader imports botocore: the checks are pure."""
    users = [
        path.name for path in sorted((PROVIDER / "preflight").glob("*.py")) if "botocore" in str(list(imports(path)))
    ]
    assert users == ["reader.py"]


def test_only_the_quarantine_knows_crhelper() -> None:
    """crhelper is imported in one file."""
    users = [path for path in source_files() if any(m.split(".")[0] == "crhelper" for m in imports(path))]
    assert [str(path.relative_to(PROVIDER)) for path in users] == ["cloudformation/custom_resource.py"]


def test_what_sam_build_runs_needs_only_the_standard_library() -> None:
    """Of what makes the artifact only the packaging needs packages, since `sam build` runs before any is installed."""
    users = [path for path in source_files() if {"samtranslator", "yaml"} & {m.split(".")[0] for m in imports(path)}]
    assert [path.name for path in users if room_of(path) == "build"] == ["package.py"]


def test_findings_need_no_cfn_lint() -> None:
    """Of the linting room only the rules import cfn-lint, so that `validate` starts without it."""
    users = [path for path in sorted((PROVIDER / "lint").glob("*.py")) if "cfnlint" in str(list(imports(path)))]
    assert [path.name for path in users] == ["rules.py"]


def test_no_module_is_named_after_one_of_the_standard_library() -> None:
    """A module that shadows one of the standard library's in the reader's mind has another name."""
    names = {path.stem for path in source_files()} - {"__main__"}
    assert names & set(sys.stdlib_module_names) == set()
