"""One problem in a template or in properties."""

from typing import NamedTuple

from ..schema.finding import Path, Severity
from ..template.reader import Position


class Diagnostic(NamedTuple):
    """One problem. `path` starts at the template's root; `resource` is the logical ID, empty outside a template.

    `file`, `position`, and `line` (the text of that line) are set if it was read from a file.
    """

    path: Path
    id: str
    severity: Severity
    message: str
    resource: str = ""
    file: str = ""
    position: Position = Position()
    line: str = ""
