"""Placeholders for values that are known only at deployment: other resources, SSM parameters, exports of other stacks.

The same name always gets the same placeholder, in the format of the real value.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import NamedTuple

from .partitions import partition_of

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
    """A different salt gives different placeholders, so a value that changes with the salt contains one."""

    @property
    def partition(self) -> str:
        """The name of the Region's partition, such as `aws`."""
        return partition_of(self.region).name

    def reference(self, type_: str, logical_id: str) -> str:
        """A value for `Ref` of a resource of type `type_` (`AWS::S3::Bucket`)."""
        if type_ in _HEX_IDS:
            return f"{_HEX_IDS[type_]}-{_digest(logical_id + self.salt)[:17]}"
        if type_ == "AWS::KMS::Key":
            return _uuid(logical_id + self.salt)
        if _REF_IS_ARN.fullmatch(type_):
            return self.arn(type_, logical_id)
        return (logical_id + self.salt).lower()

    def attribute(self, type_: str, logical_id: str, attribute: str) -> str:
        """A value for `Fn::GetAtt` of a resource of type `type_`."""
        if attribute.endswith("Arn"):
            return self.arn(type_, logical_id)
        if attribute.endswith("VersionNumber"):
            return f"1{self.salt}"
        if attribute.endswith("Id") and type_ in _HEX_IDS:
            return self.reference(type_, logical_id)
        return f"{logical_id}-{attribute}{self.salt}".lower()

    def arn(self, type_: str, logical_id: str) -> str:
        """An ARN in the format of resources of type `type_`."""
        service, _, resource = type_.removeprefix("AWS::").partition("::")
        kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", resource or "resource").lower()
        form = _ARN_FORMS.get(type_, "arn:{partition}:{service}:{region}:{account}:{kebab}/{name}")
        return form.format(
            partition=self.partition,
            region=self.region,
            account=self.account,
            service=service.lower().replace("::", "-"),
            kebab=kebab,
            name=(logical_id + self.salt).lower(),
            uuid=_uuid(logical_id + self.salt),
        )

    def parameter(self, type_: str, name: str) -> str | list[str]:
        """A value for the SSM parameter `name` of type `type_` (`List<String>`)."""
        listed = re.fullmatch(r"List<(.+)>", type_)
        if listed or type_ == "CommaDelimitedList":
            return [str(self.parameter(listed.group(1) if listed else "String", name))]
        return self.reference(type_, name) if type_ in _HEX_IDS else self.resolved(name)

    def resolved(self, name: str) -> str:
        """A value for a dynamic reference to the parameter or secret `name`."""
        return name.strip("/").replace("/", "-") + self.salt

    def imported(self, export: str, as_function: bool) -> str:
        """A value for an export of another stack: a function's ARN if `as_function`."""
        name = re.sub(r"[^\w-]+", "-", export)
        if as_function:
            return self.arn("AWS::Lambda::Function", name)
        return self.arn("AWS::Stack::Export", name) if name.lower().endswith("arn") else name + self.salt


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _uuid(text: str) -> str:
    digits = _digest(text)
    return "-".join((digits[:8], digits[8:12], "4" + digits[13:16], "8" + digits[17:20], digits[20:32]))
