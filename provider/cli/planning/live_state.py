"""The live configurations, with the effects of what has been planned so far."""

from collections.abc import Iterator
from contextlib import contextmanager

from ...arn import Location, slug
from ...errors import ProviderError
from ...plan import ByName, Configuration, CreateConfiguration, Plan, Target
from ...resources.image_builder import ImageBuilder
from ...resources.ownership import Ownership
from ..files import UserError
from .stack_resources import OwnedConfiguration


class LiveState:
    """Reads each configuration once, and adds those whose creation is planned."""

    def __init__(self, location: Location, image_builder: ImageBuilder) -> None:
        self.location, self._image_builder = location, image_builder
        self._observed: dict[str, Configuration | None] = {}
        self._arn_by_name: dict[str, str] = {}
        """The ARNs that were found by name; their account may differ from that of `location`."""

    def arn(self, target: Target) -> str:
        """The ARN of a target, whether it exists or not."""
        if isinstance(target, str):
            return target
        return self._arn_by_name.get(slug(target.name), self.location.arn(target.name))

    def read(self, target: Target) -> Configuration | None:
        """The target's configuration; None if it does not exist. Raises UserError if it cannot be read."""
        if self.arn(target) not in self._observed:
            with _reading():
                found = self._image_builder.read(target)
            if found and isinstance(target, ByName):
                self._arn_by_name[slug(target.name)] = found.arn
            self._observed[self.arn(target)] = found
        return self._observed[self.arn(target)]

    def owned(self) -> list[OwnedConfiguration]:
        """All configurations with ownership tags. Raises UserError if the configurations cannot be listed."""
        with _reading():
            summaries = list(self._image_builder.summaries("the stack's configurations"))
        owned = (OwnedConfiguration(one["arn"], one["name"], Ownership.of(one.get("tags", {}))) for one in summaries)
        return [one for one in owned if one.owner.is_complete]

    def create(self, plan: Plan) -> None:
        """Add the configuration that a plan creates, so that its name is in use."""
        for step in plan.steps:
            if isinstance(step, CreateConfiguration):
                arn = self.arn(ByName(step.name))
                self._observed[arn] = Configuration(arn, step.name, step.content, step.tags)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except ProviderError as error:
        raise UserError(f"the live configurations cannot be read: {error.problem}") from error
