"""What CloudFormation itself refuses of a template before the provider is asked.

cfn-lint has rules of its own for it, so only `validate` tells it, under the IDs that it has there. `plan` and
`rehearse` say it in the same words.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..schema.finding import Path, Severity
from ..schema.validate import describe
from .functions import is_call
from .keys import RESOURCE_KEYS, meant
from .located import Located
from .ours import resources

FRAME: Final = {
    "E0000": "The file can be read, is a template or properties, and has no null",
    "E3001": "A resource has a Type, and no keys but those of a resource",
    "E3003": "A custom resource has a ServiceToken",
    "E3005": "DependsOn names resources of the template",
    "E3012": "Properties are a mapping",
    "E3031": "ServiceToken is the ARN of a Lambda function or an SNS topic",
    "E3034": "ServiceTimeout is from 1 to 3600",
}
"""What holds, by cfn-lint's IDs."""

UNREADABLE: Final = "E0000"

_LONGEST_TIMEOUT: Final = 3600
"""Seconds, from the template reference of AWS::CloudFormation::CustomResource."""

_NUMBER: Final = re.compile("[0-9]{1,9}")
_TOKEN: Final = re.compile(r"arn:aws[a-z-]*:(lambda|sns):[a-z0-9-]+:[0-9]{12}:.+")
_NO_NULL: Final = "null values are not allowed in templates; leave it out, or give it !Ref AWS::NoValue"


def check_frame(template: Mapping[str, Any]) -> list[Located]:
    """All findings about what is around the properties of a decoded template's resources."""
    section = template.get("Resources")
    if section is not None and not isinstance(section, Mapping):
        message = f"Resources: must map names to what they stand for, not be {describe(section)}"
        return [_located(("Resources",), UNREADABLE, message)]
    ours = resources(template)
    entries = section or {}
    return [
        *_nulls(section, ("Resources",)),
        *(one for name, entry in entries.items() for one in _entry(("Resources", str(name)), entry, template)),
        *(one for path, resource in ours.items() for one in _resource(path, resource, template)),
    ]


def check_bare(properties: Mapping[str, Any]) -> list[Located]:
    """All findings about what CloudFormation asks of properties that are in a file alone."""
    return [*_nulls(properties, ()), *_own(properties, (), "")]


def _nulls(node: object, path: Path) -> Iterator[Located]:
    if node is None:
        name = str(path[1]) if path[:1] == ("Resources",) and len(path) > 1 else ""
        yield _located(path, UNREADABLE, f"{_shown(path)}: {_NO_NULL}", name)
    for key, child in node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ():
        yield from _nulls(child, (*path, key))


def _shown(path: Path) -> str:
    """A place as a person writes it, within properties from there."""
    shown = path[3:] or path[2:] if path[2:3] == ("Properties",) else path[1:] or path
    if path[:1] != ("Resources",):
        shown = path
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in shown).removeprefix(".")


def _entry(path: Path, entry: object, template: Mapping[str, Any]) -> Iterator[Located]:
    """Whether an entry of Resources is a resource; what a macro or a loop makes of its own is not known."""
    name = str(path[-1])
    if name.startswith("Fn::") or entry is None:
        return
    if not isinstance(entry, Mapping):
        message = f"{name}: must be a mapping with Type and Properties, not {describe(entry)}"
        yield _located(path, UNREADABLE, message, name)
        return
    kind = entry.get("Type", 0)
    if kind is None or isinstance(kind, str):
        return
    yield from _keys(path, entry, template)
    if "Type" in entry or "Type" not in map(meant, map(str, entry)):
        place = (*path, "Type") if "Type" in entry else path
        yield _located(place, "E3001", f"{name}: a Type is needed, as text", name)


def _keys(path: Path, resource: Mapping[str, Any], template: Mapping[str, Any]) -> Iterator[Located]:
    name = str(path[-1])
    for key in map(str, resource):
        if better := meant(key):
            yield _located((*path, key), "E3001", f"{name}: {key} should be {better}", name)
        # A transform may have keys of its own, which it takes away.
        elif key not in RESOURCE_KEYS and not key.startswith("Fn::") and "Transform" not in template:
            message = (
                f"{name}: unknown key {key} beside Type and Properties; there are {', '.join(RESOURCE_KEYS)}, and a "
                "resource's own properties go under Properties"
            )
            yield _located((*path, key), "E3001", message, name)


def _resource(path: Path, resource: Mapping[str, Any], template: Mapping[str, Any]) -> Iterator[Located]:
    """What is wrong with a resource of the provider's."""
    name = str(path[-1])
    yield from _keys(path, resource, template)
    yield from _depends_on((*path, "DependsOn"), resource.get("DependsOn"), template)
    if "Properties" not in resource and "Properties" in map(meant, map(str, resource)):
        return
    properties, place = resource.get("Properties", {}), (*path, "Properties")
    if isinstance(properties, Mapping):
        if "ServiceToken" not in properties and not any(str(key).startswith("Fn::") for key in properties):
            message = "Properties: a ServiceToken is needed: the ARN of the provider's function"
            yield _located(place if "Properties" in resource else path, "E3003", message, name)
        yield from _own(properties, place, name)
    elif properties is not None:
        yield _located(place, "E3012", f"Properties: must be a mapping, not {describe(properties)}", name)


def _depends_on(path: Path, names: object, template: Mapping[str, Any]) -> Iterator[Located]:
    # What an include brings is not known.
    if names is None or "Transform" in template or any(str(name).startswith("Fn::") for name in template["Resources"]):
        return
    for name in names if isinstance(names, list) else [names]:
        if not isinstance(name, str):
            message = "DependsOn: must be a logical ID, or a list of them"
        elif name not in template["Resources"]:
            message = f"DependsOn: there is no resource {name} in this template"
        else:
            continue
        yield _located(path, "E3005", message, str(path[-2]))


def _own(properties: Mapping[str, Any], place: Path, name: str) -> Iterator[Located]:
    """What is wrong with the two properties that are CloudFormation's, as far as the text shows it."""
    token, timeout = properties.get("ServiceToken"), properties.get("ServiceTimeout")
    if not _may_be(token) and not _TOKEN.fullmatch(str(token)):
        what = f"the ARN of the provider's Lambda function, or of an SNS topic, not {describe(token)}"
        yield _located((*place, "ServiceToken"), "E3031", f"ServiceToken: must be {what}", name)
    is_in_time = _NUMBER.fullmatch(str(timeout)) and 1 <= int(str(timeout)) <= _LONGEST_TIMEOUT
    if not _may_be(timeout) and not is_in_time:
        what = f"whole seconds from 1 to {_LONGEST_TIMEOUT}, not {describe(timeout)}"
        yield _located((*place, "ServiceTimeout"), "E3034", f"ServiceTimeout: must be {what}", name)


def _may_be(value: object) -> bool:
    """Whether a value is not there, or only a deployment knows it."""
    if isinstance(value, Mapping):
        return is_call(value)
    return value is None or (isinstance(value, str) and "{{resolve:" in value)


def _located(path: Path, id_: str, message: str, resource: str = "") -> Located:
    return Located(path, id_, Severity.ERROR, message, resource)
