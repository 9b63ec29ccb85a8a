"""The members of the API that the native resource, AWS::ImageBuilder::DistributionConfiguration, supports."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from ..schema.model import Schema, pascal_case

NATIVE_TYPE: Final = "AWS::ImageBuilder::DistributionConfiguration"

NativeMembers: TypeAlias = Mapping[str, "NativeMembers"]
"""The names of a structure's properties, each with those of its nested structure or of a list's entries."""


def native_name(structure: Schema, member: str, native: NativeMembers) -> str | None:
    """The native resource's name for a structure's member; None if it lacks the member.

    `native` are the names that the native resource has in that structure.
    """
    names = (name for name, api_name in structure.spellings.items() if api_name == member)
    return next((name for name in names if name in native and name == pascal_case(name)), None)
