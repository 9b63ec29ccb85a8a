"""Parameters -> findings: what the service refuses or advises against although its model does not say so.

A new rule is one row of `RULES`: what it is called, the place it looks at, how grave it is, who says so,
and a function from the value at that place to messages. What the service is known to refuse is an error;
what is only documented or advised is a warning.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from .checkpoint import STRIDE, Checkpoint, paced, proceed
from .finding import Finding, Path, Severity
from .model import (
    CREATE,
    DELETE,
    DISTRIBUTIONS,
    NAME,
    ON_DELETE,
    REGION,
    TAGS,
    TARGET,
    known_regions,
    operation,
    region_names,
)
from .validate import describe

OWNERSHIP_TAGS: Final = (
    "image-builder-distribution-provider:stack-id",
    "image-builder-distribution-provider:logical-id",
)
"""The keys of the ownership tags: the owner's stack ID and logical ID."""

_BUILD_DATE = re.compile(r"\{\{\s*imagebuilder:buildDate\s*\}\}")
_FEWEST_PARALLEL_LAUNCHES = 6
_SLIPS = 20
"""How many different unknown Regions are compared with the known ones, which takes long and only leads to advice."""
_LONGEST_REGION = 64
"""Characters; a longer name is no slip of a Region's."""

Violations = Iterator[tuple[Path, str]]
"""Places below the one that a rule looks at, each with a message."""

_TARGETS: Final[tuple[Path, ...]] = ((NAME,), (TARGET,))


class Rule(NamedTuple):
    """A constraint of the service's own. `path` is dotted, with `[]` for each entry of a list; "" is the root."""

    id: str
    path: str
    severity: Severity
    source: str
    check: Callable[[Any], Violations]
    mentions: tuple[Path, ...] = ()


def _one_target(parameters: dict[str, Any]) -> Violations:
    if NAME in parameters and TARGET in parameters:
        yield (TARGET,), "give either {0} (to own a configuration) or {1} (to adopt one), not both"
    elif NAME not in parameters and TARGET not in parameters:
        yield (), "give one of {0} (to own a configuration) and {1} (to adopt one)"


def _owned_tags(parameters: dict[str, Any]) -> Violations:
    tags = parameters.get(TAGS)
    limit = operation(CREATE).members[TAGS].maximum or 50
    most = limit - len(OWNERSHIP_TAGS)
    if NAME in parameters and isinstance(tags, dict) and len(tags) > most:
        yield (
            (TAGS,),
            f"must be at most {most} entries, is {len(tags)}: the service takes {limit} and an owned configuration "
            f"carries {len(OWNERSHIP_TAGS)} ownership tags",
        )


def _reserved_tags(tags: Any) -> Violations:
    for key in OWNERSHIP_TAGS:
        if isinstance(tags, dict) and key in tags:
            yield (key,), "the key is reserved for the provider's ownership tags; choose another"


def _deleted_adoption(parameters: dict[str, Any]) -> Violations:
    if NAME not in parameters and TARGET in parameters and parameters.get(ON_DELETE) == DELETE:
        yield (
            (ON_DELETE,),
            "deletes a configuration that existed before the stack, even if the stack's creation rolls back; leave it "
            "out to retain the configuration",
        )


def _some_region(distributions: Any) -> Violations:
    if distributions == []:
        yield (), "is empty, so images are distributed nowhere; the service may refuse it"


def _region_once(distributions: Any) -> Violations:
    seen: dict[Hashable, int] = {}
    for index, region in enumerate(_field(entry, REGION) for entry in _entries(distributions)):
        # Not only text: what stands for a Region that is not known yet is the same Region each time.
        if region is not None and isinstance(region, Hashable) and seen.setdefault(region, index) != index:
            yield (
                (index, REGION),
                f"{describe(region)} is given already by entry {seen[region]}; a Region may appear once: merge the two",
            )


def _region_name(region: Any) -> Violations:
    if isinstance(region, str) and not region_names().fullmatch(region):
        yield (), f"{describe(region)} has not the form of a Region's name, such as us-east-1"


def _region_slip(distributions: Any) -> Violations:
    meant: dict[str, str] = {}
    for index, entry in enumerate(_entries(distributions)):
        region = _field(entry, REGION)
        if not isinstance(region, str) or region in known_regions() or len(region) > _LONGEST_REGION:
            continue
        if not region_names().fullmatch(region):
            continue
        if region not in meant and len(meant) < _SLIPS:
            meant[region] = _nearest_region(region)
        if near := meant.get(region):
            yield (index, REGION), f"{describe(region)} is no Region that is known; the nearest is {near}"


def _nearest_region(region: str) -> str:
    """The known Region that was meant; empty where the name may be that of a new one."""
    from difflib import SequenceMatcher, get_close_matches  # only a Region that is not known needs them

    def likeness(known: str) -> tuple[bool, float]:
        # Letters that changed places are the commonest slip.
        return sorted(known) == sorted(region), SequenceMatcher(None, region, known).ratio()

    # A Region that is newer than botocore has a new number, or goes by the words that others go by.
    regions = sorted(filter(region_names().fullmatch, known_regions()))
    words = {word for name in regions for word in name.split("-")}
    if any(word not in words and get_close_matches(word, words) for word in region.split("-")[:-1]):
        return max(regions, key=likeness)
    return ""


