"""Why what cdk-nag's AWS Solutions pack says of the provider is as it should be. cdk-nag itself is not needed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Acknowledgment, Stack, Validations

if TYPE_CHECKING:
    from constructs import Construct

    from .provider import DistributionConfigurationProvider
    from .role import Policies

_QUEUE: Final = "It is itself where the last resort leaves what it could not answer; an alarm watches it."
_RUNTIME: Final = "The artifact's byte code is made for this runtime, which Lambda supports and the tests run on."
_WILDCARDS: Final = {
    "distribution-configurations": "name_pattern narrows the configurations; IAM has no narrower resource for lists.",
    "launch-templates": "Which launch templates are named is in the stacks that use the provider; "
    "launch_templates=False takes this away.",
    "export-buckets": "export_bucket_pattern narrows the buckets, whose contents stay out of reach.",
    "ssm-parameters": "ssm_parameter_pattern was asked for, and narrows the parameters.",
}
"""Why a policy reaches more than one resource, by its name."""


def acknowledge(provider: DistributionConfigurationProvider, policies: Policies) -> None:
    """Give the reasons, on the resources that they are for. `policies` are those of the provider's role."""
    _accept(provider.unanswered, "AwsSolutions-SQS3", _QUEUE)
    for function in (provider.function, provider.last_resort):
        _accept(function, "AwsSolutions-L1", _RUNTIME)
    stack = Stack.of(provider)
    for name, document in policies.items():
        for statement in stack.resolve(document)["Statement"]:
            resource = _spelled(statement["Resource"])
            if "*" in resource:
                _accept(provider.role, f"AwsSolutions-IAM5[Resource::{resource}]", _WILDCARDS[name])


def _accept(construct: Construct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason))


def _spelled(value: Any) -> str:
    """A resource's ARN as cdk-nag writes it: `arn:<AWS::Partition>:s3:::*`."""
    if not isinstance(value, Mapping):
        return str(value)
    ((function, argument),) = value.items()
    match function, argument:
        case "Fn::Join", ["", [*parts]]:
            return "".join(map(_spelled, parts))
        case "Ref", str(name):
            return f"<{name}>"
        case "Fn::GetAtt", [*names]:
            return f"<{'.'.join(map(str, names))}>"
        case "Fn::Sub", str(text):
            return re.sub(r"\$\{([^}]+)\}", r"<\1>", text)
        case "Fn::ImportValue", str(name):
            return name
    return json.dumps(value, separators=(",", ":"))
