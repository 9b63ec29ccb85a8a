"""The keys of a resource, beside which there are no others."""

from difflib import get_close_matches
from typing import Final

RESOURCE_KEYS: Final = (
    *("Type", "Properties", "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata"),
    *("UpdatePolicy", "UpdateReplacePolicy"),
)


def meant(key: str) -> str:
    """The key of a resource that an unknown one nearly is; empty where it is near none, or is one."""
    keys = {name.lower(): name for name in RESOURCE_KEYS}
    near = [] if key in RESOURCE_KEYS else get_close_matches(key.lower(), keys, n=1, cutoff=0.75)
    return keys[near[0]] if near else ""
