"""Validation takes time in proportion to the size of the input, and the caller can stop it."""

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provider.resources import resource_type
from provider.schema.check import findings, validate_properties
from provider.schema.checkpoint import STRIDE, Checkpoint, paced
from provider.schema.diff import differences
from provider.schema.expand import SUGGESTIONS, UNKNOWN, expand, parameters_of, unknown
from provider.schema.finding import REPORTED, Finding, Path, Spelling, Tally
from provider.schema.flatten import flatten
from provider.schema.model import Schema, camel_case, pascal_case
from provider.schema.rules import apply_rules
from provider.schema.validation import describe, validate
from tests.schema.given import PARAMETERS
from tests.schema.test_laws import ANYTHING

GOOD: dict[str, Any] = {"Region": "us-east-1", "AmiDistributionConfiguration": {"Name": "{{ imagebuilder:buildDate }}"}}


def ami(**members: Any) -> dict[str, Any]:
    return {**GOOD, "AmiDistributionConfiguration": {**GOOD["AmiDistributionConfiguration"], **members}}


def named(*distributions: object, **more: Any) -> dict[str, Any]:
    return {"Name": "golden", "Distributions": list(distributions), **more}


def account(number: int) -> str:
    return f"{number:012}"


BAD: dict[str, Callable[[int], dict[str, Any]]] = {
    "unknown names": lambda size: named(GOOD, **{f"Unknwn{i}": "x" for i in range(size)}),
    "unknown names in many structures": lambda size: named(
        *({"Region": f"us-east-{i}", f"Unknwn{i}": "x"} for i in range(size))
    ),
    "bad entries": lambda size: named(ami(TargetAccountIds=[f"bad{i}" for i in range(size)])),
    "entries of a wrong type": lambda size: {"Name": "golden", "Distributions": ["x"] * size},
    "empty structures": lambda size: named(*({} for _ in range(size))),
    "bad groups": lambda size: named(ami(LaunchPermission={"UserGroups": ["x"] * size})),
    "bad tags": lambda size: named(GOOD, Tags={f"aws:{i}": "x" for i in range(size)}),
    "slips of Regions": lambda size: named(*({**GOOD, "Region": f"us-esat-{i}"} for i in range(size))),
    "foreign accounts": lambda size: named(
        {
            **ami(TargetAccountIds=[account(i) for i in range(size)]),
            "SsmParameterConfigurations": [{"AmiAccountId": "9" * 12, "ParameterName": "/a"}] * size,
        }
    ),
}
"""Properties with about the given number of faults."""

bad = pytest.mark.parametrize("case", BAD)


def check(properties: dict[str, Any], checkpoint: Checkpoint) -> tuple[int, list[str]]:
    """Do what the handler does with bad properties: return the number of findings and the first ones as text."""
    tally = Tally()
    for finding in findings(expand(properties, resource_type().schema, checkpoint), resource_type().rules, checkpoint):
        tally.add(finding)
    spelling = Spelling(properties, resource_type().schema, checkpoint)
    return tally.count, [*map(spelling.render, tally.first)]


class Pulse:
    """A checkpoint that counts its calls and raises TimeoutError at the last allowed one."""

    def __init__(self, last: float = math.inf) -> None:
        self.calls = 0
        self._last = last

    def __call__(self) -> None:
        self.calls += 1
        if self.calls >= self._last:
            raise TimeoutError


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions of Python and of C some work calls."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@bad
def test_twice_the_faults_are_twice_the_work(case: str) -> None:
    """Validating and reporting takes work in proportion to the size of the input."""
    check(BAD[case](50), Pulse())
    small, large = (
        calls_of(lambda size=size: check(BAD[case](size), Pulse()))  # type: ignore[misc]  # a default binds the size
        for size in (1000, 2000)
    )
    assert large < 3 * small


@bad
def test_twice_the_findings_are_twice_the_work_to_render(case: str) -> None:
    """Rendering all findings, as the command line does, takes work in proportion to their number."""

    def render(size: int) -> None:
        spelling = Spelling(BAD[case](size), resource_type().schema)
        for finding in found[size]:
            spelling.render(finding)

    found = {
        size: validate_properties(expand(BAD[case](size), resource_type().schema), resource_type().rules)
        for size in (50, 1000, 2000)
    }
    render(50)
    assert calls_of(lambda: render(2000)) < 3 * calls_of(lambda: render(1000))


