"""Parameters -> findings: the service's rules that its model lacks.

A new rule is one row of `RULES`: lint ID, title, path, severity, source, check, and an example. Lint's catalog, the
table in docs/linting.md, and the reference are generated from these rows. If the service is known to reject a
violation, it is an error. If the rule is only documented or advised, it is a warning.
"""

import re
from collections.abc import Callable, Hashable, Iterator
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
from .validation import describe

OWNERSHIP_TAGS: Final = (
    "image-builder-distribution-provider:stack-id",
    "image-builder-distribution-provider:logical-id",
)
"""The keys of the ownership tags: the owner's stack ID and logical ID."""

_BUILD_DATE = re.compile(r"\{\{\s*imagebuilder:buildDate\s*\}\}")
_MIN_PARALLEL_LAUNCHES = 6
_MAX_COMPARED = 20
"""How many different unknown Regions are compared with the known ones. Each takes long and gives only advice."""
MAX_REGION = 64
"""Characters. A longer name is not a misspelled Region."""

Violations = Iterator[tuple[Path, str, *tuple[Path, ...]]]
"""Paths relative to the rule's path, each with a message and the paths that the message mentions as `{0}`, ..."""

OWN_PARTITION: Final = "own-partition"
OWN_ACCOUNT: Final = "own-account"
"""The keys under which rules find the partition and the account of the provider's function, if they are known."""

SOURCED_LISTS: Final = "sourced-lists"
"""The key under which rules find the paths of the lists that contain sources, if there are any."""


class Rule(NamedTuple):
    """A rule that the service model lacks.

    `number` is the lint ID without its first letter, which depends on the severity. `path` has dots between members and
    `[]` after a list whose entries are checked; "" is the root. `example` is a violation. `mentions` are other paths
    that the message names.
    """

    number: int
    id: str
    title: str
    path: str
    severity: Severity
    source: str
    check: Callable[[Any], Violations]
    example: str
    mentions: tuple[Path, ...] = ()


def _one_target(parameters: dict[str, Any]) -> Violations:
    if NAME in parameters and TARGET in parameters:
        yield (TARGET,), "specify either {0} (to own a configuration) or {1} (to adopt one), not both"
    elif NAME not in parameters and TARGET not in parameters:
        yield (), "specify either {0} (to own a configuration) or {1} (to adopt one)"


def _owned_tags(parameters: dict[str, Any]) -> Violations:
    tags = parameters.get(TAGS)
    limit = operation(CREATE).members[TAGS].maximum or 50
    most = limit - len(OWNERSHIP_TAGS)
    if NAME in parameters and isinstance(tags, dict) and len(tags) > most:
        reason = f"the service allows {limit} tags, and {len(OWNERSHIP_TAGS)} are reserved for ownership"
        yield (TAGS,), f"must have at most {most} entries, but has {len(tags)}: {reason}"


def _reserved_tags(tags: Any) -> Violations:
    for key in OWNERSHIP_TAGS:
        if isinstance(tags, dict) and key in tags:
            yield (key,), "this key is reserved for the provider's ownership tags; use another key"


def _deleted_adoption(parameters: dict[str, Any]) -> Violations:
    if NAME not in parameters and TARGET in parameters and parameters.get(ON_DELETE) == DELETE:
        effect = "deletes a configuration that existed before the stack, even if the stack's creation rolls back"
        yield (ON_DELETE,), f"{effect}; to retain the configuration, omit this property"


def _contribution_path(path: Any) -> Violations:
    from .merging import members_of, similar_path  # imported here because few configurations have contributions

    if isinstance(path, str) and members_of(path) is None:
        similar = similar_path(path)
        example = '"Distributions[].AmiDistributionConfiguration.LaunchPermission.UserIds"'
        advice = f"did you mean {describe(similar)}?" if similar else f"a path is written like {example}"
        yield (), f"{describe(path)} names no property to which others can contribute; {advice}"


def _some_region(distributions: Any) -> Violations:
    if distributions == []:
        yield (), "is empty, so images are not distributed; the service may reject it"


def _region_once(distributions: Any) -> Violations:
    seen: dict[Hashable, int] = {}
    for index, region in enumerate(field(distribution, REGION) for distribution in entries(distributions)):
        # Not only text: lint checks placeholders for unknown Regions, and equal placeholders are the same Region.
        if region is not None and isinstance(region, Hashable) and seen.setdefault(region, index) != index:
            entry = f"{describe(region)} is also in entry {seen[region]}"
            yield (index, REGION), f"{entry}, but each Region must appear only once; merge the two entries"


def _region_name(region: Any) -> Violations:
    # Known names first: the pattern takes long to compile.
    if isinstance(region, str) and region not in known_regions() and not region_names().fullmatch(region):
        yield (), f"{describe(region)} is not a Region name like us-east-1"


