"""The record of a part, and its transitions. Pure: times are arguments.

A part is what one resource requests of a configuration. It is proposed until it is settled: accepted or rejected. Until
then, and after a rejection, the accepted body counts. A withdrawn part leaves a tombstone for a day.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from ..errors import ProviderError
from ..resources.ownership import Owner
from ..schema.account_sources import source_entries, with_accounts
from ..schema.model import IGNORED, distribution_configuration

if TYPE_CHECKING:
    from ..cloudformation.request import Request, RequestType

MAX_PACKED: Final = 180 * 1024
"""Bytes of a packed body, so that an accepted and a proposed one fit into an item, which may have 400 KB."""
_MAX_PREVIOUS: Final = 30 * 1024
"""Bytes of the packed sources of the previous body, which must fit, too."""
TOMBSTONE_SECONDS: Final = 86_400.0


class Revision(NamedTuple):
    """Which request came last: when it was made, in seconds since the epoch, and its ID."""

    date: float
    request_id: str


class Event(NamedTuple):
    """What the ledger needs of a request. `end` is when CloudFormation stops waiting for the response (epoch seconds).

    `is_owner` distinguishes a configuration resource from a contribution. `is_adoption` is whether it takes the
    configuration over from its owner.
    """

    owner: Owner
    revision: Revision
    request_type: "RequestType"
    end: float
    physical_id: str = ""
    is_owner: bool = False
    is_adoption: bool = False

    @classmethod
    def of(cls, request: "Request", *, is_owner: bool, physical_id: str = "") -> "Event":
        """Return the event of a request. `physical_id` is the one that a successful response will have."""
        return cls(
            Owner.of(request),
            Revision(request.date, request.request_id),
            request.request_type,
            request.end,
            physical_id or request.physical_id,
            is_owner,
        )

    @property
    def is_delete(self) -> bool:
        """Whether the event withdraws the part."""
        return self.request_type == "Delete"


class Body(NamedTuple):
    """What a resource requests. `wanted` is content by the API's names, whose lists of accounts may contain sources.

    `contributions` are an owner's paths for parts of others, as the user wrote them; empty if there are none.
    `resolved` has the accounts of each source, by `source_id`. `properties` identifies the resource's properties.
    `role` is the ARN of an owner's role; empty if it has none. `held` has accounts that sources no longer contain, by
    `source_id`: too many went at once, so they count until they are confirmed.
    """

    wanted: Mapping[str, Any]
    contributions: tuple[str, ...] = ()
    resolved: Mapping[str, list[str]] = {}
    properties: str = ""
    role: str = ""
    held: Mapping[str, list[str]] = {}

    @property
    def content(self) -> dict[str, Any]:
        """The content with the accounts of the sources instead of the sources."""
        schema = distribution_configuration()
        accounts = {path: self.resolved[source_id(entry)] for path, entry in source_entries(self.wanted, schema)}
        return with_accounts(self.wanted, schema, accounts) if accounts else dict(self.wanted)

    def pack(self) -> bytes:
        """Return the body as compressed JSON. Raises ProviderError if it is larger than 180 KB."""
        packed = _pack(self._asdict())
        if len(packed) > MAX_PACKED:
            raise ProviderError(
                f"the properties take {len(packed) // 1024} KB of the ledger when compressed; at most 180 KB fit",
                remediation="Shorten the properties, for example with organizational units instead of account IDs",
            )
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Return the body that was packed."""
        fields = _unpack(packed)
        return cls(**{**fields, "contributions": tuple(fields["contributions"])})


def fingerprint(properties: Mapping[str, Any]) -> str:
    """Return what identifies a resource's properties, as CloudFormation delivers them, without its own ones."""
    given = {name: value for name, value in properties.items() if name not in IGNORED}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def source_id(source: Mapping[str, Any]) -> str:
    """Return the key of a source in `Body.resolved`."""
    return json.dumps(source, sort_keys=True, separators=(",", ":"))


def _pack(fields: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode(), 9)


