"""`python -m provider`: the operator's commands."""

import sys

try:
    from .cli.main import run

    run()
except ModuleNotFoundError as error:
    if not error.name or error.name.partition(".")[0] == __package__:
        raise
    # A fresh clone, or the bare .venv that `sam build` leaves.
    hint = "`make demo` in the checkout sets up .venv, or: pip install path/to/this/checkout"
    sys.stderr.write(f"Error: {sys.executable} has no package {error.name}. {hint}\n")
    sys.exit(2)
