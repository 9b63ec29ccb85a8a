"""Checks every call, every response, and the final state against the contract.

It parses the ownership tags itself and imports nothing of the provider. EXCEPTIONS lists what it allows, each
with the sentence of the contract that allows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provider.stack_engine.sink import CheckedResponse, Put, RejectedResponseError, read
from tests.reliability.scenarios.facts import (
    HANDED_OVER,
    OWNERSHIP_TAGS,
    Members,
    Owner,
    arn_of,
    content_in,
    content_of,
    deletes,
    is_adoption,
    is_arn,
    named_arn,
    owner_of,
    short,
    tags_of,
    target_of,
)

if TYPE_CHECKING:
    from tests.reliability.scenarios.bucket import Mailbox
    from tests.reliability.scenarios.deliveries import Delivery, Sent
    from tests.reliability.scenarios.world import World

WRITES: Final = (
    "CreateDistributionConfiguration",
    "UpdateDistributionConfiguration",
    "DeleteDistributionConfiguration",
    "TagResource",
    "UntagResource",
)
ALLOWANCE: Final = 5.0
"""Seconds between a request and a newer date, beyond which the request is a late copy."""
SEARCH_ALLOWANCE: Final = 15.0
_WHOLE_SECOND: Final = 1.0
"""X-Amz-Date has whole seconds, so that a request may look a second older than it is."""
_MILLISECOND: Final = 0.001
"""Dates have milliseconds."""
RECREATION_SECONDS: Final = 65.0

EXCEPTIONS: Final = {
    "retained": "Ownership 2: However a configuration was retained (`OnDelete`, `DeletionPolicy`, "
    "`UpdateReplacePolicy`, a cleanup that failed because a pipeline used it, a skipped rollback)",
    "lost response": "Unfinished 4: A response that never arrives does not undo the handover",
    "no tags": "Ownership 5: without any, or half of them, it skips the configuration with a warning",
    "another owner": "Ownership 5: It also skips an adopted configuration that carries another owner's tags",
    "released": "Ownership 5: the previous owner's Delete then skips the configuration with a warning",
    "created since": "Late copies: SUCCESS if the live configuration was created since",
    "denied": "Unfinished 2: AccessDenied ... counts as not found, with a warning, if the ID is generated",
    "forgotten token": "Late copies: once it has forgotten the token, the dates decide. "
    "If nothing is live, there is no date to compare",
}


@dataclass
class Record:
    """The oracle's record of one configuration, from its creation to its deletion.

    `creator` is the number of the request that created it, 0 for other people's. `content` is what it should contain;
    None if that is not known. It is `named` by a SUCCESS, and `accepted` once CloudFormation reads that.
    """

    arn: str
    creator: int
    created: float
    writer: int
    written: float
    content: Members | None
    other_tags: dict[str, str] = field(default_factory=dict)
    named: bool = False
    accepted: bool = False
    adopters: set[tuple[str, str]] = field(default_factory=set)
    excuses: set[str] = field(default_factory=set)
    changes: dict[int, float] = field(default_factory=dict)
    """The numbers of the requests that changed it, with dates; 0 is other people."""
    removed: float = 0.0
    remover: int = 0


class Oracle:
    """Collects violations of the contract in one world."""

    def __init__(self, world: World) -> None:
        self.violations: list[str] = []
        self.records: dict[str, Record] = {}
        self._world = world
        self._before: dict[str, dict[str, Any]] = {}
        self._deleted: list[Record] = []
        self._touched: dict[tuple[int, str], float] = {}
        self._read: dict[tuple[int, str], float] = {}

    # Changes by other people

    def other_person_created(self, arn: str) -> None:
        """Another person created a configuration."""
        live = self._world.configurations[arn]
        now = self._world.clock.time()
        tags = {key: value for key, value in live["tags"].items() if key not in OWNERSHIP_TAGS}
        self.records[arn] = Record(arn, 0, now, 0, now, content_in(live), tags, changes={0: now})

    def other_person_deleted(self, arn: str) -> None:
        """Another person deleted a configuration."""
        self._record_deletion(arn, 0)

    def other_person_changed(self, arn: str) -> None:
        """Another person changed a configuration's content or tags."""
        record, live = self.records[arn], self._world.configurations[arn]
        content = content_in(live)
        if content != record.content:
            record.writer, record.written = 0, self._world.clock.time()
        record.content = content
        record.changes[0] = self._world.clock.time()
        record.other_tags |= {key: value for key, value in live["tags"].items() if key.startswith("other")}
        if owner_of(live["tags"]) is None:
            record.excuses.add("no tags")

    def excuse(self, arn: str, reason: str) -> None:
        """Allow a configuration with this ARN to remain at the end."""
        assert reason in EXCEPTIONS
        if arn in self.records:
            self.records[arn].excuses.add(reason)

    # Records of CloudFormation

    def recorded(self, sent: Sent, succeeded: bool, physical_id: str) -> None:
        """CloudFormation has accepted a response."""
        record = self.records.get(physical_id)
        if record is None:
            return
        if sent.kind == "Delete":
            self._excuse_retained(sent, record)
        elif succeeded:
            record.accepted = record.accepted or not is_adoption(sent.properties)
            if record.writer == sent.number or record.written <= sent.date:
                record.content = content_of(sent.properties)

    def no_response(self, sent: Sent) -> None:
        """CloudFormation gets no response, so the right content of the configurations is unknown."""
        self.unsettled(target_of(sent.properties))
        self.unsettled(sent.physical_id)

    def unsettled(self, arn: str) -> None:
        """The right content of the configuration is unknown."""
        if arn in self.records:
            self.records[arn].content = None

    def _excuse_retained(self, sent: Sent, record: Record) -> None:
        """A Delete was accepted, but its configuration still exists."""
        owner = owner_of(self._world.configurations[record.arn]["tags"])
        if not deletes(sent.properties):
            record.excuses.add("retained")
        if owner is None:
            record.excuses.add("no tags")
        elif owner.is_released:
            record.excuses.add("released")

    # Calls

    def before_call(self, delivery: Delivery, operation: str, parameters: Mapping[str, Any]) -> None:
        """A call is about to take effect."""
        arn = _arn_in(parameters)
        if arn and tuple(arn.split(":")[3:5]) != delivery.place:
            self._report(delivery.sent, arn, [f"g: {operation} went to {delivery.place}"])
        if operation in WRITES:
            self._before = self._world.configurations

    def after_call(self, delivery: Delivery, operation: str, parameters: Mapping[str, Any]) -> None:
        """A call has taken effect."""
        arn = _arn_in(parameters) or arn_of(parameters.get("name", ""), *delivery.place)
        now = self._world.clock.time()
        self._touched[delivery.number, arn] = now
        if operation == "GetDistributionConfiguration":
            self._read[delivery.number, arn] = now
        if operation not in WRITES:
            return
        before, after = self._before.get(arn), self._world.configurations.get(arn)
        if before == after:
            return
        sent = delivery.sent
        if before is None and after is not None:
            self._report(sent, arn, self._check_creation(delivery, arn, after))
            self.records[arn] = Record(arn, sent.number, now, sent.number, now, None)
        elif before is not None and after is None:
            self._report(sent, arn, self._check_deletion(delivery, arn, before))
            self._record_deletion(arn, sent.number)
        elif before is not None and after is not None and operation.startswith("Update"):
            self._report(sent, arn, self._check_update(delivery, arn, before))
            self._record_write(sent, self.records[arn])
        elif before is not None and after is not None:
            self._report(sent, arn, self._check_tags_change(delivery, arn, before["tags"], after["tags"]))
        if arn in self.records:
            self.records[arn].changes[sent.number] = now

    def _record_deletion(self, arn: str, remover: int) -> None:
        record = self.records.pop(arn)
        record.removed, record.remover = self._world.clock.time(), remover
        self._deleted.append(record)

    def _record_write(self, sent: Sent, record: Record) -> None:
        if sent.open or record.written <= sent.date + ALLOWANCE + _MILLISECOND:
            record.content = None
        record.writer, record.written = sent.number, self._world.clock.time()

    def _check_creation(self, delivery: Delivery, arn: str, live: Mapping[str, Any]) -> Iterator[str]:
        sent = delivery.sent
        yield from self._check_deadline(delivery)
        if sent.kind == "Delete":
            yield "b: a Delete created a configuration"
        if is_adoption(sent.properties) or target_of(sent.properties) != arn:
            yield "b: it created a configuration that its properties do not name"
        owner = owner_of(live["tags"])
        if owner is None or not owner.is_resource(*sent.resource) or not owner.is_unfinished:
            yield f"b: a new configuration is not unfinished: {owner}"
        if sent.kind == "Update" and is_arn(sent.physical_id) and delivery.age > RECREATION_SECONDS:
            yield from self._check_recreation(delivery, arn)
        for record in self._deleted:
            mine = record.arn == arn and record.creator == sent.number != record.remover
            if mine and record.created > self._world.tokens_forgotten_at:
                yield "d: it created a configuration again that had been deleted during the request"

    def _check_recreation(self, delivery: Delivery, arn: str) -> Iterator[str]:
        known = self.records.get(delivery.sent.physical_id)
        if arn == delivery.sent.physical_id:
            yield "d: an Update older than one minute recreated its configuration"
        elif known is None:
            yield "d: a rename older than one minute created one, although the renamed configuration does not exist"
        elif self._is_newer(known, delivery):
            yield "d: a rename older than one minute created one, although the renamed configuration is newer"

    def _check_update(self, delivery: Delivery, arn: str, before: Mapping[str, Any]) -> Iterator[str]:
        sent = delivery.sent
        yield from self._check_deadline(delivery)
        record, owner = self.records[arn], owner_of(before["tags"])
        if sent.kind == "Delete":
            yield "b: a Delete changed content"
        if target_of(sent.properties) != arn:
            yield "b: it overwrote a configuration that its properties do not name"
        if self._is_newer(record, delivery):
            yield f"d: it overwrote content that is {record.written - sent.date:.1f} s newer than the request"
        if not is_adoption(sent.properties) and self._sees_current_state(delivery, arn, self._read):
            yield from self._check_may_write(sent, record, owner)

    def _check_may_write(self, sent: Sent, record: Record, owner: Owner | None) -> Iterator[str]:
        """Yield a violation if an Update call must not change the configuration that its request specifies by name."""
        stays = sent.physical_id == record.arn
        if owner is None:
            if not stays:
                yield "b: it overwrote a configuration without ownership tags"
        elif not owner.is_resource(*sent.resource):
            if not (stays and owner.is_released and sent.resource in record.adopters):
                yield f"b: it overwrote a configuration of {owner}"
        elif sent.kind == "Create" and owner.state == HANDED_OVER and record.writer != sent.number:
            yield "b: a Create overwrote a handed-over configuration"

    def _check_deletion(self, delivery: Delivery, arn: str, before: Mapping[str, Any]) -> Iterator[str]:
        sent = delivery.sent
        record, owner = self.records[arn], owner_of(before["tags"])
        own = owner is not None and owner.is_resource(*sent.resource)
        if own and owner is not None and owner.is_unfinished and not record.named:
            if sent.kind == "Delete" and self._is_newer(record, delivery, SEARCH_ALLOWANCE):
                yield "b: a late Delete deleted a configuration that was created since"
            return
        yield from self._check_deadline(delivery)
        if not self._sees_current_state(delivery, arn, self._read):
            return  # someone changed it between the read and the Delete
        if sent.kind != "Delete":
            yield f"b: {'an' if sent.kind == 'Update' else 'a'} {sent.kind} deleted a handed-over configuration"
        elif sent.physical_id != arn:
            yield "b: a Delete of another physical ID deleted a handed-over configuration"
        else:
            yield from self._check_deletion_by_arn(delivery, record, owner)

    def _check_deletion_by_arn(self, delivery: Delivery, record: Record, owner: Owner | None) -> Iterator[str]:
        sent = delivery.sent
        own = owner is not None and owner.is_resource(*sent.resource)
        if self._is_newer(record, delivery):
            yield "b: a late Delete deleted a configuration that was changed since"
        if not deletes(sent.properties):
            yield "b: it deleted a configuration that OnDelete retains"
        if is_adoption(sent.properties):
            if owner is not None and not own:
                yield f"b: an adopter deleted a configuration of {owner}"
        elif owner is None or not own or owner.is_released:
            yield f"b: it deleted a configuration that it does not own: {owner}"

    def _check_tags_change(
        self, delivery: Delivery, arn: str, before: Mapping[str, str], after: Mapping[str, str]
    ) -> Iterator[str]:
        sent = delivery.sent
        yield from self._check_deadline(delivery)
        keys = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        given = tags_of(sent.properties).keys() | tags_of(sent.old_properties).keys()
        if unexpected := keys - given - set(OWNERSHIP_TAGS):
            yield f"e: it changed other people's tags: {sorted(unexpected)}"
        old, new = owner_of(before), owner_of(after)
        if old == new or (old is not None and old.is_resource(*sent.resource)):
            return
        record = self.records[arn]
        if is_adoption(sent.properties) and target_of(sent.properties) == arn:
            if new is None or old is None or old[:2] != new[:2]:
                yield f"b: an adoption changed the owner from {old} to {new}"
            return
        if old is not None and new is not None and old[:2] == new[:2] and sent.kind == "Update":
            return  # it hands back a configuration that it had adopted
        released = old is not None and old.is_released and sent.resource in record.adopters
        if old is not None and not released:
            yield f"b: it changed the owner from {old} to {new}"

    def _check_deadline(self, delivery: Delivery) -> Iterator[str]:
        if delivery.called > delivery.sent.date + delivery.sent.timeout:
            yield "d: it changed something after CloudFormation had stopped waiting"

    def _is_newer(self, record: Record, delivery: Delivery, allowance: float = ALLOWANCE) -> bool:
        """Return whether the configuration was written after the request, as the delivery could see from a date."""
        last_read = self._read.get((delivery.number, record.arn), delivery.started) - self._world.lag
        newer = record.written > delivery.sent.date + allowance + _MILLISECOND
        return newer and record.writer != delivery.sent.number and record.written <= max(last_read, delivery.started)

    # Responses

    def response(self, delivery: Delivery, mailbox: Mailbox, body: bytes) -> None:
        """A response arrives at its URL."""
        sent = delivery.sent
        if mailbox is not sent.mailbox:
            self._report(sent, "", ["a: it responded to another request"])
        try:
            response = read(Put(body, ""), sent.event)
        except RejectedResponseError as error:
            self._report(sent, "", [f"a: malformed response: {error}"])
            return
        self._world.note(f"    #{sent.number}: {_shown(response)}")
        self._report(sent, response.physical_id, self._check_response(delivery, response))
        if response.succeeded:
            sent.first_success = sent.first_success or response.physical_id
        if response.succeeded and sent.kind != "Delete" and response.physical_id in self.records:
            record = self.records[response.physical_id]
            record.named = True
            if is_adoption(sent.properties):
                record.adopters.add(sent.resource)

    def after_delivery(self, delivery: Delivery) -> None:
        """A delivery has ended normally."""
        if len(delivery.bodies) != 1:
            self._report(delivery.sent, "", [f"a: {len(delivery.bodies)} responses of one delivery"])

    def _check_response(self, delivery: Delivery, response: CheckedResponse) -> Iterator[str]:
        sent = delivery.sent
        if not response.succeeded:
            if sent.kind == "Create" and is_arn(response.physical_id):
                yield "a: a FAILED Create returned an ARN"
            if sent.kind != "Create" and response.physical_id != sent.physical_id:
                yield "a: a FAILED response changes the physical ID"
            if not sent.last_resort:
                yield from self._check_failure(delivery)
            return
        if "Descripton" in sent.properties and sent.kind != "Delete":
            yield "f: SUCCESS with a misspelled property"
        if sent.first_success and sent.first_success != response.physical_id:
            yield "a: a repeated delivery returned another physical ID"
        if sent.kind == "Delete":
            yield from self._check_deleted(delivery, response)
        else:
            yield from self._check_live(delivery, response)

    def _check_failure(self, delivery: Delivery) -> Iterator[str]:
        """Yield a violation if a request fails without a cause."""
        sent = delivery.sent
        arn = target_of(sent.properties)
        record = self.records.get(arn)
        if sent.first_success and sent.kind != "Delete" and record and self._is_untouched(delivery, record):
            yield "a: a retry fails although nothing has changed since the first SUCCESS"
        if delivery.undisturbed and sent.deliveries == 1 and "Descripton" not in sent.properties:
            possible = self._why_deletable(delivery) if sent.kind == "Delete" else self._why_possible(delivery, arn)
            if possible:
                yield f"f: FAILED, but {possible}"

    def _is_untouched(self, delivery: Delivery, record: Record) -> bool:
        """Return whether a retry finds the result of its first attempt, and the service knows the token."""
        in_time = delivery.age < delivery.sent.timeout - 60
        remembered = record.written > self._world.tokens_forgotten_at
        return in_time and remembered and record.changes.keys() == {delivery.sent.number}

    def _why_possible(self, delivery: Delivery, arn: str) -> str:
        """Return why a Create or Update can succeed; empty if it cannot."""
        sent, live = delivery.sent, delivery.found.get(arn)
        if is_adoption(sent.properties):
            return "the adopted configuration exists" if live else ""
        if live is None:
            return "no configuration has the name"
        owner, stays = owner_of(live["tags"]), sent.physical_id == arn
        if owner is None:
            return "no other resource owns its configuration" if stays else ""
        own = owner.is_resource(*sent.resource)
        if own and (stays or owner.is_unfinished):
            return "it owns the configuration"
        if own and is_arn(sent.physical_id) and not owner.is_released:
            return "it can own its former configuration again"
        return ""

    def _why_deletable(self, delivery: Delivery) -> str:
        """Return why a Delete can succeed."""
        sent = delivery.sent
        if self._world.is_used(sent.physical_id):
            return ""
        record = self.records.get(sent.physical_id)
        return "" if record and self._is_newer(record, delivery) else "nothing prevents the deletion"

    def _check_live(self, delivery: Delivery, response: CheckedResponse) -> Iterator[str]:
        sent, arn = delivery.sent, response.physical_id
        if arn != target_of(sent.properties):
            yield f"f: SUCCESS with {short(arn)}"
            return
        live = self._world.configurations.get(arn)
        if live is None:
            if self._sees_current_state(delivery, arn, self._touched):
                yield "f: SUCCESS, but the configuration does not exist"
            return
        if not self._sees_current_state(delivery, arn, self._read) or self._overlaps(delivery, arn):
            return
        if not sent.open and not self._is_newer(self.records[arn], delivery):
            return  # CloudFormation ignores the response, and within the allowance it is not recognized as late
        if content_in(live) != content_of(sent.properties):
            yield f"f: SUCCESS, but the content is {content_in(live)}"
        yield from _check_attributes(live, response)
        if not sent.open:
            return  # Limits: dates do not reveal copies that change only tags
        if missing := {k: v for k, v in tags_of(sent.properties).items() if live["tags"].get(k) != v}:
            yield f"f: SUCCESS, but tags are missing: {missing}"
        yield from _check_owner(sent, owner_of(live["tags"]))

    def _check_deleted(self, delivery: Delivery, response: CheckedResponse) -> Iterator[str]:
        sent = delivery.sent
        arn = response.physical_id if is_arn(response.physical_id) else named_arn(sent.properties)
        live = self._world.configurations.get(arn)
        if live is None or not self._sees_current_state(delivery, arn, self._touched):
            return
        record, owner = self.records[arn], owner_of(live["tags"])
        own = owner is not None and owner.is_resource(*sent.resource)
        if not is_arn(response.physical_id):
            denied = "DENIED" in delivery.met
            left = own and owner is not None and owner.is_unfinished and not record.named
            if left and not denied and record.created <= sent.date + SEARCH_ALLOWANCE - _WHOLE_SECOND:
                yield "f: SUCCESS, but an unfinished configuration is left"
        elif deletes(sent.properties) and record.created <= sent.date + ALLOWANCE - _WHOLE_SECOND:
            must_delete = owner is not None and own and not owner.is_released
            if must_delete:
                yield "f: SUCCESS, but the configuration still exists"

    def _sees_current_state(self, delivery: Delivery, arn: str, reads: Mapping[tuple[int, str], float]) -> bool:
        """Return whether the delivery could know the current state: no other request changed it after the read."""
        record, last_read = self.records.get(arn), reads.get((delivery.number, arn))
        changes = record.changes if record else self._last_deletion(arn)
        others = [when for who, when in changes.items() if who != delivery.sent.number]
        return last_read is None or all(when <= last_read - self._world.lag for when in others)

    def _overlaps(self, delivery: Delivery, arn: str) -> bool:
        """Whether another request changed the configuration while the delivery ran. Limits: that takes two calls."""
        changes = self.records[arn].changes if arn in self.records else {}
        return any(who not in (0, delivery.sent.number) and when >= delivery.started for who, when in changes.items())

    def _last_deletion(self, arn: str) -> dict[int, float]:
        """Return the number and the time of the request that last deleted a configuration with this ARN."""
        return next(({each.remover: each.removed} for each in reversed(self._deleted) if each.arn == arn), {})

    # States

    def at_rest(self) -> None:
        """Check contents and other people's tags while no request runs."""
        for arn, live in self._world.configurations.items():
            record = self.records[arn]
            if record.content is not None and content_in(live) != record.content:
                self.violations.append(f"d: {short(arn)} has {content_in(live)}, recorded is {record.content}")
            lost = {key: value for key, value in record.other_tags.items() if live["tags"].get(key) != value}
            if lost:
                self.violations.append(f"e: {short(arn)} has lost other people's tags {lost}")

    def at_end(self) -> None:
        """Check that nothing is left without an excuse after all stacks are deleted."""
        for arn, live in self._world.configurations.items():
            record, owner = self.records[arn], owner_of(live["tags"])
            has_no_response = owner is not None and not owner.is_unfinished and not record.accepted
            if record.creator and not record.excuses and not has_no_response:
                self.violations.append(f"c: {short(arn)}, created by #{record.creator}, is orphaned; {owner}")

    def _report(self, sent: Sent, arn: str, problems: Iterator[str] | list[str]) -> None:
        for problem in problems:
            self._world.note(f"    *** {problem}")
            self.violations.append(f"{problem} ({short(arn)}; {sent})")


