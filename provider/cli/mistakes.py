"""Errors in what the user gave: one message without a traceback, and exit status 2."""

import click


class Mistake(click.ClickException):
    """An error in the command or in a file."""

    exit_code = 2
