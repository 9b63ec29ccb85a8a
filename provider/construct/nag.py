"""Acknowledges the findings of cdk-nag's AWS Solutions pack about the provider, with reasons. Does not need cdk-nag."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct

from .role import CONFIGURATIONS, NETWORK_INTERFACES, Policies

_QUEUE: Final = "This queue is itself the dead-letter queue of the last-resort function; an alarm watches it."
_RUNTIME: Final = "The artifact's bytecode is compiled for this runtime, which Lambda supports and the tests use."
_WILDCARDS: Final = {
    CONFIGURATIONS: "name_pattern and regions limit the configurations, and assumable_role_arns limits the roles; "
    "list actions support no narrower resource.",
    "launch-templates": "The stacks that use the provider name the launch templates; "
    "launch_templates=False removes this policy.",
    "export-buckets": "export_bucket_pattern limits the buckets; the policy does not allow access to objects.",
    "ssm-parameters": "ssm_parameter_pattern limits the parameters.",
    "organizational-units": "The ARNs contain the management account and the organization, which are not known here.",
    "source-parameters": "source_parameter_pattern limits the parameters.",
    NETWORK_INTERFACES: "Lambda requires it for functions in a VPC. The functions' own code is denied it.",
}
"""By policy name: why the policy contains a wildcard."""


def acknowledge(
    *, queue: Construct, functions: Iterable[Construct], roles: Iterable[tuple[Construct, Policies]]
) -> None:
    """Acknowledge each finding on the resource that it concerns. Each role comes with its policies."""
    _acknowledge(queue, "AwsSolutions-SQS3", _QUEUE)
    for function in functions:
        _acknowledge(function, "AwsSolutions-L1", _RUNTIME)
    for role, policies in roles:
        _acknowledge_wildcards(role, policies)


def _acknowledge_wildcards(role: Construct, policies: Policies) -> None:
    stack = Stack.of(role)
    for name, document in policies.items():
        # To resolve the document itself would freeze its statements.
        for statement in stack.resolve(document.to_json())["Statement"]:
            resources = statement["Resource"]
            for resource in map(_as_cdk_nag_writes, resources if isinstance(resources, list) else [resources]):
                if "*" in resource:
                    _acknowledge(role, f"AwsSolutions-IAM5[Resource::{resource}]", _WILDCARDS[name])


def _acknowledge(construct: Construct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::{rule}", reason=reason))


def _as_cdk_nag_writes(value: Any) -> str:
    """Write a resource's ARN as cdk-nag does: `arn:<AWS::Partition>:s3:::*`."""
    if not isinstance(value, Mapping):
        return str(value)
    ((function, argument),) = value.items()
    match function, argument:
        case "Fn::Join", ["", [*parts]]:
            return "".join(map(_as_cdk_nag_writes, parts))
        case "Ref", str(name):
            return f"<{name}>"
        case "Fn::GetAtt", [*names]:
            return f"<{'.'.join(map(str, names))}>"
        case "Fn::Sub", str(text):
            return re.sub(r"\$\{([^}]+)\}", r"<\1>", text)
        case "Fn::ImportValue", str(name):
            return name
    return json.dumps(value, separators=(",", ":"))