def _misspelled_region(distributions: Any) -> Violations:
    meant: dict[str, str] = {}
    for index, entry in enumerate(entries(distributions)):
        region = field(entry, REGION)
        if not isinstance(region, str) or region in known_regions() or len(region) > MAX_REGION:
            continue
        if not region_names().fullmatch(region):
            continue
        if region not in meant and len(meant) < _MAX_COMPARED:
            meant[region] = nearest_region(region)
        if near := meant.get(region):
            yield (index, REGION), f"{describe(region)} is not a known Region; did you mean {near}?"


def nearest_region(region: str) -> str:
    """Return the known Region that was meant; empty if this may be a new Region."""
    from difflib import SequenceMatcher, get_close_matches  # imported here because only an unknown Region needs them

    def likeness(known: str) -> tuple[bool, float]:
        # Swapped letters are the most common typo.
        return sorted(known) == sorted(region), SequenceMatcher(None, region, known).ratio()

    # A Region that is newer than botocore has a new number or a new combination of known words.
    regions = sorted(known_regions())
    words = {word for name in regions for word in name.split("-")}
    if any(word not in words and get_close_matches(word, words) for word in region.split("-")[:-1]):
        return max(regions, key=likeness)
    return ""


def _some_output(distribution: Any) -> Violations:
    # The service treats an empty structure as an output, but not an empty list.
    if isinstance(distribution, dict) and all(name == REGION or value == [] for name, value in distribution.items()):
        service_message = "one or more outputs should be provided for each region"
        yield (), f"{service_message}: add an output, such as AmiDistributionConfiguration"


def _build_date(name: Any) -> Violations:
    if isinstance(name, str) and not _BUILD_DATE.search(name):
        yield (), f"must contain {{{{ imagebuilder:buildDate }}}}, but {describe(name)} does not"


def _all_users(groups: Any) -> Violations:
    for index, group in enumerate(entries(groups)):
        if isinstance(group, str) and group != "all":
            yield (index,), f'must be "all" (the only valid user group), not {describe(group)}'


def _target_account(distribution: Any) -> Violations:
    targets = field(field(distribution, "amiDistributionConfiguration"), "targetAccountIds")
    parameters = entries(field(distribution, "ssmParameterConfigurations"))
    accounts = frozenset(targets) if parameters and are_texts(targets) else None
    for index, parameter in enumerate(parameters):
        account = field(parameter, "amiAccountId")
        if isinstance(account, str) and accounts is not None and account not in accounts:
            path = ("ssmParameterConfigurations", index, "amiAccountId")
            yield path, f"{describe(account)} is not one of this Region's TargetAccountIds"


def _parallel_launches(count: Any) -> Violations:
    if type(count) is int and 0 < count < _MIN_PARALLEL_LAUNCHES:
        yield (), f"must be at least {_MIN_PARALLEL_LAUNCHES} (required by EC2), but is {count}"


def _one_template(template: Any) -> Violations:
    names = ("launchTemplateId", "launchTemplateName")
    if isinstance(template, dict) and all(name in template for name in names):
        yield (), "specify either the launch template's ID or its name, not both"


def _resolved_once(parameters: dict[str, Any]) -> Violations:
    for path in parameters.get(SOURCED_LISTS, ()):
        yield path, "its sources are resolved only when a deployment changes this resource, unless there is a ledger"


CONTRACT: Final = "a rule of this provider"
_OBSERVED = "observed: the service returns InvalidParameterValueException"

RESOLVED_ONCE: Final = "resolved-once"
"""The rule about sources that are resolved only at deployment, which a provider with a ledger does not have."""

