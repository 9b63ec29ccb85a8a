"""Placeholders for values that only a deployment knows: other resources, SSM parameters, exports of other stacks.

The same name always gets the same placeholder. It has the format of the real value, so that it is valid wherever the
real one is.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

_HEX_IDS = {
    "AWS::EC2::Image::Id": "ami",
    "AWS::EC2::LaunchTemplate": "lt",
    "AWS::EC2::SecurityGroup": "sg",
    "AWS::EC2::SecurityGroup::Id": "sg",
    "AWS::EC2::Subnet": "subnet",
    "AWS::EC2::Subnet::Id": "subnet",
    "AWS::EC2::VPC": "vpc",
    "AWS::EC2::VPC::Id": "vpc",
}
_REF_IS_ARN = re.compile(
    r"AWS::(ImageBuilder|SNS::Topic|StepFunctions|SecretsManager::Secret|LicenseManager::License).*"
)
_ARN_FORMS = {
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::Serverless::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{uuid}",
}


class Placeholders(NamedTuple):
    """Placeholders for one Region (`us-east-1`) of one account (12 digits)."""

    region: str
    account: str
    salt: str = ""
    """Another salt gives other placeholders: a value that changes with it contains one."""

    @property
    def partition(self) -> str:
        """The Region's partition: `aws`, `aws-cn` or `aws-us-gov`."""
        prefix = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
        return next((name for start, name in prefix.items() if self.region.startswith(start + "-")), "aws")

    def reference(self, kind: str, logical_id: str) -> str:
        """What `Ref` of a resource of type `kind` (`AWS::S3::Bucket`) could be."""
        if kind in _HEX_IDS:
            return f"{_HEX_IDS[kind]}-{_digest(logical_id + self.salt)[:17]}"
        if kind == "AWS::KMS::Key":
            return _uuid(logical_id + self.salt)
        if _REF_IS_ARN.fullmatch(kind):
            return self.arn(kind, logical_id)
        return (logical_id + self.salt).lower()

    def attribute(self, kind: str, logical_id: str, attribute: str) -> str:
        """What `Fn::GetAtt` of `attribute` of a resource of type `kind` could be."""
        if attribute.endswith("Arn"):
            return self.arn(kind, logical_id)
        if attribute.endswith("VersionNumber"):
            return f"1{self.salt}"
        if attribute.endswith("Id") and kind in _HEX_IDS:
            return self.reference(kind, logical_id)
        return f"{logical_id}-{attribute}{self.salt}".lower()

    def arn(self, kind: str, logical_id: str) -> str:
        """An ARN in the format of resources of type `kind`."""
        service, _, resource = kind.removeprefix("AWS::").partition("::")
        kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", resource or "resource").lower()
        form = _ARN_FORMS.get(kind, "arn:{partition}:{service}:{region}:{account}:{kebab}/{name}")
        return form.format(
            partition=self.partition,
            region=self.region,
            account=self.account,
            service=service.lower().replace("::", "-"),
            kebab=kebab,
            name=(logical_id + self.salt).lower(),
            uuid=_uuid(logical_id + self.salt),
        )

    def parameter(self, kind: str, name: str) -> str | list[str]:
        """The value of the SSM parameter `name` that a template declares as `kind` (`List<String>`)."""
        listed = re.fullmatch(r"List<(.+)>", kind)
        if listed or kind == "CommaDelimitedList":
            return [str(self.parameter(listed.group(1) if listed else "String", name))]
        return self.reference(kind, name) if kind in _HEX_IDS else self.resolved(name)

    def resolved(self, name: str) -> str:
        """What a dynamic reference to the parameter or secret `name` could return."""
        return name.strip("/").replace("/", "-") + self.salt

    def imported(self, export: str, as_function: bool) -> str:
        """The value that another stack exports as `export`: a function's ARN if `as_function`."""
        name = re.sub(r"[^\w-]+", "-", export)
        if as_function:
            return self.arn("AWS::Lambda::Function", name)
        return self.arn("AWS::Stack::Export", name) if name.lower().endswith("arn") else name + self.salt


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _uuid(text: str) -> str:
    digits = _digest(text)
    return "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "8" + digits[17:20], digits[20:32]))
