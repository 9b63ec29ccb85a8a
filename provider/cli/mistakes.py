"""What a user got wrong: said in one message, without a traceback, and ended with status 2."""

import click


class Mistake(click.ClickException):
    """A mistake in what the user gave."""

    exit_code = 2
