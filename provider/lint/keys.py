"""The keys of a resource, beside which there are no others."""

from typing import Final

RESOURCE_KEYS: Final = (
    *("Type", "Properties", "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata"),
    *("UpdatePolicy", "UpdateReplacePolicy", "Version"),
)


def meant(key: str) -> str:
    """The key of a resource that an unknown one nearly is; empty where it is near none, or is one."""
    if key in RESOURCE_KEYS:
        return ""
    from difflib import get_close_matches  # only a mistake needs it

    keys = {name.lower(): name for name in RESOURCE_KEYS}
    near = get_close_matches(key.lower(), keys, n=1, cutoff=0.75)
    return keys[near[0]] if near else ""
