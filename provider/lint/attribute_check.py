"""Findings about attributes that the provider's resources do not have, in `Fn::GetAtt` and `Fn::Sub`."""

from collections.abc import Mapping
from typing import Any

from ..schema.finding import Path, Severity
from ..template.function_calls import calls, references
from ..template.template_error import most_similar
from .catalog import id_of
from .diagnostic import Diagnostic
from .resource_matching import type_of


def check_attributes(template: Mapping[str, Any], resources: Mapping[Path, Mapping[str, Any]]) -> list[Diagnostic]:
    """A finding for each unknown attribute of the provider's `resources` (by path) in Resources and Outputs."""
    attributes = {str(path[-1]): type_of(resource).attributes for path, resource in resources.items()}
    return [
        Diagnostic(
            call.path,
            id_of("attribute"),
            Severity.ERROR,
            _message(call.function, name, attribute, attributes[name]),
            str(call.path[1]) if section == "Resources" else "",
        )
        for section in ("Resources", "Outputs")
        for call in calls(template.get(section), (section,))
        for name, attribute in references(call)
        if attribute and name in attributes and attribute not in attributes[name]
    ]


def _message(function: str, name: str, attribute: str, attributes: Mapping[str, str]) -> str:
    similar = most_similar(attribute, attributes, cutoff=0)
    return f"{function}: {name} has no attribute {attribute}; did you mean {similar}?"
