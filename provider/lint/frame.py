"""What CloudFormation itself refuses of a template before the provider is asked.

cfn-lint has rules of its own for it, so only `validate` tells it, under the IDs that it has there.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from provider.lint.located import Located
from provider.lint.ours import resources
from provider.properties.finding import Path, Severity
from provider.properties.validate import describe

FRAME: Final = {
    "E0000": "The file can be read, and is a template or properties",
    "E3003": "A custom resource has a ServiceToken",
    "E3012": "Properties are a mapping",
    "E3034": "ServiceTimeout is from 1 to 3600",
}
"""What holds, by cfn-lint's IDs."""

UNREADABLE: Final = "E0000"

_LONGEST_TIMEOUT: Final = 3600
"""Seconds, from the template reference of AWS::CloudFormation::CustomResource."""

_NUMBER: Final = re.compile("[0-9]{1,4}")


def check_frame(template: Mapping[str, Any]) -> list[Located]:
    """All findings about what is around the properties of a decoded template's resources."""
    section = template.get("Resources")
    if not isinstance(section, Mapping):
        message = f"Resources: must map logical IDs to resources, not be {describe(section)}"
        return [_located(("Resources",), UNREADABLE, message)]
    entries = [one for name, entry in section.items() for one in _entry(str(name), entry)]
    return [*entries, *(one for path, resource in resources(template).items() for one in _resource(path, resource))]


def _entry(name: str, entry: object) -> Iterator[Located]:
    """Whether an entry of Resources is a resource; what a macro or a loop makes of its own is not known."""
    if name.startswith("Fn::"):
        return
    if not isinstance(entry, Mapping):
        message = f"{name}: must be a mapping with Type and Properties, not {describe(entry)}"
        yield _located(("Resources", name), UNREADABLE, message, name)
    elif not isinstance(entry.get("Type"), str):
        message = f"{name}: Type must be a string, not {describe(entry.get('Type'))}"
        yield _located(("Resources", name, "Type"), UNREADABLE, message, name)


def _resource(path: Path, resource: Mapping[str, Any]) -> Iterator[Located]:
    """What is wrong with a resource of the provider's."""
    name, properties = str(path[-1]), resource.get("Properties")
    place = (*path, "Properties")
    if properties is not None and not isinstance(properties, Mapping):
        yield _located(place, "E3012", f"Properties: must be a mapping, not {describe(properties)}", name)
        return
    properties = properties or {}
    if "ServiceToken" not in properties and not any(str(key).startswith("Fn::") for key in properties):
        message = "ServiceToken: is required: the ARN of the provider's function"
        yield _located(place if "Properties" in resource else path, "E3003", message, name)
    timeout = properties.get("ServiceTimeout", 1)
    if not isinstance(timeout, Mapping) and not _is_timeout(str(timeout)):
        message = f"ServiceTimeout: must be a number of seconds from 1 to {_LONGEST_TIMEOUT}, not {describe(timeout)}"
        yield _located((*place, "ServiceTimeout"), "E3034", message, name)


def _is_timeout(text: str) -> bool:
    if _NUMBER.fullmatch(text):
        return 1 <= int(text) <= _LONGEST_TIMEOUT
    return text.startswith("{{resolve:")


def _located(path: Path, id_: str, message: str, resource: str = "") -> Located:
    return Located(path, id_, Severity.ERROR, message, resource)
