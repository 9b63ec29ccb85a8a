"""What the ownership tags of live configurations show of a stack, if there is no previous template.

A retained configuration keeps its ownership tags. So what carries them is what the resource stands for, or what it
stood for once: if nothing speaks for the second, it is taken for the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...arn import Location
from ...resources.ownership import Ownership
from ...schema.model import NAME, ON_DELETE, RETAIN, pascal_case
from .changes import Before

_ON_DELETE = pascal_case(ON_DELETE)
_TELLS = "--previous FILE tells"
_LET_GO = f"{{}} stands for it until now and its {_ON_DELETE}, as deployed, is not {RETAIN}"
_REMOVED = f"the stack has {{}} still and neither {_ON_DELETE} nor DeletionPolicy, as deployed, is {RETAIN}"


class Marked(NamedTuple):
    """A live configuration, and the owner that its tags name."""

    arn: str
    name: str
    owner: Ownership


class Led(NamedTuple):
    """The configuration that a template's resource leads to, and whether it is there."""

    arn: str
    is_there: bool


@dataclass(frozen=True)
class Found:
    """What carries a stack's ownership tags beside what the template's resources lead to.

    `former` is what a resource stands for until it is replaced, and `warnings` is what is to be said where that is not
    sure, both by logical ID. `gone` has the logical IDs that the template does not, with what carries their tags.
    """

    former: Mapping[str, Before] = field(default_factory=dict)
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gone: tuple[tuple[str, Before], ...] = ()


def marked(summaries: Iterable[Mapping[str, Any]]) -> list[Marked]:
    """Those of the configurations that the service lists that carry both ownership tags."""
    return [
        Marked(one["arn"], one["name"], owner)
        for one in summaries
        if (owner := Ownership.of(one.get("tags", {}))).is_complete
    ]


def stacks(listed: Iterable[Marked], home: Location, name: str) -> set[str]:
    """The IDs of the stacks of a name at home that ownership tags name: several if one was created again."""
    start = f"arn:{home.partition}:cloudformation:{home.region}:{home.account}:stack/{name}/"
    return {one.owner.stack_id for one in listed if one.owner.stack_id.startswith(start)}


def look(listed: Iterable[Marked], stack_id: str, led: Mapping[str, Led], names: Collection[str]) -> Found:
    """What is found of a stack. `led` is what its resources lead to, `names` are all of the template's, led or not."""
    own = [one for one in listed if one.owner.stack_id == stack_id]
    former: dict[str, Before] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    for name, (arn, is_there) in led.items():
        others = [one for one in own if one.owner.logical_id == name and one.arn != arn]
        if len(others) == 1 and not is_there:
            former[name] = _before(others[0], _LET_GO)
        else:
            warnings[name] = tuple(_left_or_let_go(one.arn) for one in others)
    leading = {arn for arn, _ in led.values()}
    gone = []
    for one in own:
        name = one.owner.logical_id
        if name in names:
            continue
        if one.arn not in leading:
            gone.append((name, _before(one, _REMOVED)))
    return Found(former, warnings, tuple(gone))


def _before(one: Marked, condition: str) -> Before:
    return Before(
        one.arn, {pascal_case(NAME): one.name}, f"that is, if {condition.format(one.owner.logical_id)}; {_TELLS}"
    )


def _left_or_let_go(arn: str) -> str:
    return (
        f"{arn} carries this resource's ownership tags: an earlier replacement retained it, or the resource stands for "
        f"it until now and lets go of it; {_TELLS}"
    )
