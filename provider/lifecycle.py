"""A request and the live state -> a plan. Decides, never calls.

`decide` is asked again and again: as long as it needs to see a configuration that nobody has read yet it answers
`Read`; when it has seen enough, a `Plan` of frozen steps. Whoever carries the plan out and meets a surprise
(the configuration exists already, an answer was lost) reads again and asks again.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provider.errors import ProviderError
from provider.plan import (
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    DeleteCreated,
    Known,
    Named,
    Plan,
    PutTags,
    Read,
    RemoveTags,
    Step,
    Target,
    UpdateConfiguration,
)
from provider.properties.diff import Difference, differences
from provider.properties.model import (
    DELETE,
    NAME,
    ON_DELETE,
    RETAIN,
    TAGS,
    TARGET,
    content_members,
    pascal_case,
    resource_type,
    slug,
)
from provider.properties.rules import MARKS
from provider.properties.validate import validate

if TYPE_CHECKING:
    from provider.protocol.request import Request

_ARN: Final = re.compile(r"arn:[^:]+:imagebuilder:[^:]+:[^:]+:distribution-configuration/[^/\s]+")


class Marks(NamedTuple):
    """The two tags by which a resource knows a configuration as its own."""

    stack_id: str
    logical_id: str

    @property
    def tags(self) -> Mapping[str, str]:
        """The marks as tags."""
        return dict(zip(MARKS, self, strict=True))

    def on(self, configuration: Configuration) -> bool:
        """Whether the configuration bears these marks."""
        return all(configuration.tags.get(key) == value for key, value in self.tags.items())

    def elsewhere(self, configuration: Configuration) -> bool:
        """Whether the configuration bears another resource's marks."""
        return all(key in configuration.tags for key in self.tags) and not self.on(configuration)


def decide(request: "Request", wanted: Mapping[str, Any], old: Mapping[str, Any], known: Known) -> Read | Plan:
    """Decide what a request comes to.

    `wanted` and `old` are the resource properties expanded to the API's names; `wanted` has been validated unless
    the request is a Delete. Raises ProviderError where the request must be refused.
    """
    marks = marks_of(request)
    if request.request_type == "Delete" and request.is_foreign:
        return Plan(warnings=("the resource is of a type that this provider never creates; nothing is done",))
    if request.request_type == "Delete":
        return _delete(request.physical_id, wanted, marks, known)
    if request.request_type == "Create":
        return _arrive(wanted, marks, known, look_first=False)
    if not is_configuration_arn(request.physical_id) or not _is_target(wanted, request.physical_id):
        return _arrive(wanted, marks, known, look_first=True)
    return _stay(request.physical_id, wanted, old, marks, known)


def marks_of(request: "Request") -> Marks:
    """The marks of the resource that a request is about."""
    return Marks(request.stack_id, request.logical_id)


def is_configuration_arn(physical_id: str) -> bool:
    """Whether a physical ID names a distribution configuration."""
    return _ARN.fullmatch(physical_id) is not None


def with_name(arn: str, name: str) -> str:
    """The ARN that a configuration of this name has beside the one of `arn`."""
    return f"{arn.rpartition('/')[0]}/{slug(name)}"


def _is_target(wanted: Mapping[str, Any], arn: str) -> bool:
    return wanted.get(TARGET) == arn or (TARGET not in wanted and _is_named(wanted.get(NAME), arn))


def _is_named(name: object, arn: str) -> bool:
    return isinstance(name, str) and with_name(arn, name) == arn


def _content(wanted: Mapping[str, Any]) -> dict[str, Any]:
    return {member: wanted[member] for member in content_members() if member in wanted}


def _arrive(wanted: Mapping[str, Any], marks: Marks, known: Known, *, look_first: bool) -> Read | Plan:
    """Take up a configuration that the resource did not stand for before: create it, or adopt it."""
    target: Target = wanted[TARGET] if TARGET in wanted else Named(wanted[NAME])
    if isinstance(target, Named) and target not in known and not look_first:
        return _create(wanted, marks)
    if target not in known:
        return Read(target)
    live = known[target]
    if isinstance(target, Named):
        if live is None:
            plan = _create(wanted, marks)
            return plan._replace(undo=(DeleteCreated(),)) if look_first else plan
        if not marks.on(live):
            raise _taken(target.name, live)
        return _converge(live, wanted, {}, marks)
    if live is None:
        raise _missing(target)
    plan = _converge(live, wanted, {}, marks)
    restore = tuple(
        UpdateConfiguration(live.arn, live.content) for s in plan.steps if isinstance(s, UpdateConfiguration)
    )
    return plan._replace(undo=restore)


def _stay(arn: str, wanted: Mapping[str, Any], old: Mapping[str, Any], marks: Marks, known: Known) -> Read | Plan:
    """Bring the configuration that the resource stands for to its new properties."""
    if arn not in known:
        return Read(arn)
    live = known[arn]
    if live is None:
        if TARGET in wanted:
            raise _missing(arn)
        plan = _create(wanted, marks)
        return plan._replace(warnings=(f"{arn} was deleted by somebody else; it is created again",))
    plan = _converge(live, wanted, old.get(TAGS) if _is_target(old, arn) else {}, marks)
    return plan._replace(leftover=_leftover(arn, old))


