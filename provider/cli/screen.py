"""Prints stack events like the CloudFormation console does, and differences between configurations."""

from __future__ import annotations

import json
import os
import re
import shutil
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from ..schema.diff import Difference
    from ..stack_engine.stacks import StackEvent

WARNING = "WARNING"
"""The status of an event that shows a warning in the function's log, which CloudFormation does not show."""
_STATUS_WIDTH = 20
_SIGN_COLORS = {"+": "green", "-": "red", "~": "yellow"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_SIGN_VERBS = {"+": "created", "-": "deleted", "~": "changed"}


class Screen:
    """Writes to `out`, in color only if it is a terminal and NO_COLOR is not set."""

    def __init__(self, out: TextIO, names: Iterable[str] = ()) -> None:
        self._out = out
        self._color = out.isatty() and not os.environ.get("NO_COLOR")
        self._width = min(shutil.get_terminal_size((110, 24)).columns, 160)
        self._name_width = max((len(name) for name in names), default=0)

    def print(self, text: str = "", **style: Any) -> None:
        """Print one line, with the styles of `click.style`."""
        # Half of a surrogate pair, which JSON can contain, cannot be encoded.
        text = _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
        click.echo(click.style(text, **style) if style else text, file=self._out, color=self._color)

    def heading(self, text: str) -> None:
        """Print the heading of a step, after an empty line."""
        self.print()
        self.print(text, bold=True)

    def event(self, event: StackEvent) -> None:
        """Print a stack event: time, logical ID, status, and reason. A long reason is on lines of its own."""
        start = f"  {event.time.astimezone():%H:%M:%S}  {event.logical_id:<{self._name_width}}  "
        line = start + click.style(event.status, fg=_status_color(event.status))
        gap = " " * max(2, _STATUS_WIDTH - len(event.status))
        if len(start + event.status + gap + event.reason) <= self._width:
            self.print(f"{line}{gap}{event.reason}" if event.reason else line)
            return
        self.print(line)
        indent = " " * (len(start) + 2)
        width = max(self._width - len(indent), 40)
        for part in textwrap.wrap(event.reason, width, break_long_words=False, break_on_hyphens=False):
            self.print(indent + part)

    def changes(
        self,
        before: Mapping[str, Mapping[str, Any]],
        after: Mapping[str, Mapping[str, Any]],
        spell: Callable[[Difference], Difference] = lambda difference: difference,
    ) -> None:
        """Print the changes of configurations, given by ARN as GetDistributionConfiguration returns them.

        `spell` replaces CloudFormation's names in a difference by others.
        """
        from ..resources import resource_type
        from ..schema.diff import differences

        schema = resource_type().schema
        all_differences = {arn: differences(before.get(arn), after.get(arn), schema) for arn in {**before, **after}}
        changed = {arn: found for arn, found in all_differences.items() if found}
        if not changed:
            self.print("  No configuration changed.")
        for arn, found in changed.items():
            sign = "+" if arn not in before else "-" if arn not in after else "~"
            self.print(f"  {sign} {arn} ({_SIGN_VERBS[sign]})", fg=_SIGN_COLORS[sign])
            for difference in found if sign != "-" else ():
                self.difference(spell(difference))

    def content(self, arn: str, configuration: Mapping[str, Any]) -> None:
        """Print the content of a configuration, given as GetDistributionConfiguration returns it."""
        from ..resources import resource_type
        from ..schema.diff import differences
        from ..schema.model import content_members

        self.print(f"  {arn} is now:")
        content = {name: configuration[name] for name in content_members() if name in configuration}
        for one in differences(None, content, resource_type().schema):
            self._side(" ", one.path, one.new)

    def difference(self, difference: Difference) -> None:
        """Print one difference; for lists, the entries that were removed or added."""
        from ..schema.diff import ABSENT

        if difference.old is ABSENT:
            self._side("+", difference.path, difference.new)
        elif difference.new is ABSENT:
            self._side("-", difference.path, difference.old)
        elif isinstance(difference.old, list) and isinstance(difference.new, list):
            self._line("~", f"{difference.path}:")
            for sign, items, others in (("-", difference.old, difference.new), ("+", difference.new, difference.old)):
                for item in _without(items, others):
                    self._line(sign, f"  {_scalar(item)}")
        else:
            self._line("~", f"{difference.path}: {_scalar(difference.old)} -> {_scalar(difference.new)}")

    def _side(self, sign: str, path: str, value: object) -> None:
        from ..authoring.block import lines

        if isinstance(value, (dict, list)) and value:
            self._line(sign, f"{path}:")
            for line in lines(value):
                self._line(sign, f"  {line}")
        else:
            self._line(sign, f"{path}: {_scalar(value)}")

    def _line(self, sign: str, text: str) -> None:
        self.print(f"      {sign} {text}", fg=_SIGN_COLORS.get(sign))


def _status_color(status: str) -> str:
    if "FAILED" in status or "ROLLBACK" in status:
        return "red"
    if status in {"SKIPPED", "NOTICE", "DELETE_SKIPPED", WARNING}:
        return "yellow"
    return "green" if status.endswith("_COMPLETE") else "blue"


def _without(items: list[Any], others: list[Any]) -> list[Any]:
    """The items that are not in the other list. Of an item that is twice in one and once in the other, one is left."""
    rest, left = list(others), []
    for item in items:
        if item in rest:
            rest.remove(item)
        else:
            left.append(item)
    return left


def _scalar(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
