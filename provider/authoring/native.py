"""What the native resource, AWS::ImageBuilder::DistributionConfiguration, has of the API."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from ..schema.model import Type, pascal_case

NATIVE_TYPE: Final = "AWS::ImageBuilder::DistributionConfiguration"

NativeMembers: TypeAlias = Mapping[str, "NativeMembers"]
"""The names of a structure's properties, each with those of the structure below; lists are passed through."""


def native_name(structure: Type, member: str, native: NativeMembers) -> str | None:
    """What the native resource calls a structure's member, where it has that structure's `native` members."""
    names = (name for name, one in structure.spellings.items() if one == member)
    return next((name for name in names if name in native and name == pascal_case(name)), None)
