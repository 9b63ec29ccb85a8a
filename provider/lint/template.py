"""Template -> findings: every resource of the provider's, in every scenario, in the handler's own words."""

from collections.abc import Mapping
from typing import Any, Final

from ..resources import resource_type
from ..schema.finding import Path
from ..template.structure import is_misspelled
from .attributes import check_attributes
from .conditions import condition_of
from .diagnostic import Diagnostic
from .judgement import judged
from .resource_matching import misspelled_types, provider_resources, type_of
from .same_name import check_names

_PROPERTIES: Final = "Properties"


def check(template: Mapping[str, Any]) -> list[Diagnostic]:
    """All findings of a decoded template, none twice. What is no template has none."""
    ours = provider_resources(template)
    return [
        *misspelled_types(ours),
        *(one for path, resource in ours.items() for one in _check_resource(path, resource, template)),
        *check_attributes(template, ours),
        *check_names(template, ours),
    ]


def check_properties(properties: Mapping[str, Any]) -> list[Diagnostic]:
    """All findings of a resource's properties on their own."""
    return judged(properties, (), {}, resource_type())


def _check_resource(path: Path, resource: Mapping[str, Any], template: Mapping[str, Any]) -> list[Diagnostic]:
    if is_misspelled(resource, _PROPERTIES):
        # What they lack is not known: they are there under a key that CloudFormation refuses.
        return []
    place = (*path, _PROPERTIES) if _PROPERTIES in resource else path
    return judged(
        resource.get(_PROPERTIES, {}), place, template, type_of(resource), str(path[-1]), condition_of(resource)
    )