@pytest.mark.parametrize(("case", "size"), [("unknown names", 10_000), ("bad entries", 20_000)])
def test_many_faults_take_seconds(case: str, size: int) -> None:
    """Thousands of faults are found in less than ten seconds on any machine, and none is lost."""
    begin = time.monotonic()
    count, texts = check(BAD[case](size), Pulse())
    assert time.monotonic() - begin < 10
    assert count >= size
    assert len(texts) == REPORTED


@pytest.mark.parametrize("fill", ["Descriptio", "x"])
def test_a_long_name_takes_no_work(fill: str) -> None:
    """A name that is much longer than any known one gets no suggestion and is cut in messages."""
    begin = time.monotonic()
    count, (text,) = check(named(GOOD, **{fill * 100_000: "x"}), Pulse())
    assert time.monotonic() - begin < 5
    assert count == 1
    assert text.startswith(fill)
    assert "...: unknown property; valid properties are " in text
    assert len(text) < 600


def test_a_long_name_that_is_still_short_enough_is_shown_whole() -> None:
    """A name of 256 characters is shown in full."""
    _, (text,) = check(named(GOOD, **{"x" * 256: "x"}), Pulse())
    assert text.startswith(f"{'x' * 256}: unknown property")


# Reported findings


@given(st.integers(0, 60), st.integers(1, 3))
def test_suggestions_are_as_good_for_the_first_names(size: int, regions: int) -> None:
    """The first different unknown names get a suggestion wherever they are; the others get none."""
    names = [f"Descriptn{i}" for i in range(size)]
    distributions = [{**ami(), "Region": f"us-east-{i}", **dict.fromkeys(names, "x")} for i in range(regions)]
    found = expand(named(*distributions), resource_type().schema).findings
    item = resource_type().schema.members["distributions"].item
    assert item is not None
    assert [(one.path, one.message) for one in found] == [
        (
            ("distributions", index, name),
            unknown(name, item, resource_type().schema) if number < SUGGESTIONS else UNKNOWN,
        )
        for index in range(regions)
        for number, name in enumerate(names)
    ]


def test_a_target_misspelled_beside_many_names_is_reported_as_missing() -> None:
    """If a misspelled Name gets no suggestion, the missing target is reported, too."""
    many = {f"Unknwn{i}": "x" for i in range(SUGGESTIONS)}
    few = {f"Unknwn{i}": "x" for i in range(SUGGESTIONS - 1)}
    rules = [
        [
            one.rule
            for one in validate_properties(
                expand({**names, "Nmae": "x", "Distributions": [GOOD]}, resource_type().schema), resource_type().rules
            )
        ]
        for names in (few, many)
    ]
    assert "one-target" not in rules[0]
    assert rules[1][-1] == "one-target"


def test_a_misspelled_region_is_reported_wherever_it_is() -> None:
    """The same misspelled Region is reported for each entry, up to twenty different ones."""
    different = [{**GOOD, "Region": f"us-esat-{i}"} for i in range(30)]
    again = {**GOOD, "Region": "us-esat-0"}
    found = [
        one
        for one in apply_rules(
            expand(named(*different, again), resource_type().schema).parameters, resource_type().rules
        )
        if one.rule == "region-slip"
    ]
    assert [one.path[1] for one in found] == [*range(20), 30]


@bad
def test_every_fault_is_counted(case: str) -> None:
    """The number of findings does not depend on how many of them are shown."""
    properties = BAD[case](1000)
    count, texts = check(properties, Pulse())
    found = validate_properties(expand(properties, resource_type().schema), resource_type().rules)
    assert count == len(found)
    assert texts == [Spelling(properties, resource_type().schema).render(one) for one in found[:REPORTED]]


@given(st.integers(0, 3 * REPORTED))
def test_a_tally_keeps_the_first_findings(size: int) -> None:
    """A tally counts all findings and keeps the first of them."""
    tally = Tally()
    for number in range(size):
        tally.add(Finding((number,), "x", "type"))
    assert [one.path for one in tally.first] == [(number,) for number in range(min(size, REPORTED))]
    assert (tally.count, tally.omitted) == (size, max(0, size - REPORTED))