def _unpack(packed: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(zlib.decompress(packed))
    return fields


class Part(NamedTuple):
    """The record of one part. Bodies are packed.

    `revision` is the last request's, and `seen` has the IDs of all requests at its time. `is_deletion` is whether that
    request is a Delete. `created` is the date of the Create. `end` is when nobody waits for the proposal anymore.
    `rejection` is the reason why the last request's proposal was rejected, and `is_rolled_back` whether that request
    failed for another reason, so that another delivery of it may try again. `token` and `call` are the client token and
    the API's request ID of the write that made the accepted body live; empty if none was needed.

    `role` is the role of the last proposal, with which to reach what a failed Create left behind. `rank` orders the
    owners of a configuration: only the body of the highest one counts. `is_retained` is whether the
    owner is gone, and its content stays. `is_adoption` is whether the last request takes the configuration over from
    its owner. `expires` is when the record of a withdrawn part is no longer needed.
    `version` counts the changes of the record.
    """

    arn: str
    owner: Owner
    is_owner: bool
    revision: Revision
    seen: tuple[str, ...]
    is_deletion: bool
    created: float
    end: float = 0.0
    accepted: bytes | None = None
    proposed: bytes | None = None
    is_removing: bool = False
    previous: bytes | None = None
    rejection: str = ""
    is_rolled_back: bool = False
    token: str = ""
    call: str = ""
    physical_id: str = ""
    role: str = ""
    rank: int = 0
    is_retained: bool = False
    is_adoption: bool = False
    expires: float | None = None
    version: int = 0

    @property
    def is_newcomer(self) -> bool:
        """Whether a proposal or a withdrawal is not settled yet."""
        return self.proposed is not None or self.is_removing

    @property
    def is_live(self) -> bool:
        """Whether there is anything of this part: an accepted body, or a proposal."""
        return self.accepted is not None or self.is_newcomer

    @property
    def size(self) -> int:
        """About how many bytes the item takes."""
        bodies = sum(len(body or b"") for body in (self.accepted, self.proposed, self.previous))
        return bodies + sum(map(len, (*self.seen, self.arn, *self.owner, self.rejection))) + 500

    def accepted_body(self) -> Body | None:
        """Return the accepted body."""
        return None if self.accepted is None else Body.unpack(self.accepted)

    def proposed_body(self) -> Body | None:
        """Return the proposed body."""
        return None if self.proposed is None else Body.unpack(self.proposed)


class Order(Enum):
    """How an event relates to the record of its part."""

    NEWER = "newer"
    SAME = "same"
    OLDER = "older"


def compare(part: Part | None, event: Event) -> Order:
    """Return whether an event is newer than the last one that the record shows, the same one, or older.

    At equal times, the first arrival of the later one wins, a copy of one that was seen never replaces another, and a
    Delete wins over a Create or Update.
    """
    if part is None or event.revision.date > part.revision.date:
        return Order.NEWER
    if event.revision == part.revision:
        return Order.SAME
    if event.revision.date < part.revision.date or event.revision.request_id in part.seen:
        return Order.OLDER
    return Order.OLDER if part.is_deletion and not event.is_delete else Order.NEWER


def propose(part: Part | None, arn: str, event: Event, body: Body) -> Part:
    """Record a proposal of a newer event."""
    packed = body.pack()
    return _received(part, arn, event)._replace(proposed=packed, is_removing=False, expires=None, role=body.role)


def withdraw(part: Part | None, arn: str, event: Event, now: float) -> Part:
    """Record a newer event's Delete. If there is nothing of the part, the record is a tombstone at once."""
    received = _received(part, arn, event)
    if part is None or not part.is_live:
        return bury(received, now)
    return received._replace(proposed=None, is_removing=True, expires=None)


def _received(part: Part | None, arn: str, event: Event) -> Part:
    """Return the record with the revision of a newer event."""
    date, request_id = event.revision
    if part is None:
        seen: tuple[str, ...] = ()
        part = Part(arn, event.owner, event.is_owner, event.revision, (), event.is_delete, created=date)
    else:
        seen = part.seen if part.revision.date == date else ()
        is_new = event.request_type == "Create" or not part.is_live
        part = part._replace(created=part.created if event.is_delete or not is_new else date)
    return part._replace(
        revision=event.revision,
        seen=(*seen, request_id),
        is_deletion=event.is_delete,
        is_owner=event.is_owner or (part.is_owner and part.is_live),
        is_adoption=event.is_adoption,
        end=event.end,
        rejection="",
        is_rolled_back=False,
        physical_id=event.physical_id or part.physical_id,
    )


def accept(part: Part, now: float, token: str = "", call: str = "", rank: int | None = None) -> Part:
    """Settle a proposal as accepted. A withdrawn part becomes a tombstone."""
    if part.is_removing:
        return bury(part, now)
    return part._replace(
        accepted=part.proposed,
        proposed=None,
        previous=_sources(part),
        rejection="",
        token=token,
        call=call,
        rank=part.rank if rank is None else rank,
        is_retained=False,
        expires=None,
    )


def _sources(part: Part) -> bytes | None:
    """Return the sources of the accepted body, which becomes the previous one. A rollback may need them."""
    body, proposed = part.accepted_body(), part.proposed_body()
    if body is None or proposed is None or body.properties == proposed.properties:
        return part.previous
    if not body.resolved:
        return None
    packed = Body({}, resolved=body.resolved, properties=body.properties).pack()
    return packed if len(packed) <= _MAX_PREVIOUS else None


def reject(part: Part, reason: str, now: float) -> Part:
    """Settle a proposal as rejected: the accepted body stays in effect."""
    return _without_proposal(part, now)._replace(rejection=reason)


def roll_back(part: Part, now: float) -> Part:
    """Withdraw a proposal that is not settled, because its request fails. The accepted body stays in effect."""
    return _without_proposal(part, now)._replace(is_rolled_back=True)


def _without_proposal(part: Part, now: float) -> Part:
    kept = part._replace(proposed=None, is_removing=False)
    return kept if kept.accepted is not None else kept._replace(expires=now + TOMBSTONE_SECONDS)


def retain(part: Part) -> Part:
    """Keep an owner's content after the owner is gone, because others have parts."""
    return part._replace(proposed=None, is_removing=False, is_retained=True)


def bury(part: Part, now: float) -> Part:
    """Return the tombstone of a part: its revision, for a day."""
    return part._replace(
        accepted=None,
        proposed=None,
        is_removing=False,
        previous=None,
        rejection="",
        is_rolled_back=False,
        is_retained=False,
        expires=now + TOMBSTONE_SECONDS,
    )


def is_expired(part: Part, now: float) -> bool:
    """Return whether a record is no longer needed. DynamoDB deletes expired items days late."""
    return part.expires is not None and part.expires <= now


def has_lapsed(part: Part, now: float) -> bool:
    """Return whether nobody waits for a proposal anymore, so that it must not be combined."""
    return part.is_newcomer and part.end <= now


def recorded(part: Part, properties: str) -> Mapping[str, list[str]] | None:
    """Return the recorded accounts of sources, if the accepted body or the previous one has these properties."""
    for packed in (part.accepted, part.previous):
        if packed is not None and (body := Body.unpack(packed)).properties == properties and body.resolved:
            return body.resolved
    return None
