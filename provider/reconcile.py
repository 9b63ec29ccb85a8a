"""Bring the world to where a request wants it: read, decide, carry out, and anew after each surprise."""

from collections.abc import Mapping
from typing import Any, Final

from aws_lambda_powertools import Logger

from provider.errors import Outcome, ProviderError
from provider.image_builder import ImageBuilder, Receipt, derived_token
from provider.lifecycle import (
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
    decide,
    marks_of,
)
from provider.observability import told
from provider.properties.diff import differences
from provider.properties.model import NAME
from provider.protocol.request import Request

_ROUNDS: Final = 4
"""How often a surprise (it exists already, the answer was lost, the token is spent) leads to reading and deciding."""

_SURPRISES: Final = frozenset({Outcome.EXISTS, Outcome.UNKNOWN, Outcome.TOKEN_SPENT})


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
        self._attempted: list[Step] = []
        self._receipts: list[Receipt] = []

    def run(self) -> tuple[Configuration | None, Receipt | None]:
        """Do what the request comes to: what was found, and what the API answered to the last change of content.

        Raises ProviderError, after which `clean_up` and `own` are due.
        """
        spent = False
        for left in range(_ROUNDS - 1, -1, -1):
            plan = self._decide()
            self._undo = self._undo or plan.undo
            try:
                for number, step in enumerate(plan.steps, 1):
                    self._carry_out(step, spent)
                    if isinstance(step, UpdateConfiguration) and number < len(plan.steps):
                        self._see_that_it_happened(step)
            except ProviderError as error:
                if error.outcome not in _SURPRISES or not left or not self._read_again(error, plan):
                    raise
                self._log.warning("the service's answer led to reading again", answer=str(error))
                spent = spent or error.outcome is Outcome.TOKEN_SPENT
            else:
                break
        return plan.subject, next((receipt for receipt in reversed(self._receipts) if receipt.request_id), None)

    def clean_up(self) -> str:
        """Undo what nobody would answer for, as far as that can be done; a sentence for the stack on how it went."""
        touched = any(isinstance(step, CreateConfiguration | UpdateConfiguration) for step in self._attempted)
        return " ".join(filter(None, map(self._take_back, self._undo if touched else ())))

    def own(self) -> Configuration | None:
        """The configuration of the wanted name that bears this resource's marks, if this request met or made it."""
        if NAME not in self._wanted:
            return None
        target = Named(self._wanted[NAME])
        live = self._known.get(target)
        if self._attempted:
            try:
                live = self._builder.read(target)
            except ProviderError as error:
                self._log.warning("what became of it could not be read", answer=str(error))
        return live if live is not None and marks_of(self._request).on(live) else None

    def _decide(self) -> Plan:
        while isinstance(decision := decide(self._request, self._wanted, self._old, self._known), Read):
            self._known[decision.target] = self._builder.read(decision.target)
        for warning in decision.warnings:
            self._log.warning(warning)
        if decision.differences:
            self._log.info("difference", changes=told(decision.differences))
        return decision

    def _carry_out(self, step: Step, spent: bool) -> None:
        self._attempted.append(step)
        token = derived_token(self._request.request_id, step) if spent else self._request.request_id
        try:
            self._receipts.append(self._builder.carry_out(step, token))
        except ProviderError as error:
            if error.outcome is not Outcome.UNKNOWN:
                self._attempted.pop()
            raise

    def _see_that_it_happened(self, step: UpdateConfiguration) -> None:
        """Keep an event that comes late from changing what hangs on the content, such as tags.

        The service answers a token that it knows from memory, without running; so the content is still another one.
        """
        live = self._builder.read(step.arn)
        if live is None or differences(live.content, step.content):
            raise ProviderError(
                f"{step.arn} has not changed: the service answered from memory, because a request with this ID "
                "changed it once before",
                cure="If this is no late copy of an earlier request, deploy again",
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
        elif (own := self.own()) is not None:
            inverse = DeleteConfiguration(own.arn)
            arn, well, badly = (
                own.arn,
                "which this request created, is deleted again",
                "which this request created, stays",
            )
        else:
            return ""
        try:
            self._builder.carry_out(inverse, derived_token(self._request.request_id, inverse))
        except ProviderError as error:
            return f"{arn} {badly}: {error.problem}"
        return f"{arn} {well}"