NAMES = st.sampled_from([*resource_type().schema.spellings, "description", "Regoin", "nmae", "x"])
PROPERTIES = st.dictionaries(
    NAMES | st.text(max_size=3),
    ANYTHING
    | st.lists(st.dictionaries(st.sampled_from(["region", "Region", "kmsKeyId", "Nme"]), ANYTHING, max_size=3)),
    max_size=4,
)


@given(PROPERTIES)
def test_names_are_spelled_as_if_searched_each_time(properties: dict[str, Any]) -> None:
    """`Spelling`, which reads the names of each structure once, spells findings like a full search."""
    spelling = Spelling(properties, resource_type().schema)
    for finding in validate_properties(expand(properties, resource_type().schema), resource_type().rules):
        assert spelling.keys(finding.path) == searched(finding.path, properties)
        assert spelling.render(finding) == Spelling(properties, resource_type().schema).render(finding)


def searched(path: Path, properties: Any) -> Path:
    """Return a path by the API's names as keys and indexes, searching each structure."""
    found: list[str | int] = []
    value, schema = properties, resource_type().schema
    misspelled = expand(properties, schema).misspelled
    for element in path:
        name: str | int = element
        if isinstance(element, str) and schema.type_name != "map":
            name = misspelled.get((*path[: len(found)], element)) or search(element, value, schema)
        found.append(name)
        if isinstance(name, int):
            value = value[name] if isinstance(value, list) and name < len(value) else None
        else:
            value = value.get(name) if isinstance(value, Mapping) else None
        inner = schema.item if schema.type_name != "structure" else schema.members.get(str(element))
        schema = inner or Schema("none", "None")
    return tuple(found)


def search(member: str, structure: Any, schema: Schema) -> str:
    if not isinstance(structure, Mapping) or schema.type_name == "none":
        return pascal_case(member)
    for key in structure:
        if schema.spellings.get(key, key) == member:
            return str(key)
    neighbors = [key for key in structure if key in schema.spellings]
    return camel_case(member) if neighbors and all(key[0].islower() for key in neighbors) else pascal_case(member)


@given(st.text(max_size=300), st.integers(0, 300))
def test_a_long_text_is_described_by_the_part_that_is_wrong(text: str, wrong: int) -> None:
    """A text is described by its JSON; of a long text, by 200 characters, among them the one that is wrong."""
    assume(wrong < len(text) or not wrong)
    shown = json.loads(describe(text, wrong))
    if len(text) <= 200:
        assert shown == text
        return
    start = max(0, min(wrong - 100, len(text) - 200))
    assert start <= wrong < start + 200
    assert shown == "..." * (start > 0) + text[start : start + 200] + "..." * (start + 200 < len(text))


# Stopping


@bad
@pytest.mark.parametrize("last", [1, 5, 30])
def test_the_checkpoint_stops_validation(case: str, last: int) -> None:
    """If the checkpoint raises an exception, validation ends with it."""
    pulse = Pulse(last)
    with pytest.raises(TimeoutError):
        check(BAD[case](2000), pulse)
    assert pulse.calls == last


@bad
def test_the_checkpoint_is_called_all_the_time(case: str) -> None:
    """Each step calls the checkpoint at least once per stride of the input."""
    pulse = Pulse()
    check(BAD[case](100 * STRIDE), pulse)
    assert pulse.calls >= 100


def steps(properties: dict[str, Any]) -> dict[str, Callable[[Checkpoint], object]]:
    """Return the steps that process properties, each as a function of the checkpoint."""
    expanded = expand(properties, resource_type().schema)
    parameters = expanded.parameters
    live = {
        **parameters,
        "distributions": [{**one, "licenseConfigurationArns": ["x"]} for one in parameters["distributions"]],
    }
    return {
        "expand": lambda checkpoint: expand(properties, resource_type().schema, checkpoint),
        "old properties": lambda checkpoint: parameters_of(properties, resource_type().schema, checkpoint),
        "validate": lambda checkpoint: validate(parameters, resource_type().schema, checkpoint=checkpoint),
        "rules": lambda checkpoint: [*apply_rules(parameters, resource_type().rules, checkpoint=checkpoint)],
        "difference from nothing": lambda checkpoint: differences(None, parameters, resource_type().schema, checkpoint),
        "differences": lambda checkpoint: differences(live, parameters, resource_type().schema, checkpoint),
        "differences in order": lambda checkpoint: differences(
            {**live, "distributions": [{}, *live["distributions"]]}, parameters, resource_type().schema, checkpoint
        ),
    }


