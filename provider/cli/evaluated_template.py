"""Evaluates a template, or the properties of a single resource, for a location."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from .template_files import declared_parameters, template_rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..arn import Location
    from ..stack_engine.deployment import Deployment
    from ..stack_engine.records import DeployedResource
    from ..template.external_values import ExternalValues
    from ..template.sections import Template

_ALONE = "Properties"
"""The logical ID of a property file's resource."""
_ALONE_PATH = ("Resources", _ALONE, "Properties")


def parse(text: str, name: str) -> Template:
    """Read a template, or wrap the properties of a single resource in one. Raises TemplateError."""
    from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
    from ..template.placeholders import Placeholders
    from ..template.reader import read_text
    from ..template.sections import made_of
    from ..template.template_error import TemplateError

    tree = read_text(text).tree
    if isinstance(tree, dict) and "Resources" not in tree and tree.keys() & resource_type().schema.spellings.keys():
        token = {"ServiceToken": Placeholders("us-east-1", "0" * 12).arn("AWS::Lambda::Function", "provider")}
        tree = {"Resources": {_ALONE: {"Type": DISTRIBUTION_CONFIGURATION, "Properties": {**token, **tree}}}}
        try:
            return made_of(tree, name)._replace(alone=True)
        except TemplateError as error:
            raise error.below(_ALONE_PATH) from error
    return made_of(tree, name)


def evaluate(
    template: Template,
    parameters: Mapping[str, str],
    location: Location,
    stack_name: str,
    live: Mapping[str, DeployedResource],
    external: ExternalValues,
    salt: str = "",
) -> Deployment:
    """Return a deployment of a template, with placeholders that depend on `salt`.

    Raises UserError if CloudFormation would reject the template.
    """
    from ..stack_engine.deployment import Deployment
    from ..stack_engine.records import StackLocation
    from ..template.template_error import TemplateError

    partition, region, account = location[:3]
    stack_id = f"arn:{partition}:cloudformation:{region}:{account}:stack/{stack_name}/{uuid4()}"
    values = declared_parameters(template, parameters)
    try:
        place = StackLocation(region, account, stack_name, stack_id)
        return Deployment(template, values, place, live, salt=salt, external=external)
    except TemplateError as error:
        raise template_rejected(template.name, error.below(_ALONE_PATH) if template.alone else error) from error