def _some_output(distribution: Any) -> Violations:
    # An empty list is none, as the service has it; an empty structure is one.
    if isinstance(distribution, dict) and all(name == REGION or value == [] for name, value in distribution.items()):
        yield (
            (),
            "one or more outputs should be provided for each region: add what is to be distributed there, "
            "such as AmiDistributionConfiguration",
        )


def _build_date(name: Any) -> Violations:
    if isinstance(name, str) and not _BUILD_DATE.search(name):
        yield (), f"must contain {{{{ imagebuilder:buildDate }}}}, {describe(name)} does not"


def _all_users(groups: Any) -> Violations:
    for index, group in enumerate(_entries(groups)):
        if isinstance(group, str) and group != "all":
            yield (index,), f'must be "all", the only group there is, not {describe(group)}'


def _target_account(distribution: Any) -> Violations:
    targets = _field(_field(distribution, "amiDistributionConfiguration"), "targetAccountIds")
    parameters = _entries(_field(distribution, "ssmParameterConfigurations"))
    accounts = frozenset(targets) if parameters and _are_texts(targets) else None
    for index, parameter in enumerate(parameters):
        account = _field(parameter, "amiAccountId")
        if isinstance(account, str) and accounts is not None and account not in accounts:
            yield (
                ("ssmParameterConfigurations", index, "amiAccountId"),
                f"{describe(account)} is none of this Region's TargetAccountIds; the service wants a target account",
            )


def _parallel_launches(count: Any) -> Violations:
    if type(count) is int and 0 < count < _FEWEST_PARALLEL_LAUNCHES:
        yield (), f"EC2 refuses fewer than {_FEWEST_PARALLEL_LAUNCHES} parallel launches, this is {count}"


def _one_template(template: Any) -> Violations:
    names = ("launchTemplateId", "launchTemplateName")
    if isinstance(template, dict) and all(name in template for name in names):
        yield (), "give either the launch template's ID or its name, not both"


_GUIDE = "EC2 Image Builder User Guide"
_OBSERVED = "observed InvalidParameterValueException"

RULES: Final = (
    Rule("one-target", "", Severity.ERROR, "the resource's contract", _one_target, _TARGETS),
    Rule("owned-tags", "", Severity.ERROR, "service quota of tags", _owned_tags),
    Rule("reserved-tags", "tags", Severity.ERROR, "the resource's contract", _reserved_tags),
    Rule("deleted-adoption", "", Severity.WARNING, "the resource's contract", _deleted_adoption),
    Rule("some-region", DISTRIBUTIONS, Severity.WARNING, "left to the service to judge", _some_region),
    Rule("region-once", DISTRIBUTIONS, Severity.ERROR, _OBSERVED, _region_once),
    Rule("region-name", "distributions[].region", Severity.WARNING, "botocore's partitions", _region_name),
    Rule("region-slip", DISTRIBUTIONS, Severity.WARNING, "botocore's partitions", _region_slip),
    Rule("some-output", "distributions[]", Severity.ERROR, _OBSERVED, _some_output),
    Rule(
        "build-date",
        "distributions[].amiDistributionConfiguration.name",
        Severity.ERROR,
        _OBSERVED,
        _build_date,
    ),
    Rule(
        "all-users",
        "distributions[].amiDistributionConfiguration.launchPermission.userGroups",
        Severity.ERROR,
        "EC2 ModifyImageAttribute: the only group is all",
        _all_users,
    ),
    Rule("target-account", "distributions[]", Severity.WARNING, _GUIDE, _target_account),
    Rule(
        "parallel-launches",
        "distributions[].fastLaunchConfigurations[].maxParallelLaunches",
        Severity.WARNING,
        "EC2 EnableFastLaunch, as CDK checks it",
        _parallel_launches,
    ),
    Rule(
        "one-template",
        "distributions[].fastLaunchConfigurations[].launchTemplate",
        Severity.WARNING,
        "EC2 EnableFastLaunch",
        _one_template,
    ),
)
"""All rules, in the order in which their findings are told."""


def apply_rules(
    parameters: dict[str, Any], rules: tuple[Rule, ...], checkpoint: Checkpoint = proceed
) -> Iterator[Finding]:
    """Check parameters by the API's names against the service's own rules. Values of a wrong type are passed over."""
    found = 0
    for rule in rules:
        checkpoint()
        for place, value in paced(select(parameters, rule.path, checkpoint), checkpoint):
            for below, message in rule.check(value):
                yield Finding((*place, *below), message, rule.id, rule.severity, rule.mentions)
                found += 1
                if found % STRIDE == 0:
                    checkpoint()


def select(value: Any, path: str, checkpoint: Checkpoint = proceed) -> list[tuple[Path, Any]]:
    """Every place that a rule's path names and that `value` has, with the value there."""
    places: list[tuple[Path, Any]] = [((), value)]
    for member, each in _steps(path):
        found = [
            ((*place, member), here[member]) for place, here in places if isinstance(here, dict) and member in here
        ]
        places = (
            [
                ((*place, index), entry)
                for place, here in found
                for index, entry in enumerate(paced(_entries(here), checkpoint))
            ]
            if each
            else found
        )
    return places


@cache
def _steps(path: str) -> tuple[tuple[str, bool], ...]:
    """A rule's path as members, each with whether all entries of it are meant."""
    return tuple((part.removesuffix("[]"), part.endswith("[]")) for part in path.split(".")) if path else ()


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _field(value: Any, member: str) -> Any:
    return value.get(member) if isinstance(value, dict) else None
