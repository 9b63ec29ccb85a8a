"""Structured log lines through Powertools: one JSON object a line, every line with the request it is about."""

import logging
import os
import sys
from functools import cache
from typing import Any, Final, TextIO

from aws_lambda_powertools import Logger

from provider.properties.diff import ABSENT, Difference
from provider.protocol.request import Request

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


@cache
def _logger() -> Logger:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    return Logger(
        service=_NAME, level=_level(), logger_handler=_Stdout(), sampling_rate=0.0, use_rfc3339=True, utc=True
    )


def _level() -> str:
    """The level that the environment asks for; INFO where it asks for none that exists."""
    asked = next((os.environ[name].upper() for name in _LEVEL_SETTINGS if os.environ.get(name)), "")
    return asked if asked in logging.getLevelNamesMapping() else "INFO"


def logger_for(request: Request, context: object) -> Logger:
    """The logger, its lines bearing this request's IDs and no earlier one's."""
    logger = _logger()
    logger.setLevel(_level())
    logger.structure_logs(
        append=False,
        sampling_rate=None,
        stack_id=request.stack_id,
        logical_id=request.logical_id,
        request_id=request.request_id,
        request_type=request.request_type,
        function_request_id=str(getattr(context, "aws_request_id", "")),
    )
    return logger


def told(differences: tuple[Difference, ...]) -> list[dict[str, Any]]:
    """Differences as JSON; a side that is not there is left out."""
    return [
        {"path": d.path} | ({} if d.old is ABSENT else {"old": d.old}) | ({} if d.new is ABSENT else {"new": d.new})
        for d in differences
    ]
