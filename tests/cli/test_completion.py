"""The console script, and its Tab completion in real shells."""

import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from provider.cli.completion_command import PATCHES, SCRIPT, SHELLS
from provider.cli.main import main
from tests.cli.commands import ROOT, command
from tests.cli.tab import after_tab


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script that an installation creates from pyproject.toml."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    module, _, function = scripts[SCRIPT].partition(":")
    file = tmp_path_factory.mktemp("bin") / SCRIPT
    file.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    file.chmod(0o755)
    return file


def shell(script: Path, *arguments: str) -> str:
    """The output of a shell command, with the console script on the path."""
    path = f"{script.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stderr == ""
    return ended.stdout


def completed(script: Path, *words: str) -> list[str]:
    """The words that bash offers when Tab is pressed after these words."""
    asked = f"COMP_LINE={shlex.quote(' '.join(words))}; COMP_POINT=${{#COMP_LINE}}"
    program = (
        f'eval "$({SCRIPT} completion bash)"\n{asked}\n'
        f"_{SCRIPT.replace('-', '_')}_completion {SCRIPT} 2>/dev/null\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return shell(script, "bash", "--norc", "-c", program).split()


def test_bash_completes_only_the_console_script(script: Path) -> None:
    """bash uses the completion for the console script only."""
    program = f'eval "$({SCRIPT} completion bash)"; complete -p'
    assert shell(script, "bash", "--norc", "-c", program).split()[-1] == SCRIPT


def test_bash_completes_commands(script: Path) -> None:
    """Tab completes the names of commands."""
    assert completed(script, SCRIPT, "") == sorted(main.commands)
    assert completed(script, SCRIPT, "reh") == ["rehearse"]


def test_bash_completes_options(script: Path) -> None:
    """Tab completes a command's options and their values."""
    assert completed(script, SCRIPT, "plan", "--pr") == ["--previous", "--profile"]
    assert completed(script, SCRIPT, "plan", "--output", "") == ["human", "json"]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("va", "validate"),
        ("plan --prof", "--profile"),
        ("plan --output h", "human"),
        ("plan --output=h", "--output=human"),
        ("plan --previous=SECUR", "--previous=SECURITY.md"),
        ("plan -p Stage=production SECUR", "SECURITY.md"),
        ("plan --resolve ssm:/accounts/one=1 'SECUR", "SECURITY.md"),
    ],
)
def test_tab(script: Path, tmp_path: Path, shell: str, line: str, completed: str) -> None:
    """In each installed shell, Tab completes commands, options, their values, and files after them."""
    assert after_tab(shell, script, f"{SCRIPT} {line}", tmp_path) == completed


@pytest.mark.parametrize("shell", SHELLS)
def test_patches_apply_to_the_script_of_click(shell: str) -> None:
    """Each patched part exists in click's script; if it does not, the patch must be reviewed."""
    click_s = get_completion_class(shell)
    assert click_s is not None
    assert all(written in click_s.source_template for written in PATCHES[shell])


def test_default_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default shell is the one in the environment; any other shell is an error."""
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert command("completion").stdout == command("completion", "fish").stdout
    monkeypatch.setenv("SHELL", "/bin/csh")
    ended = command("completion")
    assert ended.status == 2
    assert "one of bash, zsh, fish" in ended.stderr


@pytest.mark.parametrize("name", [None, *sorted(main.commands)])
def test_examples_show_the_program_name(script: Path, name: str | None) -> None:
    """Usage and examples in --help show the name with which the program was started."""
    shown = shell(script, SCRIPT, *([name] if name else []), "--help")
    usage = f"Usage: {SCRIPT} {name or ''}".strip()
    assert shown.startswith(usage)
    if name != "completion":  # which says what is not completed
        assert "python -m provider" not in shown
