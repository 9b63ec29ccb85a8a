"""Describes properties: the API's documentation as Markdown, and the model's constraints in words.

The documentation comes from botocore's shapes. The service model in the deployed function has none.
"""

import re
from html.parser import HTMLParser
from typing import Final

from botocore.model import StructureShape

from ..resources import resource_type
from ..schema.model import CREATE, NAME, ON_DELETE, RANGES, TAGS, TARGET, UPDATE, Schema, service_model

OF_OURS: Final = {
    TARGET: "**Adopts** the existing configuration with this ARN: the resource takes over its contents. "
    "Another ARN is a replacement.",
    NAME: "**Owns** a configuration of this name: the resource creates it. Another name is a replacement.",
    TAGS: "Tags of the configuration itself. Keys that an update drops are removed; keys that others set stay.",
    ON_DELETE: "What becomes of the configuration when the resource is deleted or replaced. Left out, an owned "
    "configuration is deleted and an adopted one stays. What another resource owns is never deleted.",
}
"""Descriptions of how the resource uses its own properties, in addition to the API's documentation."""

_KINDS: Final = {"structure": "mapping", "long": "integer"}
_UNITS: Final = {"string": ("character", "characters"), "list": ("entry", "entries"), "map": ("entry", "entries")}


def of_member(structure: Schema, member: str) -> str:
    """The documentation of a structure's member, given by its API name, as Markdown; empty if there is none."""
    if structure is not resource_type().schema:
        return _markdown(_said(structure.shape, member)) if structure.shape in service_model().shape_names else ""
    if member == TARGET:
        return OF_OURS[member]  # to the API it is what the call updates
    inputs = [service_model().operation_model(name).input_shape for name in (CREATE, UPDATE)]
    said = next((text for shape in inputs if shape and (text := _said(shape.name, member))), "")
    return " ".join(filter(None, (OF_OURS.get(member), _markdown(said))))


def first_sentence(markdown: str) -> str:
    """The first sentence of a text, as plain text."""
    return plain(re.split(r"(?<=[.:])\s+(?=[A-Z*-])", markdown, maxsplit=1)[0])


def plain(markdown: str) -> str:
    """A text on one line, without links and emphasis."""
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", markdown).replace("**", "").replace("`", "")
    return " ".join(re.sub(r"(?<!\S)\*(\S[^*]*)\*", r"\1", text).split())


def kind(type_: Schema) -> str:
    """The kind of value that a type takes: `string`, `list of strings`, `map of strings`, `mapping`, ..."""
    if type_.item is not None:
        return f"{type_.type_name} of {kind(type_.item)}s"
    return _KINDS.get(type_.type_name, type_.type_name)


def limits(type_: Schema) -> str:
    """The size limits, such as `1 to 127 characters`; empty if the model has none."""
    low, high = type_.minimum, type_.maximum
    if bound := RANGES.get(type_.type_name):
        low, high = (None if low == -bound else low), (None if high == bound - 1 else high)
    if low is None and high is None:
        return ""
    amount = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
    unit = _UNITS.get(type_.type_name)
    return f"{amount} {unit[(high or low) != 1]}" if unit else amount


def _said(shape_name: str, member: str) -> str:
    shape = service_model().shape_for(shape_name)
    known = isinstance(shape, StructureShape) and member in shape.members
    return shape.members[member].documentation if known and isinstance(shape, StructureShape) else ""


def _markdown(documentation: str) -> str:
    reader = _Reader()
    reader.feed(documentation)
    reader.close()
    items = re.sub(r"\s*\n-\s+", "\n- ", reader.text)
    return re.sub(r"\s*\n\n\s*", "\n\n", items).strip()


class _Reader(HTMLParser):
    """Converts the HTML of the service's documentation to Markdown; of unknown tags, only the text remains."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Start a Markdown element."""
        if tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        self.text += {"p": "\n\n", "li": "\n- ", "a": "["}.get(tag, _MARKDOWN.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        """End a Markdown element."""
        if tag == "a":
            self.text += f"]({self._links.pop()})"
        self.text += {"ul": "\n\n"}.get(tag, _MARKDOWN.get(tag, ""))

    def handle_data(self, data: str) -> None:
        """Add text; line breaks become spaces."""
        self.text += " ".join(f".{data}.".split())[1:-1]


_MARKDOWN: Final = {"code": "`", "b": "**", "i": "*"}