@pytest.mark.parametrize("step", steps(named(GOOD)))
def test_a_long_valid_list_has_checkpoints_too(step: str) -> None:
    """Each step over a long valid list calls the checkpoint once per stride, and the checkpoint can stop it."""
    work = steps(named(*({**GOOD, "Region": f"us-east-{i}"} for i in range(100 * STRIDE))))[step]
    pulse = Pulse()
    work(pulse)
    assert pulse.calls >= 100
    with pytest.raises(TimeoutError):
        work(Pulse(50))


def test_short_properties_are_expanded_without_checkpoints() -> None:
    """Expanding, validating, and comparing small properties calls no checkpoint."""
    work = steps(named(*[GOOD] * STRIDE))
    pulse = Pulse()
    for step in work.keys() - {"rules", "differences in order"}:
        work[step](pulse)
    assert pulse.calls == 0


@given(st.integers(0, 5 * STRIDE))
def test_pacing_changes_no_entries(size: int) -> None:
    """`paced` yields the same entries, and calls the checkpoint before each stride of a long collection."""
    for entries in (range(size), dict.fromkeys(range(size)), [*range(size)]):
        pulse = Pulse()
        assert [*paced(entries, pulse)] == [*range(size)]
        assert pulse.calls == (math.ceil(size / STRIDE) if size > STRIDE else 0)


# Old properties, and values of any case


@given(PROPERTIES)
def test_old_properties_are_expanded_without_findings(properties: dict[str, Any]) -> None:
    """`parameters_of` returns the same parameters as `expand` for any properties."""
    assert parameters_of(properties, resource_type().schema) == expand(properties, resource_type().schema).parameters


@given(PARAMETERS)
def test_old_properties_that_are_valid_are_expanded(parameters: dict[str, Any]) -> None:
    """`parameters_of` restores the parameters that valid properties were made from."""
    assert (
        parameters_of(
            {**flatten(parameters, resource_type().schema), "ServiceToken": "arn", "ServiceTimeout": "60"},
            resource_type().schema,
        )
        == parameters
    )


def nested(depth: int, case: type) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value] if case is list else {"Name": value}
    return value


@pytest.mark.parametrize(
    "value",
    [nested(10_000, list), nested(10_000, dict), math.nan, math.inf, 10**5000, -(10**5000), "7" * 1_000_000, "\ud800"],
    ids=["lists", "mappings", "nan", "inf", "huge", "minus huge", "digits", "surrogate"],
)
@pytest.mark.parametrize(
    "place", ["Name", "Tags", "Distributions", "Region", "MaxParallelLaunches", "AccountId", "Foo"]
)
def test_an_unusual_value_is_a_finding(value: Any, place: str) -> None:
    """A value that is nested deeply, not a number in JSON, or huge yields a short finding at any path."""
    top = place in ("Name", "Tags", "Distributions", "Foo")
    launch = {"Enabled": "true", "AccountId": account(1), place: value}
    entry = {**GOOD, place: value} if place == "Region" else {**GOOD, "FastLaunchConfigurations": [launch]}
    properties = {**named(GOOD), place: value} if top else named(entry)
    count, texts = check(properties, Pulse())
    assert count >= 1
    assert any(place in text for text in texts)
    assert max(map(len, texts)) < 600
    assert parameters_of(properties, resource_type().schema).keys() <= resource_type().schema.members.keys()


def test_an_integer_that_python_cannot_print_is_described() -> None:
    """An integer that is too long for Python to print is described in words, a shorter one by its first digits."""
    launches = resource_type().schema.members["distributions"].item.members["fastLaunchConfigurations"].item  # type: ignore[union-attr]  # a list
    assert launches is not None
    for size, shown in ((5000, "an integer of thousands of digits"), (300, f"1{'0' * 199}...")):
        (finding,) = validate(10**size, launches.members["maxParallelLaunches"])
        assert finding.message == f"must be at most 2147483647, but is {shown}"
