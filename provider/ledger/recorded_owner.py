"""The requests of a configuration resource, recorded in the ledger.

The content goes through the ledger like any other part. Everything else (ownership, tags, creating, deleting) is
reconciled as without the ledger. A Create and a Delete hold the lease, so that no newcomer is settled in between.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..arn import is_configuration_arn, with_name
from ..errors import Outcome, ProviderError
from ..marker import CreationStatus, status_in
from ..plan import Configuration, NeedsRead, Plan, Target, UpdateConfiguration, WriteResult
from ..reconciler.reconcile import derived_token
from ..resources.ownership import Owner, State
from ..schema.model import (
    CONTRIBUTIONS,
    DELETE,
    NAME,
    ON_DELETE,
    RETAIN,
    ROLE,
    TARGET,
    content_members,
    pascal_case,
)
from .claims import Content, are_equal, digest
from .combine import LeaseTooShort, account_of, combine, effective_owner
from .merge import judge, named
from .participate import check_not_replaced, give_up, hold, participate, record, settled
from .parts import Body, Event, Order, Part, accept, bury, compare, fingerprint, has_lapsed, retain, withdraw
from .store import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..cloudformation.request import Request
    from ..reconciler.reconcile import OnSuccess, Reconciliation
    from ..resources.interface import ResourceType
    from ..resources.locations import Locations
    from .combine import Ledger
    from .participate import WithSources
    from .sharing import RecordedAdapter
    from .store import Lease

_NAMED = 5
"""How many parts a message names."""
_Result = tuple[Configuration | None, WriteResult | None]


class OwnerRequest:
    """One request of a configuration resource. `desired` and `old` are its properties by the API's names.

    `reconcile` returns the reconciliation of a request with some properties, as without the ledger. `with_sources`
    returns a body with the accounts of its sources.
    """

    def __init__(
        self,
        request: "Request",
        desired: Mapping[str, Any],
        old: Mapping[str, Any],
        resource_type: "ResourceType",
        locations: "Locations",
        adapter: "RecordedAdapter",
        ledger: "Ledger",
        reconcile: "Callable[[Request, Mapping[str, Any]], Reconciliation]",
        with_sources: "WithSources",
    ) -> None:
        self._request, self._desired, self._old = request, desired, old
        self._type, self._locations, self._api = resource_type, locations, adapter
        self._ledger, self._store, self._reconcile = ledger, ledger.store, reconcile
        self._with_sources = with_sources
        self._owner = Owner.of(request)
        self._reconciliation = reconcile(request, desired)
        self._restored = ""
        self._on_success: OnSuccess = lambda *_: None
        self._arn = self._target_arn()
        event = Event.of(request, is_owner=True, physical_id=self._arn)
        self._event = event._replace(is_adoption=self._is_new_adoption())

    def run(self, on_success: "OnSuccess") -> _Result:
        """Execute the request. Returns the observed state and the last write. Raises ProviderError.

        `on_success` gets the same once the request has succeeded, before what a failed one left behind is withdrawn.
        """
        self._on_success = on_success
        try:
            return self._delete() if self._request.request_type == "Delete" else self._create_or_update()
        except LeaseLost:
            raise ProviderError(
                f"the ledger's lease of {self._arn} expired during this request",
                remediation="Deploy again; if it happens again, increase the provider's Timeout",
            ) from None

    def clean_up(self) -> str:
        """Undo what a failed request did besides its part. Returns a text about it for the reason."""
        return ". ".join(filter(None, (self._reconciliation.clean_up(), self._restored)))

    def failure_id(self, error: ProviderError) -> str:
        """Return the physical ID of a FAILED response."""
        return self._reconciliation.failure_id(error)

    # create and update

    def _create_or_update(self) -> _Result:
        part = self._store.part(self._arn, self._owner)
        order = compare(part, self._event)
        if order is Order.OLDER:
            check_not_replaced(part, self._event)
        self._reject_if_superseded()
        self._reject_rename()
        before: Configuration | None = None
        if order is Order.NEWER or not _is_settled(part):
            before = self._preview(part).subject
            if before is None or self._owner.state_of(before.tags) is State.UNFINISHED:
                return self._create()
        try:
            part = participate(self._ledger, self._arn, self._event, self._body, self._with_sources)
        except ProviderError as error:
            if error.outcome is not Outcome.NOT_FOUND:
                raise
            return self._create()  # reads still showed it
        return self._finish_or_restore(part, before)

    def _finish_or_restore(self, part: Part, before: Configuration | None) -> _Result:
        """Finish. If a new adoption fails there, restore the content from before it, and raise ProviderError."""
        try:
            return self._finish(part)
        except ProviderError:
            if before is not None and self._request.physical_id != self._arn:
                self._restored = self._restore(before)
            raise

    @property
    def _body(self) -> Body:
        wanted = {name: self._desired[name] for name in content_members() if name in self._desired}
        contributions = tuple(self._desired.get(CONTRIBUTIONS, ()))
        properties, role = fingerprint(self._request.properties), str(self._desired.get(ROLE, ""))
        return Body(wanted, contributions, properties=properties, role=role)

    def _target_arn(self) -> str:
        """Return the ARN of the configuration that the properties name; the physical ID if they name none."""
        target, name, physical_id = self._desired.get(TARGET), self._desired.get(NAME), self._request.physical_id
        if self._request.request_type == "Delete" and is_configuration_arn(physical_id):
            return physical_id
        if isinstance(target, str):
            return target
        if not isinstance(name, str):
            return physical_id
        place = self._locations.desired
        is_named = is_configuration_arn(physical_id) and with_name(physical_id, name) == physical_id
        return physical_id if is_named and (place.contains(physical_id) or not place.is_verified) else place.arn(name)

    def _reject_if_superseded(self) -> None:
        """Raise ProviderError if another resource has adopted the configuration since this one was settled."""
        if self._request.physical_id != self._arn or self._is_new_adoption():
            return
        owner = effective_owner(self._store.parts(self._arn))
        if owner is not None and owner.owner != self._owner and not owner.is_retained:
            raise self._superseded(owner)

    def _superseded(self, owner: Part) -> ProviderError:
        return ProviderError(
            f"{self._arn} has been adopted by {named(owner.owner)}; it was not changed",
            remediation="If the rollback fails for the same reason, run `aws cloudformation continue-update-rollback "
            "--resources-to-skip`; then remove this resource from the template, or adopt the configuration with "
            f"{pascal_case(TARGET)}: {self._arn}",
        )

    def _is_new_adoption(self) -> bool:
        """Return whether the request adopts the configuration; false for a rollback to an earlier adoption."""
        if self._desired.get(TARGET) != self._arn:
            return False
        name = self._old.get(NAME)
        was_named = isinstance(name, str) and self._locations.old.arn(name) == self._arn
        return self._request.physical_id != self._arn or was_named

    def _reject_rename(self) -> None:
        """Raise ProviderError for a rename while other stacks have parts, because its cleanup would fail."""
        before = self._request.physical_id
        if self._request.request_type != "Update" or not is_configuration_arn(before) or before == self._arn:
            return
        if _retains(self._old, before):
            return
        parts = self._store.parts(before)
        others = [part for part in self._others(parts) if part.owner.stack_id != self._owner.stack_id]
        if others and not self._is_superseded(parts):
            raise ProviderError(
                f"{before} cannot be replaced, because other stacks have parts of it: {_names(others)}",
                remediation="Remove these parts first",
            )

    def _others(self, parts: list[Part]) -> list[Part]:
        """Return the parts of a configuration that are not an owner's, and the proposals that may still be settled."""
        now = self._ledger.deadline.now()
        return [
            part
            for part in parts
            if not part.is_owner and (part.accepted is not None or (part.is_newcomer and not has_lapsed(part, now)))
        ]

    def _preview(self, part: Part | None) -> Plan:
        """Plan the request without executing it. Raises ProviderError if it is rejected.

        For a recorded resource, the revision has shown that this request is the last one; dates do not decide.
        """
        request = self._undated() if part is not None and self._request.request_type == "Update" else self._request
        observed: dict[Target, Configuration | None] = {}
        now = self._ledger.deadline.now()
        while isinstance(
            decision := self._type.decide(request, self._desired, self._old, self._locations, observed, now), NeedsRead
        ):
            observed[decision.target] = self._api.read(decision.target)
        return decision

    def _undated(self) -> "Request":
        """Return the request with the latest date at which somebody waits for it.

        What other holders write until then is not newer than it: the record shows which request came last.
        """
        return self._request._replace(date=self._request.end)

    def _create(self) -> _Result:
        """Create the configuration, or finish creating it, as the holder of its lease."""
        record(self._ledger, self._arn, self._event, self._body, self._with_sources)
        try:
            lease = hold(self._ledger, self._arn, self._request.request_id)
            try:
                result = self._create_as_holder(lease)
            except BaseException:
                self._store.release(lease, is_clean=False)
                raise
        except ProviderError as error:
            return self._finish(give_up(self._ledger, self._arn, self._event, error))
        except LeaseLost:
            return self._finish(participate(self._ledger, self._arn, self._event, self._body, self._with_sources))
        return result

    def _create_as_holder(self, lease: "Lease") -> _Result:
        parts = self._store.parts(self._arn)
        own = self._own(parts)
        if own is None or own.revision != self._event.revision:
            check_not_replaced(own, self._event)
            return None, None
        if not own.is_newcomer:
            settled(own)  # another holder has settled it in the meantime
        verdict = judge(parts, [own] if own.is_newcomer else [], self._account)
        if self._owner in verdict.rejected:
            raise ProviderError(verdict.rejected[self._owner])
        content = verdict.content or {}
        self._store.mark_dirty(lease, digest(content, self._account), 1)
        self._reconciliation = self._reconcile(self._request, self._with(content))
        live, written = self._reconciliation.run()
        assert live is not None, "a Create or Update has a configuration"
        self._mark()
        token, call = (written.client_token, written.request_id) if written else ("", "")
        if own.is_newcomer:
            accepted = accept(own, self._ledger.deadline.now(), token, call, _next_rank(parts, own))
            self._store.settle(lease, [(own, accepted)])
        self._store.release(lease, is_clean=are_equal(live.content, content, self._account))
        return live, written

    def _finish(self, part: Part) -> _Result:
        """Bring everything but the content to its desired state: the content is live."""
        live = self._api.read(self._arn)
        if live is None:
            raise ProviderError(f"{self._arn} was deleted in the meantime", outcome=Outcome.NOT_FOUND)
        # The part of a Create by name is settled after the handover.
        if self._request.request_type == "Update" or NAME not in self._desired:
            lease = hold(self._ledger, self._arn, self._request.request_id)
            try:
                live = self._reconcile_tags(live)
            finally:
                self._store.release(lease, is_clean=False)
        elif not self._is_superseded(self._store.parts(self._arn)):
            self._mark()  # the Create may have been killed before it did
        call = part.call or live.request_id
        written = WriteResult(self._arn, call, part.token or self._request.request_id)
        self._on_success(live, written)
        self._leave_other_target()
        return live, written

    def _reconcile_tags(self, live: Configuration) -> Configuration:
        """Bring the tags to their desired state, as the holder of the lease. Raises ProviderError if superseded."""
        parts = self._store.parts(self._arn)
        owner = effective_owner(parts)
        if owner is not None and self._is_superseded(parts):
            raise self._superseded(owner)
        request = self._undated() if self._request.request_type == "Update" else self._request
        self._api.settled[self._arn] = live.content
        self._reconciliation = self._reconcile(request, self._with(live.content))
        live = self._reconciliation.run()[0] or live
        self._mark()
        return live

    def _mark(self) -> None:
        """Mark the configuration as shared if the owner allows parts, as not shared otherwise."""
        if not self._desired.get(CONTRIBUTIONS) and self._arn not in self._api.shared:
            return
        self._ledger.api.mark(self._arn, self._owner if self._desired.get(CONTRIBUTIONS) else None)

    def _restore(self, before: Configuration) -> str:
        """Withdraw the part of a failed adoption, and restore the content unless a recorded owner's replaces it."""
        try:
            self._leave(self._arn, is_retained=False)
            parts = self._store.parts(self._arn)
            if (own := self._own(parts)) is not None and own.is_retained:
                return f"The content of {self._arn} stays, because other resources have parts of it and no other owner"
            if not any(part.accepted for part in parts):
                step = UpdateConfiguration(self._arn, before.content)
                token = derived_token(self._request.request_id, step)
                self._ledger.api.update(step, token, self._ledger.deadline.left())
        except (ProviderError, LeaseLost) as error:
            return f"The previous content of {self._arn} could not be restored: {error}"
        return f"Restored the previous content of {self._arn}"

    def _with(self, content: Content) -> dict[str, Any]:
        """Return the desired properties with another content."""
        rest = {name: value for name, value in self._desired.items() if name not in content_members()}
        return {**rest, **content}

    @property
    def _account(self) -> str:
        return account_of(self._arn)

    def _leave_other_target(self) -> None:
        """Withdraw what a failed rename or adoption, which this Update rolls back, left at another configuration."""
        if self._request.request_type != "Update" or self._request.physical_id != self._arn:
            return
        target, name = self._old.get(TARGET), self._old.get(NAME)
        other = self._locations.old.arn(name) if isinstance(name, str) else target if isinstance(target, str) else ""
        if not is_configuration_arn(other) or other == self._arn:
            return
        try:
            self._leave(other, is_retained=False)
        except (ProviderError, LeaseLost) as error:
            self._ledger.log.warning(
                "what a failed request left behind was not withdrawn", arn=other, answer=str(error)
            )

    # delete

    def _delete(self) -> _Result:
        if status_in(self._request.physical_id) is CreationStatus.NOTHING_CREATED or not is_configuration_arn(
            self._arn
        ):
            return self._reconciliation.run(self._on_success)
        self._ledger.deadline.may_succeed = False  # the record has to show the Delete
        part = self._store.part(self._arn, self._owner)
        order = compare(part, self._event)
        if order is Order.OLDER:
            check_not_replaced(part, self._event)
            return None, None
        if order is Order.SAME and part is not None and not part.is_live:
            return None, None  # done by another delivery, and the tags may not name a new owner yet
        lease = hold(self._ledger, self._arn, self._request.request_id)
        result: _Result = (None, None)
        try:
            result = self._delete_as_holder(self._store.parts(self._arn))
            self._leave_as_holder(lease, self._arn, is_retained=True)
        except BaseException:
            self._store.release(lease, is_clean=False)
            raise
        return result

    def _delete_as_holder(self, parts: list[Part]) -> _Result:
        """Delete the configuration if this resource owns it. Raises ProviderError while others have parts."""
        if self._is_superseded(parts):
            self._ledger.log.warning(f"{self._arn} has been adopted by another resource; skipping delete")
            return None, None
        own, others = self._own(parts), self._others(parts)
        may_delete = self._request.physical_id == self._arn and not _retains(self._desired, self._arn)
        if others and may_delete:
            raise ProviderError(
                f"{self._arn} cannot be deleted, because other resources have parts of it: {_names(others)}",
                remediation="Remove these parts first, then repeat the deletion",
            )
        request = self._request if own is None else self._request._replace(date=self._ledger.deadline.now())
        self._reconciliation = self._reconcile(request, self._desired)
        return self._reconciliation.run()

    def _is_superseded(self, parts: list[Part]) -> bool:
        """Return whether another resource has adopted the configuration since this one was settled."""
        own, owner = self._own(parts), effective_owner(parts)
        return self._has_owned(own) and owner is not None and owner is not own

    def _has_owned(self, own: Part | None) -> bool:
        """Return whether this resource has ever owned the configuration, by its record or its physical ID."""
        return self._request.physical_id == self._arn or (own is not None and own.accepted is not None)

    def _leave(self, arn: str, *, is_retained: bool) -> None:
        if self._store.part(arn, self._owner) is None:
            return
        lease = hold(self._ledger, arn, self._request.request_id)
        try:
            self._leave_as_holder(lease, arn, is_retained=is_retained)
        except BaseException:
            self._store.release(lease, is_clean=False)
            raise

    def _leave_as_holder(self, lease: "Lease", arn: str, *, is_retained: bool) -> None:
        """Withdraw the owner's part, and combine what remains. Its content stays while others have parts of it."""
        now = self._ledger.deadline.now()
        event = self._event._replace(request_type="Delete", physical_id=arn)
        parts = self._store.parts(arn)
        own = self._own(parts)
        if own is None:
            if not self._store.put(None, withdraw(None, arn, event, now)):
                return self._leave_as_holder(lease, arn, is_retained=is_retained)  # its Create was recorded meanwhile
            return self._store.release(lease, is_clean=False)
        received = withdraw(own, arn, event, now) if compare(own, event) is Order.NEWER else own
        others = self._accepted_others(parts)
        is_kept = _is_needed(own, others, is_retained=is_retained) and self._may_exist(arn)
        left = retain(received) if is_kept else bury(received, now)
        if self._request.request_type != "Delete" and received.revision == self._event.revision:
            left = left._replace(is_rolled_back=True)  # this request fails, and another delivery of it may try again
        if not self._store.settle(lease, [(own, left)]):
            return self._leave_as_holder(lease, arn, is_retained=is_retained)  # its record was changed meanwhile
        try:
            self._combine_remaining(lease, arn, [left, *others], is_marked=own.is_live)
        except (ProviderError, LeaseTooShort) as error:
            self._ledger.log.warning("the ledger's sweep finishes what the request left to do", answer=str(error))
            self._store.release(lease, is_clean=False)
        return None

    def _may_exist(self, arn: str) -> bool:
        """Return whether a configuration exists, or cannot be read, because retaining it needs no role."""
        try:
            return self._api.read(arn) is not None
        except ProviderError as error:
            self._ledger.log.warning("the configuration could not be read and counts as existing", answer=str(error))
            return True

    def _accepted_others(self, parts: list[Part]) -> list[Part]:
        return [part for part in parts if part.owner != self._owner and part.accepted is not None]

    def _own(self, parts: list[Part]) -> Part | None:
        return next((part for part in parts if part.owner == self._owner), None)

    def _combine_remaining(self, lease: "Lease", arn: str, remaining: list[Part], *, is_marked: bool) -> None:
        """Combine what remains after the owner has left."""
        if is_marked:
            self._mark_remaining(arn, remaining)
        if any(part.is_live and part.owner != self._owner for part in self._store.parts(arn)):
            combine(self._ledger, lease)
        else:
            self._store.release(lease, is_clean=True)

    def _mark_remaining(self, arn: str, remaining: list[Part]) -> None:
        """Mark a configuration that an owner has left for the owner whose content counts, if there is one."""
        owner = effective_owner(remaining)
        body = owner.accepted_body() if owner is not None else None
        self._ledger.api.mark(arn, owner.owner if owner and body and body.contributions else None)


def _is_settled(part: Part | None) -> bool:
    return part is not None and not (part.is_newcomer or part.is_rolled_back)


def _next_rank(parts: list[Part], own: Part) -> int:
    """Return the rank above those of all other owners."""
    return max((part.rank for part in parts if part.is_owner and part is not own), default=-1) + 1


def _is_needed(own: Part, others: list[Part], *, is_retained: bool) -> bool:
    """Return whether the accepted parts of others need the content of an owner that leaves.

    If it is not retained on purpose, the content of an owner that has left before is enough.
    """
    has_owner = any(part.is_owner and not (is_retained and part.is_retained) for part in others)
    return own.accepted is not None and not has_owner and any(not part.is_owner for part in others)


def _retains(properties: Mapping[str, Any], arn: str) -> bool:
    """Return whether a Delete with these properties leaves the configuration in place."""
    adopted = properties.get(TARGET) == arn and NAME not in properties
    return bool(properties.get(ON_DELETE, RETAIN if adopted else DELETE) != DELETE)


def _names(parts: list[Part]) -> str:
    names = sorted(named(part.owner) for part in parts)
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
