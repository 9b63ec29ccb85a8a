"""The words for what is there and what is to be done: live state, steps, and the plan that they make.

Frozen data. Lifecycle makes plans, reconcile has them carried out, image_builder carries out their steps.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from provider.properties.diff import Difference


class Named(NamedTuple):
    """The configuration that a name leads to, in the account and Region where the provider runs."""

    name: str


Target = str | Named
"""An ARN, or what a name leads to."""


class Configuration(NamedTuple):
    """The live state of one configuration. `content` is what an Update replaces, by the API's names."""

    arn: str
    name: str
    content: Mapping[str, Any]
    tags: Mapping[str, str]
    date_updated: str = ""
    request_id: str = ""


Known = Mapping[Target, Configuration | None]
"""What has been read; None where nothing is there."""


class Read(NamedTuple):
    """To decide, this has to be read first."""

    target: Target


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
    """Delete a configuration; that it is gone already is as good."""

    arn: str


class DeleteCreated(NamedTuple):
    """Delete what the same plan created, if it came into being."""


class PutTags(NamedTuple):
    """Set tags of a configuration, leaving its other ones."""

    arn: str
    tags: Mapping[str, str]


class RemoveTags(NamedTuple):
    """Remove tags of a configuration."""

    arn: str
    keys: tuple[str, ...]


Step = CreateConfiguration | UpdateConfiguration | DeleteConfiguration | PutTags | RemoveTags


class Plan(NamedTuple):
    """What a request comes to: steps in order, and what can be said of it beforehand.

    `subject` is the configuration that the resource stands for, as it was read; None where it is not there (yet).
    `undo` puts back what the steps did, where a failure would otherwise leave behind what nobody answers for.
    `leftover` is the ARN of what a failed rename may have left, to be deleted afterwards if it bears the marks.
    """

    steps: tuple[Step, ...] = ()
    subject: Configuration | None = None
    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()
    undo: tuple[DeleteCreated | UpdateConfiguration, ...] = ()
    leftover: str = ""
