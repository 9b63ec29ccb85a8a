"""Bring the world to where a request wants it: read, decide, carry out, and anew after each surprise."""

from collections.abc import Mapping
from typing import Any, Final

from provider.errors import Outcome, ProviderError
from provider.image_builder import ImageBuilder, Receipt, derived_token
from provider.lifecycle import decide, marks_of
from provider.observability import Logger, told
from provider.plan import (
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    DeleteCreated,
    Named,
    Plan,
    Read,
    Step,
    Target,
    UpdateConfiguration,
)
from provider.properties.diff import differences
from provider.properties.model import NAME
from provider.protocol.request import Request

_ROUNDS: Final = 4
"""How often a surprise (it exists already, the answer was lost, the token is spent) leads to reading and deciding."""

_LOOKS: Final = (0.2, 0.5, 1.0, 0.0)
"""Seconds after each look at what was just written, in case the service is slow to show it."""

_SURPRISES: Final = frozenset({Outcome.EXISTS, Outcome.GONE, Outcome.UNKNOWN, Outcome.TOKEN_SPENT})


class Reconciliation:
    """One request's change to the world, and what has come of it so far.

    `wanted` and `old` are the resource properties expanded to the API's names.
    """

    def __init__(
        self, request: Request, wanted: Mapping[str, Any], old: Mapping[str, Any], builder: ImageBuilder, log: Logger
    ) -> None:
        self._request, self._wanted, self._old, self._builder, self._log = request, wanted, old, builder, log
        self._known: dict[Target, Configuration | None] = {}
        self._undo: tuple[DeleteCreated | UpdateConfiguration, ...] = ()
        self._marks = marks_of(request)
        self._may_have_happened: list[Step] = []
        self._written: Receipt | None = None
        self._surprise: ProviderError | None = None
        self._told = False

    def run(self) -> tuple[Configuration | None, Receipt | None]:
        """Do what the request comes to: what there is at last, and the API's answer to the last change of content.

        Raises ProviderError, after which `clean_up` and `failure_id` are due.
        """
        spent = False
        for left in range(_ROUNDS - 1, -1, -1):
            plan = self._decide()
            subject = plan.subject
            self._undo = self._undo or plan.undo
            try:
                for step in plan.steps:
                    receipt = self._carry_out(step, spent)
                    if isinstance(step, CreateConfiguration | UpdateConfiguration):
                        subject, self._written = self._confirmed(step, receipt, plan.subject), receipt
            except ProviderError as error:
                hopeless = error.outcome not in _SURPRISES or (spent and error.outcome is Outcome.TOKEN_SPENT)
                if hopeless or not left or not self._read_again(error, plan):
                    raise
                self._log.warning("the service's answer led to reading again", answer=str(error))
                self._surprise = error
                spent = spent or error.outcome is Outcome.TOKEN_SPENT
            else:
                break
        self._clear(plan.leftover)
        return subject, self._written

    def clean_up(self) -> str:
        """Undo what nobody would answer for, as far as that can be done; sentences for the stack on what is left."""
        touched = any(isinstance(step, CreateConfiguration | UpdateConfiguration) for step in self._may_have_happened)
        if touched and self._undo:
            return ". ".join(filter(None, map(self._take_back, self._undo)))
        met = self._known.get(Named(str(self._wanted.get(NAME))))
        if self._request.request_type == "Update" and met is not None and self._marks.on(met):
            return f"{met.arn}, which bears this resource's marks, stays"
        return ""

    def failure_id(self) -> str:
        """The physical ID of a FAILED answer: the event's own, or of what its Create brought into being."""
        if self._request.request_type != "Create":
            return self._request.fallback_id
        try:
            own = self._own()
        except ProviderError:
            own = None
        return own.arn if own else self._request.fallback_id

    def _own(self) -> Configuration | None:
        """The configuration of the wanted name that bears this resource's marks, if this request met or made it."""
        if NAME not in self._wanted:
            return None
        target = Named(self._wanted[NAME])
        live = self._builder.read(target) if self._may_have_happened else self._known.get(target)
        return live if live is not None and self._marks.on(live) else None

    def _decide(self) -> Plan:
        try:
            while isinstance(decision := decide(self._request, self._wanted, self._old, self._known), Read):
                self._known[decision.target] = self._read(decision.target)
        except ProviderError as refusal:
            raise refusal.citing(self._surprise or self._builder.not_found) from None
        if not self._told:
            self._told = True
            for warning in decision.warnings:
                self._log.warning(warning)
            if decision.differences:
                self._log.info("difference", changes=told(decision.differences))
        return decision

    def _read(self, target: Target) -> Configuration | None:
        try:
            return self._builder.read(target)
        except ProviderError as error:
            if (
                self._request.request_type != "Delete"
                or isinstance(target, str)
                or error.outcome is not Outcome.REFUSED
            ):
                raise
            # What a failed Create asked for by a name that the provider may not even read, it did not create.
            self._log.warning("what an unfinished Create may have left could not be looked for", answer=str(error))
            return None

    def _clear(self, arn: str) -> None:
        """Delete what a failed rename left; the resource itself is as wanted, so trouble with that is no failure."""
        if not arn:
            return
        try:
            live = self._builder.read(arn)
            if live is not None and self._marks.on(live):
                self._builder.carry_out(DeleteConfiguration(arn), "")
                self._log.warning(f"{arn}, left over by an update that failed, is deleted")
        except ProviderError as error:
            self._log.warning(f"{arn}, left over by an update that failed, may still be there", answer=str(error))

    def _carry_out(self, step: Step, spent: bool) -> Receipt:
        self._may_have_happened.append(step)
        token = derived_token(self._request.request_id, step) if spent else self._request.request_id
        try:
            return self._builder.carry_out(step, token)
        except ProviderError as error:
            if error.outcome is not Outcome.UNKNOWN:
                self._may_have_happened.pop()
            raise

    def _confirmed(
        self, step: CreateConfiguration | UpdateConfiguration, receipt: Receipt, before: Configuration | None
    ) -> Configuration:
        """See that what was written is there, and say what there is.

        The service answers a token that it knows from memory, without running. That happens to a copy of an event
        that comes late, which must change nothing, and to a request whose ID was used before.
        """
        for pause in _LOOKS:
            try:
                live = self._builder.read(receipt.arn)
            except ProviderError as error:
                self._log.warning("what was written could not be read", answer=str(error))
                live = before or Configuration(receipt.arn, str(self._wanted[NAME]), step.content, {})
                return live._replace(content=step.content)
            if live is not None and not (_alike(live, before) and differences(live.content, step.content)):
                return live
            self._builder.wait(pause)
        raise ProviderError(
            f"{receipt.arn} {'has not changed' if before else 'is not there'}: the service answered from memory, "
            "because it has seen a request with this ID before",
            cure="If this is no late copy of an earlier request, deploy again",
            request_id=receipt.request_id,
        )

    def _read_again(self, error: ProviderError, plan: Plan) -> bool:
        """Read anew what the decision rested on; False where that cannot lead to another decision."""
        targets: set[Target] = set(self._known)
        targets |= {Named(step.name) for step in plan.steps if isinstance(step, CreateConfiguration)}
        self._known |= {target: self._builder.read(target) for target in targets}
        return error.outcome is not Outcome.EXISTS or any(self._known.values())

    def _take_back(self, step: DeleteCreated | UpdateConfiguration) -> str:
        if isinstance(step, UpdateConfiguration):
            inverse: Step = step
            arn, well, badly = step.arn, "has its former content back", "does not have its former content back"
        else:
            try:
                own = self._own()
            except ProviderError as error:
                name = self._wanted[NAME]
                return (
                    f"Whether {name!r} was created could not be read ({error.problem}); if so, the rollback deletes it"
                )
            if own is None:
                return ""
            inverse = DeleteConfiguration(own.arn)
            arn, well, badly = (
                own.arn,
                "which this request created, is deleted again",
                "which this request created, stays",
            )
        try:
            self._builder.carry_out(inverse, derived_token(self._request.request_id, inverse))
        except ProviderError as error:
            return f"{arn} {badly}: {error.problem}"
        return f"{arn} {well}"


def _alike(live: Configuration, before: Configuration | None) -> bool:
    """Whether nothing at all has changed, the date included."""
    return before is not None and live._replace(request_id=before.request_id) == before
