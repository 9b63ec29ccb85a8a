"""The live configurations, as a plan sees them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...arn import Location, slug
from ...errors import ProviderError
from ...plan import ByName, Configuration, CreateConfiguration, Plan, Target
from ...resources.image_builder import ImageBuilder
from ..mistakes import Mistake
from .marked import Marked, marked


class World:
    """The configurations as they are, each read once, and with what has been planned so far created."""

    def __init__(self, home: Location, builder: ImageBuilder) -> None:
        self.home, self._builder = home, builder
        self._known: dict[str, Configuration | None] = {}
        self._elsewhere: dict[str, str] = {}
        """ARNs in another account than `home` names, by the name in them."""

    def arn(self, target: Target) -> str:
        """The ARN of what a target leads to, there or not."""
        if isinstance(target, str):
            return target
        return self._elsewhere.get(slug(target.name), self.home.arn(target.name))

    def at(self, target: Target) -> Configuration | None:
        """What is there. Raises Mistake where it cannot be read."""
        if self.arn(target) not in self._known:
            with _reading():
                found = self._builder.read(target)
            if found and isinstance(target, ByName):
                self._elsewhere[slug(target.name)] = found.arn
            self._known[self.arn(target)] = found
        return self._known[self.arn(target)]

    def marked(self) -> list[Marked]:
        """Whatever carries ownership tags. Raises Mistake where the configurations cannot be listed."""
        with _reading():
            return marked(self._builder.summaries("the stack's configurations"))

    def create(self, plan: Plan) -> None:
        """Let there be what a plan creates, so that nothing else can take its name."""
        for step in plan.steps:
            if isinstance(step, CreateConfiguration):
                arn = self.arn(ByName(step.name))
                self._known[arn] = Configuration(arn, step.name, step.content, step.tags)


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except ProviderError as error:
        raise Mistake(f"the live configurations cannot be read: {error.problem}") from error
