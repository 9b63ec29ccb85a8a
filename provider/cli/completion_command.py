"""`completion`: prints the script with which a shell completes commands, options, and files."""

import os
from pathlib import Path

import click

SCRIPT = "image-builder-distribution"
"""The console script. Shells complete by program name, so there is no completion for `python -m provider`."""
SHELLS = ("bash", "zsh", "fish")

PATCHES = {
    # bash splits words at = and :, so KEY=VALUE would be three words. Use the whole line; '' ends it with a word.
    "bash": {'"${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD': "\"${COMP_LINE:0:COMP_POINT}''\" COMP_CWORD=-1"},
    # For --option=VALUE, click offers only the value. In zsh, it would replace the whole word (with -U, always). In
    # fish, it would not match the word.
    "zsh": {"local -a response\n": "local -a response\n    compset -P 1 '--*='\n", "compadd -U -V": "compadd -V"},
    "fish": {
        "    set -l response ": '    set -l option (string match -r -- "^--[^=]*=" (commandline -t));\n'
        "    set -l response ",
        "    end;\nend;": '    end | string replace -r -- "^" "$option";\nend;',
        # Descriptions can contain commas.
        'string split ","': 'string split -m 1 ","',
    },
}
"""By shell: replacements in click's script."""

EPILOG = f"""\b
To enable it in every new shell:
  bash  echo 'eval "$({SCRIPT} completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$({SCRIPT} completion zsh)"' >> ~/.zshrc
  fish  echo '{SCRIPT} completion fish | source' >> ~/.config/fish/config.fish
For zsh, ~/.zshrc must run `autoload -Uz compinit && compinit` first.
"""


@click.command(epilog=EPILOG, short_help="Print a shell's script for Tab completion.")
@click.argument("shell", type=click.Choice(SHELLS), required=False)
@click.pass_context
def completion(context: click.Context, shell: str | None) -> None:
    """Print the script with which a shell completes commands, options, and files.

    SHELL is bash (4.4 or newer), zsh, or fish. The default is the shell in the environment variable SHELL.

    Completion works for the installed program, `image-builder-distribution`, but not for `python -m provider`.
    """
    from click.shell_completion import get_completion_class

    shell = shell or Path(os.environ.get("SHELL", "")).name
    completion_class = get_completion_class(shell) if shell in SHELLS else None
    if completion_class is None:
        raise click.UsageError(f"specify the shell: one of {', '.join(SHELLS)}.")
    variable = f"_{SCRIPT}_COMPLETE".replace("-", "_").upper()
    script = completion_class(context.find_root().command, {}, SCRIPT, variable).source()
    for original, patched in PATCHES[shell].items():
        script = script.replace(original, patched)
    click.echo(script, nl=False)
