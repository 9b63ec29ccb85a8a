"""Converts the output of get-distribution-configuration to a template that adopts the configuration."""

from collections.abc import Mapping
from typing import Any

from ...arn import is_configuration_arn
from ...authoring.block import as_yaml, logical_id, template
from ...resources import resource_type
from ...schema.expand import expand
from ...schema.finding import Path, Spelling
from ...schema.model import DISTRIBUTIONS, NAME, TAGS, content_members, pascal_case
from ..adopting import adopting_properties, owner_warnings
from .document import Document, Note

_MEMBER = "distributionConfiguration"
_ARN = "arn"


def is_output(tree: Mapping[str, Any]) -> bool:
    """Whether a file is the output, or the configuration in it."""
    found = _configuration(tree)
    return is_configuration_arn(str(found.get(_ARN))) and isinstance(found.get(DISTRIBUTIONS, []), list)


def from_output(document: Document, service_token: Any) -> str:
    """A template in YAML with a resource that adopts the configuration and does not change it."""
    tree = document.source.tree
    found, path = _configuration(tree), (_MEMBER,) if _MEMBER in tree else ()
    arn, tags = str(found[_ARN]), found.get(TAGS) or {}
    for text in (f"the resource adopts {arn} by its ARN, so {pascal_case(NAME)} is omitted", *owner_warnings(tags)):
        document.notes.append(_note(document, (*path, _ARN), text))
    content = {member: found[member] for member in content_members() if found.get(member) is not None}
    schema = resource_type().schema
    expanded, spelling = expand(content, schema), Spelling(content, schema)
    for one in expanded.findings:
        place = (*path, *spelling.keys(one.path))
        document.notes.append(_note(document, place, f"omitted: {spelling.render(one)}", is_loss=True))
    name = str(found.get(NAME) or arn.rpartition("/")[2])
    properties = adopting_properties(arn, expanded.parameters, tags)
    return as_yaml(template(logical_id(name), properties, service_token=service_token))


def _note(document: Document, path: Path, text: str, *, is_loss: bool = False) -> Note:
    position = document.source.position(path)
    return Note(position.line, position.column, text, is_loss)


def _configuration(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    found = tree.get(_MEMBER, tree)
    return found if isinstance(found, Mapping) else {}
