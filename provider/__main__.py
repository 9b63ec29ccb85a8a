"""`python -m provider`: the command line."""

import sys

from .extras import explain

try:
    from .cli.main import run
except ModuleNotFoundError as error:
    sentence = explain(error)
    if not sentence:
        raise
    sys.stderr.write(f"Error: {sentence}\n")
    sys.exit(2)

run()
