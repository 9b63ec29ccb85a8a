"""Template -> findings about the provider's resources, in every scenario, as the handler would report them."""

from collections.abc import Mapping
from typing import Any, Final

from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.finding import Path
from ..template.structure import is_misspelled
from .attribute_check import check_attributes
from .condition_outcomes import Conditions, condition_of
from .diagnostic import Diagnostic
from .resource_check import ResourceCheck
from .resource_matching import misspelled_types, provider_resources, type_of
from .same_name import check_names

_PROPERTIES: Final = "Properties"


def check(template: Mapping[str, Any]) -> list[Diagnostic]:
    """All findings of a parsed template, each once; none if it is not a template."""
    resources, conditions = provider_resources(template), Conditions.of(template)
    return [
        *misspelled_types(resources),
        *(one for path, resource in resources.items() for one in _check_resource(path, resource, template, conditions)),
        *check_attributes(template, resources),
        *check_names(template, resources, conditions),
    ]


def check_properties(properties: Mapping[str, Any], type_name: str = DISTRIBUTION_CONFIGURATION) -> list[Diagnostic]:
    """All findings of the properties of a resource of this type without a template."""
    return ResourceCheck(properties, (), {}, Conditions({}, {}), resource_type(type_name)).diagnostics()


def _check_resource(
    path: Path, resource: Mapping[str, Any], template: Mapping[str, Any], conditions: Conditions
) -> list[Diagnostic]:
    if is_misspelled(resource, _PROPERTIES):
        # The properties are under a key that CloudFormation rejects, so none of them is missing.
        return []
    return ResourceCheck(
        resource.get(_PROPERTIES, {}),
        (*path, _PROPERTIES) if _PROPERTIES in resource else path,
        template,
        conditions,
        type_of(resource),
        str(path[-1]),
        condition_of(resource),
    ).diagnostics()
