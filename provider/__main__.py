"""`python -m provider`: the operator's commands."""

from provider.cli.main import run

run()
