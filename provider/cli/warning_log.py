"""Collects the warnings in the function's log."""

import io
import json
import logging
import os
from typing import TextIO

_LEVEL_SETTINGS = ("POWERTOOLS_LOG_LEVEL", "LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL")


def log_warnings() -> None:
    """Raise the log level in the environment if it would hide warnings."""
    levels = logging.getLevelNamesMapping()
    for name in _LEVEL_SETTINGS:
        if levels.get(os.environ.get(name, "").upper(), 0) > logging.WARNING:
            os.environ[name] = "WARNING"


class WarningLog(io.StringIO):
    """A stream for the function's log lines. It keeps the warnings, and copies everything to `copy`, if any."""

    def __init__(self, copy: TextIO | None) -> None:
        super().__init__()
        self._copy = copy
        self._partial = ""
        self._warnings: dict[str, None] = {}

    def write(self, text: str) -> int:
        """Add text to the log."""
        if self._copy:
            self._copy.write(text)
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._add(line)
        return len(text)

    def flush(self) -> None:
        """Flush the copy."""
        if self._copy:
            self._copy.flush()

    def take(self) -> list[str]:
        """The warnings since the last call, each once."""
        found, self._warnings = list(self._warnings), {}
        return found

    def _add(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if not isinstance(entry, dict) or entry.get("level") != "WARNING":
            return
        message = str(entry.get("message"))
        details = entry.get("warnings") or [": ".join(filter(None, (message, str(entry.get("answer", "")))))]
        self._warnings.update(dict.fromkeys(map(str, details)))
