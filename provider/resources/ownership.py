"""The ownership tags: who owns a configuration, and whether it has been handed over. No other code interprets them.

Two tags identify the owner of a configuration by stack ID and logical ID. They also record a state, as a suffix of
the stack ID:

- unfinished: the provider is still creating the configuration. Each new configuration starts in this state. A
  rollback, the cleanup after a failed rename, and the Delete of a failed Create delete only unfinished configurations.
- handed over: CloudFormation has received the ARN or is about to. The tag values have no suffix, as in earlier
  releases. Only a Delete whose physical ID is that ARN may delete the configuration.
- released: another resource, the adopter, has adopted the configuration. The suffix contains a digest of the adopter.
  The owner's Delete leaves the configuration in place. The owner's next Update takes the configuration back.

A configuration is shared if its owner allows the parts of other stacks, which only the ledger records. That is another
suffix, which implies handed over. On an adopted configuration, it is a tag of its own.
"""

import hashlib
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import ProviderError
from ..schema.rules import OWNERSHIP_TAGS

if TYPE_CHECKING:
    from ..cloudformation.request import Request

STACK_TAG: Final = OWNERSHIP_TAGS[0]
LOGICAL_ID_TAG: Final = OWNERSHIP_TAGS[1]

SHARED_TAG: Final = "image-builder-distribution-provider:shared"
"""The key of the tag that marks an adopted configuration as shared."""

_UNFINISHED: Final = " unfinished"
_SHARED: Final = " shared"
_RELEASED: Final = " released to "
"""With the digest, at most 28 characters, because the stack ID can take 228 of a tag value's 256."""

Tags = Mapping[str, str]


class State(Enum):
    """The state of a configuration's ownership; see the module's docstring."""

    UNFINISHED = "unfinished"
    HANDED_OVER = "handed over"
    RELEASED = "released"


class Ownership(NamedTuple):
    """The owner and the state that a configuration's tags record. An ID is empty if its tag is missing."""

    stack_id: str
    logical_id: str
    state: State
    adopter: str = ""
    """The digest of the adopter of a released configuration."""

    @classmethod
    def of(cls, tags: Tags) -> "Ownership":
        """Parse the ownership tags."""
        stack_id, logical_id = tags.get(STACK_TAG, "").removesuffix(_SHARED), tags.get(LOGICAL_ID_TAG, "")
        if stack_id.endswith(_UNFINISHED):
            return cls(stack_id.removesuffix(_UNFINISHED), logical_id, State.UNFINISHED)
        released, separator, adopter = stack_id.rpartition(_RELEASED)
        if separator:
            return cls(released, logical_id, State.RELEASED, adopter)
        return cls(stack_id, logical_id, State.HANDED_OVER)

    @property
    def is_complete(self) -> bool:
        """Whether the configuration has both tags."""
        return bool(self.stack_id and self.logical_id)

    def __str__(self) -> str:
        """Return the owner's name for messages."""
        return f"resource {self.logical_id or 'without a logical ID'} of stack {self.stack_id or 'without an ID'}"

    def handed_over(self) -> dict[str, str]:
        """Return the tag that sets a released configuration back to handed over."""
        return {STACK_TAG: self.stack_id}

    def released_to(self, adopter: "Owner") -> dict[str, str]:
        """Return the tag that releases a configuration to its adopter."""
        return {STACK_TAG: f"{self.stack_id}{_RELEASED}{adopter.digest}"}


class Owner(NamedTuple):
    """A resource that owns, or could own, a configuration."""

    stack_id: str
    logical_id: str

    @classmethod
    def of(cls, request: "Request") -> "Owner":
        """Return the resource of a request."""
        return cls(request.stack_id, request.logical_id)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that identify this resource as an adopter."""
        return hashlib.sha256("\n".join(self).encode("utf-8", "replace")).hexdigest()[:8]

    def tags(self, state: State = State.HANDED_OVER) -> dict[str, str]:
        """Return the ownership tags of this resource's configuration in a state: unfinished or handed over."""
        suffix = _UNFINISHED if state is State.UNFINISHED else ""
        return {STACK_TAG: f"{self.stack_id}{suffix}", LOGICAL_ID_TAG: self.logical_id}

    def state_of(self, tags: Tags) -> State | None:
        """Return the state of a configuration that carries both tags of this resource; None for any other."""
        ownership = Ownership.of(tags)
        return ownership.state if (ownership.stack_id, ownership.logical_id) == self else None


def belongs_to_another(tags: Tags, owner: Owner) -> bool:
    """Return whether a configuration carries an ownership tag of another resource."""
    ownership = Ownership.of(tags)
    return ownership.stack_id not in ("", owner.stack_id) or ownership.logical_id not in ("", owner.logical_id)


def is_released_to(tags: Tags, owner: Owner) -> bool:
    """Return whether a configuration has been released to this resource."""
    ownership = Ownership.of(tags)
    return ownership.state is State.RELEASED and ownership.adopter == owner.digest


def is_shared(tags: Tags) -> bool:
    """Return whether a configuration is marked as shared."""
    return SHARED_TAG in tags or tags.get(STACK_TAG, "").endswith(_SHARED)


def shared_tags(tags: Tags, *, is_owned: bool) -> dict[str, str]:
    """Return the tag that marks a configuration as shared, which has these tags and is owned or adopted."""
    return {STACK_TAG: f"{tags[STACK_TAG]}{_SHARED}"} if is_owned else {SHARED_TAG: "true"}


def without_shared(tags: Tags) -> dict[str, str]:
    """Return the tags of a configuration without the mark."""
    kept = {key: value for key, value in tags.items() if key != SHARED_TAG}
    return kept | ({STACK_TAG: kept[STACK_TAG].removesuffix(_SHARED)} if STACK_TAG in kept else {})


def shared_without_record(arn: str) -> ProviderError:
    """Return the error about a shared configuration whose owner is not in the ledger."""
    return ProviderError(
        f"{arn} is shared with other stacks, but this provider has no record of its owner and of their parts; it was "
        "not changed",
        remediation=f"To give the parts up, run `image-builder-distribution owners {arn} --release`. To use the ledger "
        "that has them, set the provider's parameters Ledger and LedgerTableName",
    )
