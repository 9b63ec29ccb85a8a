"""The encodings of files and of the output, from the AWS CLI's environment variables."""

import codecs
import json
import os
import sys
from io import TextIOWrapper
from typing import Final

from .command_errors import CommandError

FILE_ENCODING: Final = "AWS_CLI_FILE_ENCODING"
_OUTPUT_ENCODING: Final = "AWS_CLI_OUTPUT_ENCODING"


_ESCAPES: Final = "json-escapes"


def _escaped(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace characters by JSON's escapes, so that JSON stays valid. An error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(_ESCAPES, _escaped)


def encoding_from(variable: str) -> str | None:
    """The encoding that an environment variable names; None if it is not set. Raises CommandError if it is unknown."""
    name = os.environ.get(variable)
    if not name:
        return None
    try:
        codecs.lookup(name)
        "".encode(name)  # raises LookupError for a codec that is not for text
    except (LookupError, UnicodeError) as error:
        raise CommandError(f"{variable}: unknown encoding: {name}") from error
    return name


def configure_output() -> None:
    """Set the encoding of standard output and standard error.

    Characters that the encoding lacks are printed as JSON's escapes, because output must not fail after a successful
    update. Raises CommandError if AWS_CLI_OUTPUT_ENCODING is unknown.
    """
    encoding = encoding_from(_OUTPUT_ENCODING)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors=_ESCAPES)
