"""What linting tells: a finding and its place in a template."""

from typing import NamedTuple

from ..schema.finding import Path, Severity


class Located(NamedTuple):
    """A finding and its place in a template: keys and list indexes from its root.

    `message` is the line that the handler would give; `resource` is the logical ID, empty outside a template.
    """

    path: Path
    id: str
    severity: Severity
    message: str
    resource: str = ""
