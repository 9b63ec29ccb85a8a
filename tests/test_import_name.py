"""The installed package works under two names, also in an app whose own `provider` package hides one of them."""

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLASH = ROOT / "tests" / "clash"
"""An app with an empty `provider` package, which imports the constructs from `provider`."""
HIDDEN = "No module named 'provider.construct'"
CFN_LINT = str(Path(sys.executable).with_name("cfn-lint"))
NAMES = ("provider", "image_builder_distribution")
TEMPLATE = """
Resources:
  Golden:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:provider
      Nmae: golden
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {Name: "golden {{ imagebuilder:buildDate }}"}
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what it is made of."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "provider", source / "provider", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [str(ROOT / ".venv-package/bin/python"), "-m", "pip", "-q", "--disable-pip-version-check", "wheel"]
    target = tmp_path_factory.mktemp("wheel")
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(target)]
    built = subprocess.run([*pip, *options, str(source)], check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (found,) = target.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip has installed the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--target", str(folder), str(wheel)], check=True)
    return folder


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy of the app, with a template."""
    folder = tmp_path / "app"
    shutil.copytree(CLASH, folder)
    (folder / "stack.yaml").write_text(TEMPLATE, "utf-8")
    return folder


def run(installed: Path, folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder, with the installed package instead of the checkout."""
    variables = {**os.environ, "PYTHONPATH": str(installed), "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_both_names_have_the_same_files(wheel: Path) -> None:
    """The wheel contains the same files under both names, including the marker for type checkers and the lock file."""
    files: dict[str, dict[str, bytes]] = {name: {} for name in NAMES}
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            name, _, rest = entry.partition("/")
            if name in files:
                files[name][rest] = archive.read(entry)
    first, second = (files[name] for name in NAMES)
    assert first == second
    assert first.keys() >= {"py.typed", "build/lambda.lock", "construct/__init__.py", "cli/main.py"}


def test_nothing_imports_the_package_by_name() -> None:
    """All imports of the package within itself are relative, so that it works under any name."""
    for path in sorted((ROOT / "provider").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            assert not {name.partition(".")[0] for name in names} & {*NAMES}, path


def test_the_app_s_package_hides_the_provider_s(installed: Path, app: Path) -> None:
    """In an app with its own `provider` package, that name fails as the guide quotes it."""
    ended = run(installed, app, sys.executable, "app.py")
    assert ended.stderr.splitlines()[-1] == f"ModuleNotFoundError: {HIDDEN}"
    assert HIDDEN in (ROOT / "docs" / "cdk.md").read_text("utf-8")


def test_the_constructs_work_under_the_other_name(installed: Path, app: Path) -> None:
    """With the other name, the same app synthesizes a stack with a configuration and its provider."""
    source = app / "app.py"
    imports = source.read_text("utf-8").replace("from provider.", "from image_builder_distribution.")
    source.write_text(imports, "utf-8")
    ended = run(installed, app, sys.executable, "app.py")
    assert ended.returncode == 0, ended.stderr
    resources = json.loads((app / "cdk.out" / "images.template.json").read_text("utf-8"))["Resources"].values()
    types = {one["Type"] for one in resources}
    assert types >= {"Custom::ImageBuilderDistributionConfiguration", "AWS::Lambda::Function"}


@pytest.mark.parametrize("path", ["", "."], ids=["the default path", "PYTHONPATH=."])
def test_cfn_lint_finds_the_rules(installed: Path, app: Path, path: str) -> None:
    """In the app's folder, cfn-lint loads the rules by the other name, from the command line and from .cfnlintrc."""
    command = [*(["env", f"PYTHONPATH={path}:{installed}"] if path else []), CFN_LINT, "stack.yaml"]
    given = run(installed, app, *command, "-a", "image_builder_distribution.lint")
    (app / ".cfnlintrc").write_text("append_rules: [image_builder_distribution.lint]\n", "utf-8")
    configured = run(installed, app, *command)
    for ended in (given, configured):
        assert "E9101" in ended.stdout, ended.stdout + ended.stderr
        assert "did you mean Name?" in ended.stdout


def test_the_commands_work_in_the_app(installed: Path, app: Path) -> None:
    """In the app's folder, the program and `python -m` with the other name check a template and show their own name."""
    script = str(installed / "bin" / "image-builder-distribution")
    module = [sys.executable, "-m", "image_builder_distribution"]
    for program, name in (([script], "image-builder-distribution"), (module, "python -m image_builder_distribution")):
        ended = run(installed, app, *program, "validate", "stack.yaml")
        assert (ended.returncode, ended.stdout.count("E9101")) == (1, 1), ended.stderr
        assert f"  {name} validate stack.yaml" in run(installed, app, *program, "--help").stdout


def test_a_rehearsal_runs_the_handler_under_the_other_name(installed: Path, app: Path) -> None:
    """In the app's folder, a rehearsal runs the real handler and reports its warnings."""
    (app / "stack.yaml").write_text(
        TEMPLATE.replace("Nmae", "Name").replace("Region: us-east-1", "Region: us-esat-1"), "utf-8"
    )
    ended = run(installed, app, sys.executable, "-m", "image_builder_distribution", "rehearse", "stack.yaml")
    assert "us-esat-1" in ended.stdout
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_constructs_build_the_function_under_the_other_name(installed: Path, app: Path) -> None:
    """In the app's folder, the last-resort function's artifact is built, with the handler that the template names."""
    script = (
        "from pathlib import Path; from image_builder_distribution.build.artifact import build;"
        "build('LastResortFunction', Path('artifact'))"
    )
    assert run(installed, app, sys.executable, "-c", script).returncode == 0
    assert (app / "artifact" / "provider" / "last_resort.py").exists()
