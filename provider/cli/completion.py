"""`completion`: the shell's Tab key for the commands, their options and files."""

from __future__ import annotations

import os
from pathlib import Path

import click

SCRIPT = "image-builder-distribution"
"""The console script: shells complete by a program's name, and `python` is not ours."""
_SHELLS = ("bash", "zsh", "fish")

EPILOG = f"""\b
To have it in every new shell:
  bash  echo 'eval "$({SCRIPT} completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$({SCRIPT} completion zsh)"' >> ~/.zshrc
  fish  {SCRIPT} completion fish > ~/.config/fish/completions/{SCRIPT}.fish
"""


@click.command(epilog=EPILOG, short_help="Print a shell's script for Tab completion.")
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
@click.pass_context
def completion(context: click.Context, shell: str | None) -> None:
    """Print the script that lets a shell complete commands, options and files at the Tab key.

    SHELL is bash (4.4 or newer), zsh or fish; by default the one that SHELL in the environment names.

    What is completed is the program that an installation of the package brings, `image-builder-distribution`; for
    `python -m provider`, which is the same otherwise, there is no completion.
    """
    from click.shell_completion import get_completion_class

    shell = shell or Path(os.environ.get("SHELL", "")).name
    maker = get_completion_class(shell) if shell in _SHELLS else None
    if maker is None:
        raise click.UsageError(f"name the shell: one of {', '.join(_SHELLS)}.")
    variable = f"_{SCRIPT}_COMPLETE".replace("-", "_").upper()
    click.echo(maker(context.find_root().command, {}, SCRIPT, variable).source(), nl=False)
