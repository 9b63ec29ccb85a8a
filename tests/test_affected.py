"""The tests that a change affects are found."""

from pathlib import Path

import pytest

from tests.affected import ROOT, Dependencies


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "provider/__init__.py": "",
        "provider/__main__.py": "from .cli import main",
        "provider/cli/__init__.py": "",
        "provider/cli/main.py": "from importlib import import_module\nimport_module('.' + name)",
        "provider/cli/command.py": "def run():\n    from ..schema import model",
        "provider/schema/__init__.py": "",
        "provider/schema/model.py": "",
        "provider/schema/other.py": "",
        "tests/conftest.py": "import provider.schema.other\ndef emulator(): ...",
        "tests/cli/helpers.py": "run([sys.executable, '-m', 'provider'])",
        "tests/cli/test_command.py": "from tests.cli.helpers import run",
        "tests/schema/test_model.py": "from provider.schema.model import Schema\ndef test_model(emulator): ...",
        "tests/test_docs.py": "(ROOT / 'docs' / 'runbook.md').read_text()",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "affected"),
    [
        ("provider/schema/model.py", ["tests/cli/test_command.py", "tests/schema/test_model.py"]),
        ("provider/cli/command.py", ["tests/cli/test_command.py"]),
        ("tests/schema/test_model.py", ["tests/schema/test_model.py"]),
        ("tests/cli/helpers.py", ["tests/cli/test_command.py"]),
        ("docs/runbook.md", ["tests/test_docs.py"]),
        ("docs/operating.md", ["tests/test_docs.py"]),
        ("SECURITY.md", []),
        ("provider/schema/other.py", ["tests/schema/test_model.py"]),
        ("pyproject.toml", ["tests/cli/test_command.py", "tests/schema/test_model.py", "tests/test_docs.py"]),
    ],
)
def test_a_change_affects_what_depends_on_it(checkout: Path, changed: str, affected: list[str]) -> None:
    """A test is affected by its imports, by modules that it runs, by files that it names, and by its fixtures."""
    assert Dependencies(checkout).tests_affected_by([changed]) == affected


def test_a_deleted_module_affects_what_imports_it(checkout: Path) -> None:
    """A test whose import no longer exists is affected."""
    (checkout / "provider/schema/model.py").unlink()
    assert "tests/schema/test_model.py" in Dependencies(checkout).tests_affected_by(["provider/schema/model.py"])


def test_this_repository_has_dependencies() -> None:
    """A change of the linter affects the tests of the linter and of the commands, but not those of the schema."""
    affected = Dependencies(ROOT).tests_affected_by(["provider/lint/catalog.py"])
    assert {"tests/lint/test_cfn_lint.py", "tests/cli/test_validate_command.py"} <= {*affected}
    assert "tests/schema/test_rules.py" not in affected
