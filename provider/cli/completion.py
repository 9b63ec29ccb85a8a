"""`completion`: the shell's Tab key for the commands, their options and files."""

from __future__ import annotations

import os
from pathlib import Path

import click

SCRIPT = "image-builder-distribution"
"""The console script: shells complete by a program's name, and `python` is not ours."""
SHELLS = ("bash", "zsh", "fish")

MENDED = {
    # bash takes words apart at = and :, and KEY=VALUE would count as three. The line is whole; '' ends it with a word.
    "bash": {'"${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD': "\"${COMP_LINE:0:COMP_POINT}''\" COMP_CWORD=-1"},
    # What click offers for --option=VALUE is the value alone: in zsh it would take the place of both (and with -U does
    # so in any case), in fish it would be no continuation of the word.
    "zsh": {"local -a response\n": "local -a response\n    compset -P 1 '--*='\n", "compadd -U -V": "compadd -V"},
    "fish": {
        "    set -l response ": '    set -l option (string match -r -- "^--[^=]*=" (commandline -t));\n'
        "    set -l response ",
        "    end;\nend;": '    end | string replace -r -- "^" "$option";\nend;',
        # Descriptions have commas, too.
        'string split ","': 'string split -m 1 ","',
    },
}
"""For each shell, what of click's script is written otherwise."""

EPILOG = f"""\b
To have it in every new shell:
  bash  echo 'eval "$({SCRIPT} completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$({SCRIPT} completion zsh)"' >> ~/.zshrc
  fish  echo '{SCRIPT} completion fish | source' >> ~/.config/fish/config.fish
zsh completes nothing before `autoload -Uz compinit && compinit`: have that in ~/.zshrc, above.
"""


@click.command(epilog=EPILOG, short_help="Print a shell's script for Tab completion.")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def completion(context: click.Context, shell: str | None) -> None:
    """Print the script that lets a shell complete commands, options and files at the Tab key.

    SHELL is bash (4.4 or newer), zsh or fish; by default the one that SHELL in the environment names.

    What is completed is the program that an installation of the package brings, `image-builder-distribution`; for
    `python -m provider`, which is the same otherwise, there is no completion.
    """
    from click.shell_completion import get_completion_class

    shell = shell or Path(os.environ.get("SHELL", "")).name
    maker = get_completion_class(shell) if shell in SHELLS else None
    if maker is None:
        raise click.UsageError(f"name the shell: one of {', '.join(SHELLS)}.")
    variable = f"_{SCRIPT}_COMPLETE".replace("-", "_").upper()
    script = maker(context.find_root().command, {}, SCRIPT, variable).source()
    for written, mended in MENDED[shell].items():
        script = script.replace(written, mended)
    click.echo(script, nl=False)
