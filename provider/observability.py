"""Structured logging with Powertools: one JSON object per line, with the keys of the current request.

The logger has the name of this package ("provider" in Lambda), so it also handles the standard library's loggers of all
modules in this package.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, Final, TextIO

from . import __version__
from .cloudformation.redaction import redact
from .cloudformation.request import log_context
from .schema.diff import ABSENT, Difference


@contextmanager
def _default_powertools_settings() -> Iterator[None]:
    """Hide POWERTOOLS_ settings temporarily, because Powertools raises if one is invalid. The provider needs none."""
    hidden = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith("POWERTOOLS_")}
    try:
        yield
    finally:
        os.environ.update(hidden)


with _default_powertools_settings():
    from aws_lambda_powertools import Logger

__all__ = ["Logger", "as_json", "logger"]

_NAME: Final = __package__
_LEVEL_SETTINGS: Final = ("POWERTOOLS_LOG_LEVEL", "LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL")
_LIBRARIES: Final = ("boto3", "botocore", "urllib3", "crhelper")
"""Libraries that log signed headers, URLs, or events at lower levels."""


class _StdoutHandler(logging.StreamHandler[TextIO]):
    """Writes to the current standard output, even if it was replaced after logging was set up."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # the base class has an attribute
        return sys.stdout

    def handle(self, record: logging.LogRecord) -> bool:
        """Write a line with the keys of the current request."""
        record.__dict__ |= log_context.get()
        return bool(super().handle(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class's name
        """Drop a line that cannot be written. The base class would print the exception, which may quote secrets."""


_CREATING: Final = Lock()


@cache
def _created() -> Logger:
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR)
    with _default_powertools_settings():
        logger = Logger(
            service=_NAME,
            logger_handler=_StdoutHandler(),
            json_serializer=_serialize,
            json_deserializer=str,  # messages are never JSON, and parsing them takes as long as writing the line
            level="INFO",
            sampling_rate=0.0,
            use_rfc3339=True,
            utc=True,
            version=__version__,
        )
    logger.remove_keys(["sampling_rate"])
    return logger


def _serialize(line: dict[str, Any]) -> str:
    """Return a line as JSON without secrets."""
    return redact(json.dumps(line, default=str, separators=(",", ":")))


def logger() -> Logger:
    """Return the logger, at the level that the environment sets, or INFO if that level is invalid."""
    with _CREATING:  # otherwise, two threads could create it at the same time
        log = _created()
    name = next((os.environ[name].upper() for name in _LEVEL_SETTINGS if os.environ.get(name)), "")
    level = logging.getLevelNamesMapping().get(name, logging.INFO)
    if log.log_level != level:  # setting the level clears a cache of all loggers
        log.setLevel(level)
    return log


def as_json(differences: tuple[Difference, ...]) -> list[dict[str, Any]]:
    """Return differences as JSON, without absent values."""
    return [
        {"path": d.path} | ({} if d.old is ABSENT else {"old": d.old}) | ({} if d.new is ABSENT else {"new": d.new})
        for d in differences
    ]