RULES: Final = (
    Rule(
        9301,
        "one-target",
        "Either Name or DistributionConfigurationArn is specified",
        "",
        Severity.ERROR,
        CONTRACT,
        _one_target,
        "both, or neither",
        mentions=((NAME,), (TARGET,)),
    ),
    Rule(
        9302,
        "owned-tags",
        "Tags leave room for the two ownership tags",
        "",
        Severity.ERROR,
        "service quota of tags",
        _owned_tags,
        "49 `Tags` beside `Name`",
    ),
    Rule(
        9303,
        "reserved-tags",
        "Tags do not use the keys of the ownership tags",
        "tags",
        Severity.ERROR,
        CONTRACT,
        _reserved_tags,
        f"`{OWNERSHIP_TAGS[0]}` in `Tags`",
    ),
    Rule(
        9304,
        "some-region",
        "Distributions is not empty",
        DISTRIBUTIONS,
        Severity.WARNING,
        "undocumented: the service may reject it",
        _some_region,
        "`Distributions: []`",
    ),
    Rule(
        9305,
        "region-once",
        "Each Region appears once",
        DISTRIBUTIONS,
        Severity.ERROR,
        _OBSERVED,
        _region_once,
        "`Region: us-east-1` twice",
    ),
    Rule(
        9306,
        "some-output",
        "Each Region has an output",
        "distributions[]",
        Severity.ERROR,
        _OBSERVED,
        _some_output,
        "an entry with `Region` alone",
    ),
    Rule(
        9307,
        "build-date",
        "AMI names contain the build date",
        "distributions[].amiDistributionConfiguration.name",
        Severity.ERROR,
        _OBSERVED,
        _build_date,
        "`Name: golden`",
    ),
    Rule(
        9308,
        "all-users",
        "The only user group is all",
        "distributions[].amiDistributionConfiguration.launchPermission.userGroups",
        Severity.ERROR,
        "EC2 ModifyImageAttribute: the only group is all",
        _all_users,
        "`UserGroups: [everybody]`",
    ),
    Rule(
        9309,
        "target-account",
        "An SSM parameter's account is one of its Region's target accounts",
        "distributions[]",
        Severity.WARNING,
        "EC2 Image Builder User Guide",
        _target_account,
        "another `AmiAccountId`",
    ),
    Rule(
        9310,
        "parallel-launches",
        "Fast launch has at least six parallel launches",
        "distributions[].fastLaunchConfigurations[].maxParallelLaunches",
        Severity.WARNING,
        "EC2 EnableFastLaunch, as CDK checks it",
        _parallel_launches,
        "`MaxParallelLaunches: 5`",
    ),
    Rule(
        9311,
        "region-name",
        "Region names are well-formed",
        "distributions[].region",
        Severity.WARNING,
        "botocore's partitions",
        _region_name,
        "`Region: us-east1`",
    ),
    Rule(
        9313,
        "region-slip",
        "Region names are not misspelled",
        DISTRIBUTIONS,
        Severity.WARNING,
        "botocore's partitions",
        _misspelled_region,
        "`Region: us-esat-1`",
    ),
    Rule(
        9315,
        "one-template",
        "Fast launch specifies its launch template by ID or by name, not both",
        "distributions[].fastLaunchConfigurations[].launchTemplate",
        Severity.WARNING,
        "EC2 EnableFastLaunch",
        _one_template,
        "`LaunchTemplateId` beside `LaunchTemplateName`",
    ),
    Rule(
        9316,
        "deleted-adoption",
        "Adopted configurations are retained",
        "",
        Severity.WARNING,
        CONTRACT,
        _deleted_adoption,
        "`OnDelete: Delete` beside `DistributionConfigurationArn`",
    ),
    Rule(
        9335,
        RESOLVED_ONCE,
        "Account lists follow their sources",
        "",
        Severity.WARNING,
        CONTRACT,
        _resolved_once,
        "`TargetAccountIds: [{Parameter: /images/accounts}]`",
    ),
    Rule(
        9340,
        "contribution-path",
        "The paths in Contributions name properties",
        "contributions[]",
        Severity.ERROR,
        CONTRACT,
        _contribution_path,
        "`Distributions[].LaunchTemplates`",
    ),
)
"""All rules of a distribution configuration, in the order of their findings."""


def apply_rules(
    parameters: dict[str, Any], rules: tuple[Rule, ...], checkpoint: Checkpoint = proceed
) -> Iterator[Finding]:
    """Check parameters by the API's names against rules. Values of a wrong type are skipped."""
    found = 0
    selected: dict[str, list[tuple[Path, Any]]] = {}
    for rule in rules:
        checkpoint()
        for path, value in paced(select(parameters, rule.path, checkpoint, selected), checkpoint):
            for below, message, *mentions in rule.check(value):
                others = rule.mentions or tuple((*path, *mention) for mention in mentions)
                yield Finding((*path, *below), message, rule.id, rule.severity, others)
                found += 1
                if found % STRIDE == 0:
                    checkpoint()


def select(
    value: Any, path: str, checkpoint: Checkpoint = proceed, selected: dict[str, list[tuple[Path, Any]]] | None = None
) -> list[tuple[Path, Any]]:
    """Return each path in `value` that matches a rule's path, with the value there.

    Many rules' paths have the same beginning. `selected` has the results of earlier calls, by the rule's path.
    """
    selected = {} if selected is None else selected
    if not path:
        return [((), value)]
    if path not in selected:
        parent, _, member = path.removesuffix("[]").rpartition(".")
        if path.endswith("[]"):
            selected[path] = [
                ((*above, index), entry)
                for above, here in select(value, path.removesuffix("[]"), checkpoint, selected)
                for index, entry in enumerate(paced(entries(here), checkpoint))
            ]
        else:
            selected[path] = [
                ((*above, member), here[member])
                for above, here in select(value, parent, checkpoint, selected)
                if isinstance(here, dict) and member in here
            ]
    return selected[path]


def entries(value: Any) -> list[Any]:
    """Return a value if it is a list; otherwise, an empty list."""
    return value if isinstance(value, list) else []


def arn_parts(value: Any) -> list[str]:
    """Return the six parts of an ARN; none if the value is not an ARN."""
    parts = value.split(":", 5) if isinstance(value, str) and value.startswith("arn:") else []
    return parts if len(parts) == 6 else []


def are_texts(value: Any) -> bool:
    """Return whether a value is a list of strings."""
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def field(value: Any, member: str) -> Any:
    """Return a member of a value; None if there is none."""
    return value.get(member) if isinstance(value, dict) else None