def _arn_in(parameters: Mapping[str, Any]) -> str:
    return str(parameters.get("distributionConfigurationArn") or parameters.get("resourceArn") or "")


def _check_owner(sent: Sent, owner: Owner | None) -> Iterator[str]:
    own = owner is not None and owner.is_resource(*sent.resource)
    if not is_adoption(sent.properties):
        if not own or owner is None or owner.state != HANDED_OVER:
            yield f"f: SUCCESS, but the owner is {owner}"
    elif own:
        yield "f: SUCCESS of an adoption, but it carries the adopter's ownership tags"
    elif owner is not None and sent.physical_id != target_of(sent.properties) and not owner.is_released:
        yield f"f: SUCCESS of an adoption, but it is not released: {owner}"


def _check_attributes(live: Mapping[str, Any], response: CheckedResponse) -> Iterator[str]:
    data = response.data
    regions = {each["region"] for each in live["distributions"]}
    truth = {"Arn": live["arn"], "DistributionConfigurationArn": live["arn"], "Name": live["name"]}
    for name, value in truth.items():
        if data.get(name) != value:
            yield f"f: the attribute {name} is {data.get(name)!r}"
    if set(str(data.get("Regions", "")).split(",")) != regions:
        yield f"f: the attribute Regions is {data.get('Regions')!r}"


def _shown(response: CheckedResponse) -> str:
    if response.succeeded:
        return f"SUCCESS {short(response.physical_id)}"
    return f"FAILED {short(response.physical_id)}: {response.reason[:230]}"
