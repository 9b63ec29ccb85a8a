"""The resources of a template as CloudFormation would deploy them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from provider.template.intrinsics import Evaluator
from provider.template.sections import Template

PSEUDO: Final = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}


@dataclass
class _LogicalIds:
    """Resolves references to parameters and to logical IDs, the latter by the names given for them."""

    names: Mapping[str, str]
    parameters: Mapping[str, Any]

    def reference(self, name: str, path: object) -> Any:
        return self.parameters[name] if name in self.parameters else f"<{self.names.get(name, name)}>"

    def attribute(self, name: str, attribute: str, path: object) -> str:
        return f"<{self.names.get(name, name)}.{attribute}>"

    def exported(self, name: str, path: object) -> str:
        raise NotImplementedError

    def resolve(self, text: str, path: object) -> str:
        raise NotImplementedError


def deployed(
    template: Template, given: Mapping[str, str], names: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return a template's resources with functions evaluated and scalars as text, for these values of parameters.

    Resources whose condition is false are left out. `names` are other names for logical IDs.
    """
    names = names or {}
    defaults = {name: parameter.get("Default", "") for name, parameter in template.parameters.items()}
    known = {**defaults, **given, **PSEUDO, "AWS::StackName": "images"}
    evaluator = Evaluator(template.mappings, template.conditions, _LogicalIds(names, known))
    return {
        names.get(name, name): _text(evaluator.evaluate(resource, ("Resources", name)))
        for name, resource in template.resources.items()
        if "Condition" not in resource or evaluator.holds(resource["Condition"], ("Resources", name, "Condition"))
    }


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _text(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_text(entry) for entry in value]
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")
