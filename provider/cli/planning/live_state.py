"""The live configurations, with the effects of what has been planned so far."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from ...arn import Location, slug
from ...errors import Outcome, ProviderError
from ...plan import (
    ByName,
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    Plan,
    PutTags,
    Step,
    Target,
    UpdateConfiguration,
)
from ...resources.locations import Locations
from ...resources.ownership import Ownership
from ..files import UserError
from ..live import Live
from .stack_resources import OwnedConfiguration


class UnreadableError(Exception):
    """A configuration in another location than the stack's cannot be read. The message is the reason."""


class UnreadableLedgerError(Exception):
    """The ledger's table cannot be read. The message is the reason."""


class LiveState:
    """Reads each configuration once, and adds those whose creation is planned."""

    def __init__(self, live: Live) -> None:
        self.location, self._live = live.location, live
        self._observed: dict[str, Configuration | None] = {}
        self._arn_by_name: dict[tuple[str, str], str] = {}
        """The ARNs that were found by Region and name; their account may differ from that of `location`."""
        self._unreadable: dict[Location, UnreadableError] = {}

    def assume_roles_for(self, stack_id: str) -> str:
        """Set the external ID with which roles are assumed. Returns the previous one."""
        before, self._live.stack_id = self._live.stack_id, stack_id
        return before

    def arn(self, target: Target, locations: Locations) -> str:
        """The ARN of a target, whether it exists or not."""
        if isinstance(target, str):
            return target
        desired = locations.desired
        return self._arn_by_name.get((desired.region, slug(target.name)), desired.arn(target.name))

    def read(self, target: Target, locations: Locations) -> Configuration | None:
        """The target's configuration; None if it does not exist.

        Raises UserError if it is in the stack's location and cannot be read, else UnreadableError.
        """
        arn = self.arn(target, locations)
        if arn not in self._observed:
            with self._reading(_location(target, locations)):
                found = self._live.at(locations).read(target)
            if found and isinstance(target, ByName) and found.arn != arn:
                self._arn_by_name[locations.desired.region, slug(target.name)] = arn = found.arn
            self._observed[arn] = found
        return self._observed[arn]

    def owned(self, locations: Iterable[Locations]) -> list[OwnedConfiguration]:
        """All configurations with ownership tags in these locations that can be read, each once.

        Raises UserError if the configurations in the stack's location cannot be listed.
        """
        found: dict[str, OwnedConfiguration] = {}
        for each in {(one.desired.region, one.desired.account): one for one in locations}.values():
            try:
                with self._reading(each.desired):
                    summaries = list(self._live.at(each).summaries("the stack's configurations"))
            except UnreadableError:
                continue  # the change of each resource there says so
            for one in summaries:
                owner, role = Ownership.of(one.get("tags", {})), each.desired.role
                found.setdefault(one["arn"], OwnedConfiguration(one["arn"], one["name"], owner, role))
        return [one for one in found.values() if one.owner.is_complete]

    def create(self, plan: Plan, locations: Locations) -> None:
        """Add the configuration that a plan creates, so that its name is in use."""
        for step in plan.steps:
            if isinstance(step, CreateConfiguration):
                arn = self.arn(ByName(step.name), locations)
                self._observed[arn] = Configuration(arn, step.name, step.content, step.tags)

    def execute(self, step: Step, locations: Locations) -> str:
        """Execute a step on what has been read, and return the ARN of its configuration. No call is made.

        Raises ProviderError as the API does if the configuration exists already, or does not exist.
        """
        if isinstance(step, CreateConfiguration):
            arn = self.arn(ByName(step.name), locations)
            if self.read(ByName(step.name), locations) is not None:
                raise ProviderError(f"{arn} already exists", outcome=Outcome.EXISTS)
            self._observed[arn] = Configuration(arn, step.name, step.content, step.tags)
            return arn
        live = self.read(step.arn, locations)
        if live is None and not isinstance(step, DeleteConfiguration):
            raise ProviderError(f"{step.arn} does not exist", outcome=Outcome.NOT_FOUND)
        self._observed[step.arn] = None if live is None else _after(step, live)
        return step.arn

    def state(self) -> dict[str, Configuration | None]:
        """Return the current state, to which `restore` returns."""
        return dict(self._observed)

    def restore(self, state: Mapping[str, Configuration | None]) -> None:
        """Discard the steps that were executed since this state."""
        self._observed = dict(state)

    @contextmanager
    def _reading(self, location: Location) -> Iterator[None]:
        """Translate ProviderError. Raises UnreadableError at once if an earlier read in the location failed."""
        if location in self._unreadable:
            raise self._unreadable[location]
        is_assumed = not location.role
        try:
            if location.role:
                self._live.credentials(location)
                is_assumed = True
            yield
        except ProviderError as error:
            if (location.region, location.account, location.role) == (self.location.region, self.location.account, ""):
                raise UserError(f"the live configurations cannot be read: {error.problem}") from error
            reason = _not_read(location, error) if is_assumed else _not_assumed(location, error, self._live.stack_id)
            self._unreadable[location] = UnreadableError(reason)
            raise self._unreadable[location] from error


def _after(step: Step, live: Configuration) -> Configuration | None:
    """The state of a configuration after a step."""
    match step:
        case UpdateConfiguration():
            return live._replace(content=step.content)
        case PutTags():
            return live._replace(tags={**live.tags, **step.tags})
        case DeleteConfiguration():
            return None
        case CreateConfiguration():
            raise ValueError("the configuration exists")
        case _:
            return live._replace(tags={key: value for key, value in live.tags.items() if key not in step.keys})


def _location(target: Target, locations: Locations) -> Location:
    """The location of a target. Raises UnreadableError if no role of its account is known."""
    if isinstance(target, ByName):
        return locations.desired
    try:
        return locations.at(target)
    except ProviderError as error:
        account = target.split(":")[4]
        raise UnreadableError(
            f"{target} is in account {account}, and without a RoleArn of that account, it cannot be read"
        ) from error


def _not_assumed(location: Location, error: ProviderError, stack_id: str) -> str:
    return (
        f"{_place(location)} is unknown, because plan may not assume {location.role} with your credentials and the "
        f"external ID {stack_id} ({error.problem}). To let plan read it, allow sts:AssumeRole on the role to your user "
        "or role, and in the role's trust policy"
    )


def _not_read(location: Location, error: ProviderError) -> str:
    how = f"with the role {location.role}" if location.role else "with your credentials"
    return f"{_place(location)} is unknown, because it cannot be read {how}: {error.problem}"


def _place(location: Location) -> str:
    return f"the configuration in account {location.account}, Region {location.region}"
