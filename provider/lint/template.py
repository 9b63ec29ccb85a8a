"""Template -> findings: every resource of the provider's, in every scenario, in the handler's own words."""

from collections.abc import Mapping
from typing import Any, Final

from provider.lint.attributes import check_attributes
from provider.lint.catalog import id_of
from provider.lint.conditions import condition_of
from provider.lint.judgement import judged
from provider.lint.located import Located
from provider.lint.ours import resources
from provider.lint.same_name import check_names
from provider.properties.finding import Path, Severity
from provider.protocol.request import RESOURCE_TYPES, foreign

_PROPERTIES: Final = "Properties"


def check(template: Mapping[str, Any]) -> list[Located]:
    """All findings of a decoded template, none twice. What is no template has none."""
    ours = resources(template)
    return [
        *(one for path, resource in ours.items() for one in _check_type(path, resource)),
        *(one for path, resource in ours.items() for one in _check_resource(path, resource, template)),
        *check_attributes(template, ours),
        *check_names(template, ours),
    ]


def check_properties(properties: Mapping[str, Any]) -> list[Located]:
    """All findings of a resource's properties on their own."""
    return judged(properties, (), {})


def _check_type(path: Path, resource: Mapping[str, Any]) -> list[Located]:
    kind = resource.get("Type")
    if kind in RESOURCE_TYPES:
        return []
    return [Located((*path, "Type"), id_of("resource-type"), Severity.ERROR, foreign(repr(str(kind))), str(path[-1]))]


def _check_resource(path: Path, resource: Mapping[str, Any], template: Mapping[str, Any]) -> list[Located]:
    place = (*path, _PROPERTIES) if _PROPERTIES in resource else path
    return judged(resource.get(_PROPERTIES, {}), place, template, str(path[-1]), condition_of(resource))
