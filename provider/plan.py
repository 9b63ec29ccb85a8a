"""The plan of a request as frozen data. `resources` makes plans, and `reconciler` executes them."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from .schema.diff import Difference


class ByName(NamedTuple):
    """The configuration with this name in the desired location."""

    name: str


Target = str | ByName
"""An ARN, or a name."""


class Configuration(NamedTuple):
    """The observed state of one configuration. `content` is what an Update replaces, by the API's names.

    `created_at` and `changed_at` (created or updated, whichever is newer) are seconds since the epoch; None if unknown.
    """

    arn: str
    name: str
    content: Mapping[str, Any]
    tags: Mapping[str, str]
    created_at: float | None = None
    changed_at: float | None = None
    date_updated: str = ""
    request_id: str = ""


Observed = Mapping[Target, Configuration | None]
"""The configurations that have been read; None for one that does not exist."""


class NeedsRead(NamedTuple):
    """A plan requires this target to be read first.

    The read may take `within_seconds`. While nothing is found, it is repeated for `repeat_seconds`. If access is denied
    (with `absent_if_denied`) or the read fails for any reason (with `absent_if_unreadable`), the configuration counts
    as not found.
    """

    target: Target
    within_seconds: float = math.inf
    repeat_seconds: float = 0.0
    absent_if_denied: bool = False
    absent_if_unreadable: bool = False


class ReadAgain(NamedTuple):
    """The read does not show the preceding write yet. `problem` describes that."""

    problem: str


class CreateConfiguration(NamedTuple):
    """Create a configuration."""

    name: str
    content: Mapping[str, Any]
    tags: Mapping[str, str]


class UpdateConfiguration(NamedTuple):
    """Replace a configuration's content."""

    arn: str
    content: Mapping[str, Any]


class DeleteConfiguration(NamedTuple):
    """Delete a configuration. It succeeds if the configuration does not exist."""

    arn: str


class PutTags(NamedTuple):
    """Set tags of a configuration; its other tags remain."""

    arn: str
    tags: Mapping[str, str]


class RemoveTags(NamedTuple):
    """Remove tags of a configuration."""

    arn: str
    keys: tuple[str, ...]


class DeleteUnfinished(NamedTuple):
    """Read a configuration; delete it if it is unfinished and carries the resource's own ownership tags.

    `newest` is the latest date, in seconds since the epoch, at which it may have been created or changed.
    """

    target: Target
    newest: float


class HandBack(NamedTuple):
    """Read a configuration; set it back to handed over if it is released to this resource."""

    arn: str


Step = CreateConfiguration | UpdateConfiguration | DeleteConfiguration | PutTags | RemoveTags


class WriteResult(NamedTuple):
    """The API's response to a step."""

    arn: str
    request_id: str = ""
    client_token: str = ""


class Undo(NamedTuple):
    """How to undo a failed request. Each part applies only if its step may have had an effect."""

    created: DeleteUnfinished | None = None
    content: UpdateConfiguration | None = None
    put_tags: PutTags | None = None
    remove_tags: RemoveTags | None = None


class Plan(NamedTuple):
    """The steps of a request in order, with their differences and warnings.

    `subject` is the observed state of the resource's configuration; None if it does not exist (yet). With `releases`,
    the last step releases the configuration to its adopter. `best_effort` follows the steps. If it fails, the failure
    is logged and the request succeeds.
    """

    steps: tuple[Step, ...] = ()
    subject: Configuration | None = None
    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    undo: Undo = Undo()
    releases: bool = False
    best_effort: tuple[PutTags | DeleteUnfinished | HandBack, ...] = ()
