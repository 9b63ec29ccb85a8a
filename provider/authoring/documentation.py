"""Describes properties: the API's documentation as Markdown, and the model's constraints in words.

The documentation comes from botocore's service model. The copy of the model in the deployed function has none.
"""

import re
from html.parser import HTMLParser
from typing import Final

from botocore.model import StructureShape

from ..resources import CONTRIBUTION, resource_type
from ..schema.account_sources import ACCOUNT_SOURCE, EXCEPT, ORGANIZATIONAL_UNIT, PARAMETER
from ..schema.model import (
    CONTRIBUTIONS,
    CREATE,
    NAME,
    ON_DELETE,
    RANGES,
    REGION,
    ROLE,
    TAGS,
    TARGET,
    UPDATE,
    Schema,
    service_model,
)

PROVIDER_DESCRIPTIONS: Final = {
    TARGET: "**Adopts** the existing configuration with this ARN: the resource replaces its content. "
    "If you change the ARN, the resource is replaced.",
    NAME: "**Owns** a configuration with this name: the resource creates it. "
    "If you change the name, the resource is replaced.",
    TAGS: "Tags of the configuration itself. An update removes the keys that you remove from the template, and keeps "
    "the keys that others set.",
    ON_DELETE: "Whether the configuration is deleted or retained when the resource is deleted or replaced. By default, "
    "an owned configuration is deleted, and an adopted one is retained. A configuration that another resource owns is "
    "never deleted.",
    REGION: "The Region of the configuration itself. By default, it is the Region of the stack. If you change the "
    "Region, the resource is replaced. An adopted configuration's Region is that of its ARN.",
    ROLE: "The ARN of a role that the provider assumes for this resource, for a configuration in another account. The "
    "stack's ID is the external ID. If you specify a role of another account, the resource is replaced.",
    CONTRIBUTIONS: "The paths at which other stacks may contribute to this configuration, such as "
    "`Distributions[].LaunchTemplateConfigurations`. Without it, none may. Requires the provider's ledger.",
}
"""How the provider uses a property, in addition to the API's documentation."""

SOURCE_DESCRIPTIONS: Final = {
    ORGANIZATIONAL_UNIT: "All active accounts in this organizational unit or root, and in the units beneath it.",
    EXCEPT: "Accounts to leave out of this source.",
    PARAMETER: "The accounts in this SSM parameter, which is a StringList, or a String with commas between the account "
    "IDs. It is in the provider's account and Region.",
}
"""What each member of an account source means."""
_TARGET_OF_A_CONTRIBUTION: Final = (
    "The ARN of the configuration to which this resource contributes. If you change it, the resource is replaced."
)

_TYPE_NAMES: Final = {"structure": "mapping", "long": "integer"}
_YAML_ADVICE: Final = re.compile(r": (?:in YAML|begin each entry|write `).*| \(in YAML[^)]*\)")
_UNITS: Final = {"string": ("character", "characters"), "list": ("entry", "entries"), "map": ("entry", "entries")}


def description(structure: Schema, member: str) -> str:
    """The description of a structure's member, given by its API name, as Markdown; empty if there is none."""
    if structure.shape == ACCOUNT_SOURCE.shape:
        return SOURCE_DESCRIPTIONS[member]
    is_contribution = structure is resource_type(CONTRIBUTION).schema
    if structure is not resource_type().schema and not is_contribution:
        return _markdown(_api_text(structure.shape, member)) if structure.shape in service_model().shape_names else ""
    if member == TARGET:  # the API's text is about the configuration to update
        return _TARGET_OF_A_CONTRIBUTION if is_contribution else PROVIDER_DESCRIPTIONS[member]
    return " ".join(filter(None, (PROVIDER_DESCRIPTIONS.get(member), _markdown(_text_of_input(member)))))


def _text_of_input(member: str) -> str:
    """The API's text about a member of the Create call or the Update call."""
    inputs = [service_model().operation_model(name).input_shape for name in (CREATE, UPDATE)]
    return next((text for shape in inputs if shape and (text := _api_text(shape.name, member))), "")


def first_sentence(markdown: str) -> str:
    """The first sentence of a text, as plain text."""
    return plain(re.split(r"(?<=[.:])\s+(?=[A-Z*-])", markdown, maxsplit=1)[0])


def plain(markdown: str) -> str:
    """A text on one line, without links and emphasis."""
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", markdown).replace("**", "").replace("`", "")
    return " ".join(re.sub(r"(?<!\S)\*(\S[^*]*)\*", r"\1", text).split())


def type_name(schema: Schema) -> str:
    """The type in words: `string`, `list of strings`, `map of strings`, `mapping`, ..."""
    if schema.item is not None:
        sources = " or account sources" if schema.item.source else ""
        return f"{schema.type_name} of {type_name(schema.item)}s{sources}"
    return _TYPE_NAMES.get(schema.type_name, schema.type_name)


def limits(schema: Schema) -> str:
    """The size limits, such as `1 to 127 characters`; empty if the model has none."""
    low, high = schema.minimum, schema.maximum
    if bound := RANGES.get(schema.type_name):
        low, high = (None if low == -bound else low), (None if high == bound - 1 else high)
    if low is None and high is None:
        return ""
    amount = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
    unit = _UNITS.get(schema.type_name)
    return f"{amount} {unit[(high or low) != 1]}" if unit else amount


def without_yaml_advice(message: str) -> str:
    """A finding's message for readers who do not write YAML."""
    return _YAML_ADVICE.sub("", message)


def _api_text(shape_name: str, member: str) -> str:
    shape = service_model().shape_for(shape_name)
    members = shape.members if isinstance(shape, StructureShape) else {}
    return members[member].documentation if member in members else ""


def _markdown(documentation: str) -> str:
    converter = _MarkdownConverter()
    converter.feed(documentation)
    converter.close()
    items = re.sub(r"\s*\n-\s+", "\n- ", converter.text)
    return re.sub(r"\s*\n\n\s*", "\n\n", items).strip()


class _MarkdownConverter(HTMLParser):
    """Converts the HTML of the service's documentation to Markdown. Unknown tags are ignored, but not their text."""

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
        """Add text. Line breaks become spaces."""
        self.text += " ".join(f".{data}.".split())[1:-1]


_MARKDOWN: Final = {"code": "`", "b": "**", "i": "*"}
