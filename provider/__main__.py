"""`python -m provider`: the operator's commands."""

from provider.cli.main import main

main(prog_name="python -m provider")
