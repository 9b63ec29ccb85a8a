"""The imports of each package of the provider are limited."""

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
        "errors",
        "marker",
        "observability",
        "plan",
        "reconciler",
        "resources",
        "schema",
    },
    # It reconciles like `reconciler`, with a table as a second state; nothing imports it without a table.
    "ledger": {
        "arn",
        "aws",
        "cloudformation",  # the deadline of a sweep, which is no request
        "errors",
        "ledger",
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
        "ledger",
        "marker",
        "observability",
        "plan",
        "reconciler",
        "resources",
        "schema",
    },
    "handler": {"aws", "cloudformation", "ledger", "provision", "resources"},
    "last_resort": {"arn", "cloudformation"},
    "emulator": {"botocore", "emulator"},
    "template": {"botocore", "cfnlint", "template", "yaml"},
    "stack_engine": {"emulator", "resources", "stack_engine", "template"},
    "authoring": {"authoring", "botocore", "resources", "schema"},
    "lint": {"arn", "cfnlint", "cloudformation", "lint", "resources", "schema", "template"},
    # aws: which roles the function may assume.
    "preflight": {"arn", "aws", "botocore", "preflight", "schema"},
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
        "extras",
        "handler",
        "jmespath",
        "ledger",  # its records, and the keys of its table, to create one for a rehearsal
        "lint",
        "observability",
        "plan",
        "preflight",
        "reconciler",
        "resources",
        "schema",
        "stack_engine",
        "template",
        "yaml",
    },
    "construct": {
        "arn",
        "authoring",
        "aws_cdk",
        "build",
        "construct",
        "constructs",
        "extras",
        "handler",  # the schedule's event
        "jsii",
        "ledger",  # the keys of its table, and its settings
        "lint",
        "resources",
        "schema",
    },
    "build": {"build", "samtranslator", "yaml"},
    "extras": set(),
    "__main__": {"cli", "extras"},
}
"""The allowed imports of each package or module, besides the standard library."""

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
    """Yield the absolute names of the modules that a file imports, except for type checkers."""
    tree = ast.parse(path.read_text())
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not _for_types_only(tree, node):
            yield from _modules(path, node)


def _modules(path: Path, node: ast.ImportFrom) -> Iterator[str]:
    """Yield the modules of one `from ... import`. Names that are imported from a package itself are modules."""
    package = ["provider", *path.relative_to(PROVIDER).parts[:-1]] if node.level else []
    base = package[: len(package) - node.level + 1]
    module = ".".join([*base, *filter(None, [node.module])])
    for alias in node.names:
        if (module, alias.name) != ("provider", "__version__"):
            yield f"{module}.{alias.name}" if module in ("provider", ".".join(base)) else module


def _for_types_only(tree: ast.Module, node: ast.ImportFrom) -> bool:
    blocks = [n for n in tree.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return any(node in block.body for block in blocks)


def package_of(path: Path) -> str:
    return path.relative_to(PROVIDER).parts[0].removesuffix(".py")


def source_files() -> list[Path]:
    return [path for path in sorted(PROVIDER.rglob("*.py")) if path.name != "__init__.py"]


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(PROVIDER)))
def test_a_package_imports_only_what_the_table_allows(path: Path) -> None:
    """Each file imports only the standard library and what the table allows to its package."""
    found = set()
    for module in imports(path):
        first, *rest = module.split(".")
        if first == "provider":
            found.add(rest[0])
        elif first not in sys.stdlib_module_names:
            found.add(first)
    assert found <= MAY[package_of(path)]


def test_the_example_of_a_resource_type_imports_only_what_a_resource_type_may() -> None:
    """The example of a resource type imports only those modules of the provider that a type in `resources` may."""
    example = Path(__file__).parent / "resources" / "greeting.py"
    found = {module.split(".")[1] for module in imports(example) if module.startswith("provider.")}
    assert found <= MAY["resources"]


@pytest.mark.parametrize("name", ONLY_STANDARD_LIBRARY)
def test_the_modules_that_always_respond_import_only_the_standard_library(name: str) -> None:
    """The modules that always respond import only the standard library and each other at module level."""
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
    """Schema and resources use no clock, no environment, and no network."""
    assert {module.split(".")[0] for module in imports(path)} & FORBIDDEN_TO_THE_CORE == set()


def test_cloudformation_imports_only_the_names_of_resource_types() -> None:
    """The protocol imports the registry's names and the transport, but no resource type and no API client."""
    modules = {module for path in sorted((PROVIDER / "cloudformation").glob("*.py")) for module in imports(path)}
    outside = {module for module in modules if module.startswith("provider.")}
    outside -= {module for module in outside if module.startswith("provider.cloudformation")}
    assert outside == {f"provider.{name}" for name in ("arn", "aws.tls", "aws.transport", "marker", "resources")}


def test_only_one_file_imports_crhelper() -> None:
    """Only one file imports crhelper."""
    users = [path for path in source_files() if any(m.split(".")[0] == "crhelper" for m in imports(path))]
    assert [str(path.relative_to(PROVIDER)) for path in users] == ["cloudformation/custom_resource.py"]


def test_what_sam_build_runs_needs_only_the_standard_library() -> None:
    """In the build package, only `package.py` needs packages, because `sam build` runs before any is installed."""
    users = [path for path in source_files() if {"samtranslator", "yaml"} & {m.split(".")[0] for m in imports(path)}]
    assert [path.name for path in users if package_of(path) == "build"] == ["package.py"]


def test_findings_need_no_cfn_lint() -> None:
    """In the lint package, only `cfn_lint_rules.py` imports cfn-lint, so `validate` starts without it."""
    users = [path for path in sorted((PROVIDER / "lint").glob("*.py")) if "cfnlint" in str(list(imports(path)))]
    assert [path.name for path in users] == ["cfn_lint_rules.py"]


def test_no_module_has_the_name_of_a_standard_module() -> None:
    """No module has the name of a module in the standard library."""
    names = {path.stem for path in source_files()} - {"__main__"}
    assert names & set(sys.stdlib_module_names) == set()


def test_only_the_reader_of_preflight_makes_calls() -> None:
    """Of preflight, only the reader imports botocore: the checks are pure."""
    users = [
        path.name for path in sorted((PROVIDER / "preflight").glob("*.py")) if "botocore" in str(list(imports(path)))
    ]
    assert users == ["reader.py"]
