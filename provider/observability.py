"""Structured log lines through Powertools: one JSON object a line, every line with the request it is about.

The logger is named "provider", so that the standard library's loggers of all modules here write through it, too.
"""

import json
import logging
import os
import sys
from functools import cache
from typing import Any, Final, TextIO

from .cloudformation.redaction import redact
from .cloudformation.request import ABOUT
from .schema.diff import ABSENT, Difference

for _setting in [name for name in os.environ if name.startswith("POWERTOOLS_") and name != "POWERTOOLS_LOG_LEVEL"]:
    del os.environ[_setting]  # Powertools raises at nonsense in any of them, and none is needed here

from aws_lambda_powertools import Logger  # noqa: E402 - see above

__all__ = ["Logger", "logger", "told"]

_NAME: Final = "provider"
_LEVEL_SETTINGS: Final = ("POWERTOOLS_LOG_LEVEL", "LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL")
_TALKATIVE: Final = ("boto3", "botocore", "urllib3", "crhelper")
"""Libraries whose lower levels write signed headers, URLs and events."""


class _Stdout(logging.StreamHandler[TextIO]):
    """Writes to what is the standard output when a line is written, not to what it was when logging was set up."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # the base class has an attribute
        return sys.stdout

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a line, with the keys of the request in whose context it was written."""
        record.__dict__ |= ABOUT.get()
        return bool(super().handle(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class's name
        """Lose a line that cannot be written: the base class would print its exception, secrets included."""


@cache
def _logger() -> Logger:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    logger = Logger(
        service=_NAME,
        logger_handler=_Stdout(),
        json_serializer=_serialized,
        json_deserializer=str,  # no message here is JSON in disguise; looking for it takes as long as writing the line
        level="INFO",
        sampling_rate=0.0,
        use_rfc3339=True,
        utc=True,
    )
    logger.remove_keys(["sampling_rate"])
    return logger


def _serialized(line: dict[str, Any]) -> str:
    """A line as JSON. What is secret is taken out here, the one place that every line passes."""
    return redact(json.dumps(line, default=str, separators=(",", ":")))


def logger() -> Logger:
    """The logger, at the level that the environment asks for; INFO where it asks for none that exists."""
    asked = next((os.environ[name].upper() for name in _LEVEL_SETTINGS if os.environ.get(name)), "")
    made = _logger()
    level = logging.getLevelNamesMapping().get(asked, logging.INFO)
    if made.log_level != level:  # setting it empties a cache of all loggers
        made.setLevel(level)
    return made


def told(differences: tuple[Difference, ...]) -> list[dict[str, Any]]:
    """Differences as JSON; a side that is not there is left out."""
    return [
        {"path": d.path} | ({} if d.old is ABSENT else {"old": d.old}) | ({} if d.new is ABSENT else {"new": d.new})
        for d in differences
    ]
