"""The requests of a contribution."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..arn import is_configuration_arn
from ..errors import ProviderError
from ..marker import CreationStatus, status_in
from ..plan import Configuration, WriteResult
from ..resources.contribution import is_part_id, part_id
from ..resources.ownership import Owner
from ..schema.model import TARGET, content_members
from .participate import participate
from .parts import Body, Event, fingerprint

if TYPE_CHECKING:
    from ..cloudformation.request import Request
    from ..reconciler.reconcile import OnSuccess, ReconciliationResult
    from .combine import Ledger
    from .participate import WithSources


class ContributionRequest:
    """One request of a contribution. `desired` and `old` are its properties by the API's names.

    `with_sources` returns a body with the accounts of its sources.
    """

    def __init__(
        self,
        request: "Request",
        desired: Mapping[str, Any],
        old: Mapping[str, Any],
        ledger: "Ledger",
        with_sources: "WithSources",
    ) -> None:
        self._request, self._desired, self._old, self._ledger = request, desired, old, ledger
        self._with_sources = with_sources

    def run(self, on_success: "OnSuccess") -> "ReconciliationResult":
        """Propose the part or withdraw it. Returns its physical ID as an ARN. Raises ProviderError.

        `on_success` gets the same once the part is settled, before what a failed request left behind is withdrawn.
        """
        arn = self._desired.get(TARGET)
        if self._request.request_type == "Delete":
            self._delete(arn)
            return None, None
        assert isinstance(arn, str), "the properties have been validated"
        content = {name: self._desired[name] for name in content_members() if name in self._desired}
        physical_id = part_id(arn, Owner.of(self._request))
        event = Event.of(self._request, is_owner=False, physical_id=physical_id)
        body = Body(content, properties=fingerprint(self._request.properties))
        part = participate(self._ledger, arn, event, body, self._with_sources)
        live, written = Configuration(physical_id, "", content, {}), WriteResult(physical_id, part.call, part.token)
        on_success(live, written)
        self._undo_replacement(arn, physical_id)
        return live, written

    def clean_up(self) -> str:
        """Do nothing: a request that fails has withdrawn its proposal."""
        return ""

    def failure_id(self, _error: ProviderError) -> str:
        """Return the physical ID of a FAILED response."""
        return self._request.failure_id()

    def _delete(self, arn: object) -> None:
        if status_in(self._request.physical_id) is CreationStatus.NOTHING_CREATED:
            return
        if not isinstance(arn, str) or not is_configuration_arn(arn):
            self._ledger.log.warning("the properties name no configuration, so there is no part to withdraw")
            return
        owner = self._owner_of_id(arn)
        if owner is None:
            self._ledger.log.warning("there is no part with this physical ID, so none is withdrawn")
            return
        participate(self._ledger, arn, Event.of(self._request, is_owner=False)._replace(owner=owner), None)

    def _owner_of_id(self, arn: str) -> Owner | None:
        """Return whose part the physical ID is: another resource's after stack refactoring, and then perhaps nobody's.

        An ID that was never a part's is this resource's.
        """
        own = Owner.of(self._request)
        if not is_part_id(self._request.physical_id) or self._request.physical_id == part_id(arn, own):
            return own
        owners = (part.owner for part in self._ledger.store.parts(arn) if not part.is_owner)
        return next((owner for owner in owners if part_id(arn, owner) == self._request.physical_id), None)

    def _undo_replacement(self, arn: str, physical_id: str) -> None:
        """Withdraw what a failed replacement, which this Update rolls back, left at another configuration."""
        old = self._old.get(TARGET)
        if self._request.request_type != "Update" or self._request.physical_id != physical_id or old == arn:
            return
        if not isinstance(old, str) or not is_configuration_arn(old):
            return
        event = Event.of(self._request, is_owner=False)._replace(request_type="Delete")
        try:
            participate(self._ledger, old, event, None)
        except ProviderError as error:
            self._ledger.log.warning("what a failed request left behind was not withdrawn", arn=old, answer=str(error))
