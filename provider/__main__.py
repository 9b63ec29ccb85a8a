"""`python -m provider`: the command line."""

import sys

try:
    from .cli.main import run

    run()
except ModuleNotFoundError as error:
    if not error.name or error.name.partition(".")[0] == __package__:
        raise
    # The environment is a fresh clone, or the .venv of `sam build`, which lacks the packages of the command line.
    hint = "`make demo` in the checkout sets up .venv, or: pip install path/to/this/checkout"
    sys.stderr.write(f"Error: {sys.executable} has no package {error.name}. {hint}\n")
    sys.exit(2)
