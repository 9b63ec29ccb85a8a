"""Diagnostics about a template's structure. Only `validate` reports them; cfn-lint has its own rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..schema.finding import Path, Severity
from ..template import structure
from ..template.intrinsics import DYNAMIC_REFERENCE
from ..template.template_error import TemplateError, format_path
from .diagnostic import Diagnostic
from .function_check import is_call, kinds_of_names
from .resource_matching import provider_resources


def check_structure(template: Mapping[str, Any]) -> list[Diagnostic]:
    """All diagnostics about a parsed template's structure, except for its resources' properties."""
    return [
        *(_diagnostic(error, str(error.path[1]) if len(error.path) > 1 else "") for error in _section_errors(template)),
        *(
            _diagnostic(error, str(path[-1]))
            for path, resource in provider_resources(template).items()
            for error in _resource_errors(path, resource, template)
        ),
    ]


def check_bare(properties: Mapping[str, Any]) -> list[Diagnostic]:
    """All diagnostics about the structure of a file that contains only properties."""
    return [_diagnostic(error, "") for error in (*structure.null_errors(properties, ()), *_own(properties, ()))]


def _section_errors(template: Mapping[str, Any]) -> Iterator[TemplateError]:
    section = template.get("Resources")
    if section is not None and not isinstance(section, Mapping):
        yield from structure.section_errors(template, "Resources")
        return
    yield from structure.null_errors(section, ("Resources",))
    for name, entry in (section or {}).items():
        # cfn-lint checks the keys of resources of other types.
        if not isinstance(entry, Mapping) or not isinstance(entry.get("Type", 0), (str, type(None))):
            path = ("Resources", str(name))
            yield from structure.resource_errors(entry, path, transformed="Transform" in template)


def _resource_errors(path: Path, resource: Mapping[str, Any], template: Mapping[str, Any]) -> Iterator[TemplateError]:
    """The mistakes of one of the provider's resources."""
    yield from structure.key_errors(resource, path, transformed="Transform" in template)
    yield from _reference_errors(path, resource, template)
    properties, location = resource.get("Properties", {}), (*path, "Properties")
    if properties is None or structure.is_misspelled(resource, "Properties"):
        return
    yield from structure.properties_errors(properties, location)
    if isinstance(properties, Mapping):
        if "ServiceToken" not in properties and not any(str(key).startswith("Fn::") for key in properties):
            yield structure.missing_token(location)
        yield from _own(properties, location)


def _reference_errors(path: Path, resource: Mapping[str, Any], template: Mapping[str, Any]) -> Iterator[TemplateError]:
    """The names in a resource that the template does not declare. A transform or an include can add resources."""
    names = template["Resources"]
    if "Transform" not in template and not any(str(name).startswith("Fn::") for name in names):
        yield from structure.depends_on_errors(resource, path, names)
        known = {*kinds_of_names(template), *(template.get("Parameters") or ()), "AWS::NoValue"}
        yield from structure.name_errors(resource.get("Properties"), (*path, "Properties"), known)


def _own(properties: Mapping[str, Any], location: Path) -> Iterator[TemplateError]:
    return structure.service_errors(properties, location, lambda name: _is_unknown(properties[name]))


def _is_unknown(value: object) -> bool:
    """Whether a value is known only at deployment."""
    return is_call(value) if isinstance(value, Mapping) else isinstance(value, str) and DYNAMIC_REFERENCE in value


def _diagnostic(error: TemplateError, resource: str) -> Diagnostic:
    return Diagnostic(error.path, error.id, Severity.ERROR, f"{shown(error.path)}: {error.message}", resource)


def shown(path: Path) -> str:
    """A path for people: from a resource's properties, or else from its logical ID."""
    if path[:1] != ("Resources",):
        return format_path(path)
    return format_path(path[3:] or path[2:] if path[2:3] == ("Properties",) else path[1:] or path)