def _leftover(arn: str, old: Mapping[str, Any]) -> str:
    """The ARN of what a failed rename may have left: the old properties carry a name that the surviving ARN has not."""
    name = old.get(NAME)
    if validate(name, resource_type().members[NAME]) or _is_named(name, arn):
        return ""
    return with_name(arn, str(name))


def _create(wanted: Mapping[str, Any], marks: Marks) -> Plan:
    content = _content(wanted)
    tags = {**wanted.get(TAGS, {}), **marks.tags}
    return Plan(
        steps=(CreateConfiguration(wanted[NAME], content, tags),),
        differences=(*differences(None, content), *_tag_differences({}, wanted.get(TAGS, {}), ())),
    )


def _converge(live: Configuration, wanted: Mapping[str, Any], old_tags: object, marks: Marks) -> Plan:
    """The steps from the live state to the wanted one, none where they are alike."""
    content = _content(wanted)
    owned = NAME in wanted
    tags = {**wanted.get(TAGS, {}), **(marks.tags if owned else {})}
    put = {key: value for key, value in tags.items() if live.tags.get(key) != value}
    had = [
        *(old_tags if isinstance(old_tags, Mapping) else ()),
        *(marks.tags if marks.on(live) and not owned else ()),
    ]
    remove = tuple(key for key in had if key in live.tags and key not in tags)
    changed = differences(live.content, content)
    warnings = []
    if owned and wanted[NAME] != live.name:
        warnings.append(f"the service takes {wanted[NAME]!r} for {live.name!r} ({live.arn}), which keeps its name")
    if marks.elsewhere(live):
        becomes = (
            "is this resource's from now on" if owned else "belongs to that one; both will undo each other's updates"
        )
        warnings.append(f"{live.arn} bears the marks of {_owner(live)}; it {becomes}")
    steps: list[Step] = []
    if changed:
        steps.append(UpdateConfiguration(live.arn, content))
    if remove:
        steps.append(RemoveTags(live.arn, remove))
    if put:
        steps.append(PutTags(live.arn, put))
    return Plan(
        steps=tuple(steps),
        subject=live,
        differences=(*changed, *_tag_differences(live.tags, put, remove)),
        warnings=tuple(warnings),
    )


def _tag_differences(
    live: Mapping[str, str], put: Mapping[str, str], remove: tuple[str, ...]
) -> tuple[Difference, ...]:
    before = {key: value for key, value in live.items() if key in put or key in remove}
    return differences({TAGS: before}, {TAGS: dict(put)})


def _delete(physical_id: str, properties: Mapping[str, Any], marks: Marks, known: Known) -> Read | Plan:
    if not is_configuration_arn(physical_id):
        return _delete_unanswered(properties, marks, known)
    explicit = properties.get(ON_DELETE)
    adopted = properties.get(TARGET) == physical_id and NAME not in properties
    owned = _is_named(properties.get(NAME), physical_id) and TARGET not in properties
    if ON_DELETE in properties and explicit != DELETE:
        readable = explicit == RETAIN
        return Plan(
            warnings=() if readable else (f"{pascal_case(ON_DELETE)} is neither {DELETE} nor {RETAIN}: retained",)
        )
    if explicit is None and adopted:
        return Plan()
    if physical_id not in known:
        return Read(physical_id)
    live = known[physical_id]
    if live is None:
        return Plan(warnings=(f"{physical_id} was deleted already",))
    if owned and marks.elsewhere(live):
        return Plan(subject=live, warnings=(f"{live.arn} belongs to {_owner(live)} by now; it is left alone",))
    if explicit == DELETE or owned or marks.on(live):
        return Plan(steps=(DeleteConfiguration(live.arn),), subject=live)
    return Plan(subject=live, warnings=(f"{live.arn} does not bear this resource's marks; it is left alone",))


def _delete_unanswered(properties: Mapping[str, Any], marks: Marks, known: Known) -> Read | Plan:
    """A Create that failed or never answered: only what bears our marks can be its doing."""
    name = properties.get(NAME)
    if validate(name, resource_type().members[NAME]):
        return Plan()
    target = Named(str(name))
    if target not in known:
        return Read(target)
    live = known[target]
    if live is None or not marks.on(live):
        return Plan()
    return Plan(steps=(DeleteConfiguration(live.arn),), subject=live)


def _owner(configuration: Configuration) -> str:
    stack_id, logical_id = (configuration.tags.get(key, "") for key in MARKS)
    return f"resource {logical_id} of stack {stack_id}"


def _taken(name: str, live: Configuration) -> ProviderError:
    problem = f"{pascal_case(NAME)}: {name!r} is taken by {live.arn}"
    if all(key in live.tags for key in MARKS):
        return ProviderError(
            f"{problem}, which belongs to {_owner(live)}",
            cure="Choose another name, or remove it there first (with OnDelete: Retain) and then adopt it by "
            f"{pascal_case(TARGET)}: {live.arn}",
        )
    return ProviderError(
        f"{problem}, which this resource did not make",
        cure=f"To take it over, give {pascal_case(TARGET)}: {live.arn} instead of {pascal_case(NAME)}; "
        "else choose another name",
    )


def _missing(arn: str) -> ProviderError:
    account, region = arn.split(":")[4], arn.split(":")[3]
    return ProviderError(
        f"{pascal_case(TARGET)}: {arn} was not found in account {account}, Region {region}",
        cure="Check the ARN: the provider reaches only the account and Region that it runs in. "
        f"To create a configuration, give {pascal_case(NAME)}",
    )
