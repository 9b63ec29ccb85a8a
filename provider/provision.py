"""A request's way from its properties to its response: check, read, decide, carry out, answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aws_lambda_powertools import Logger

from provider.errors import Outcome, ProviderError
from provider.image_builder import Home, ImageBuilder, Receipt, Watch, client, derived_token
from provider.lifecycle import (
    NEW,
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    Known,
    Named,
    Plan,
    Read,
    Step,
    Target,
    UpdateConfiguration,
    decide,
    marks_of,
)
from provider.observability import logger_for, told
from provider.properties.expand import Expanded, expand
from provider.properties.finding import Finding, Severity
from provider.properties.model import CREATE, IDEMPOTENCY, NAME, operation, resource_type
from provider.properties.rules import judge
from provider.properties.validate import validate
from provider.protocol.request import Request
from provider.protocol.resource import Resource
from provider.protocol.response import FAILED, SUCCESS, Response

_ROUNDS: Final = 4
"""How often a surprise of the API (it exists already, the answer was lost) leads to reading and deciding again."""

_SURPRISES: Final = frozenset({Outcome.EXISTS, Outcome.UNKNOWN, Outcome.TOKEN_SPENT})


def prepare() -> None:
    """Make beforehand what the first request would otherwise wait for."""
    resource_type()
    client()


def answer(request: Request, context: object, watch: Watch, offer: Callable[[Response], object]) -> None:
    """Do what a request asks and give `offer` its response, whichever it is. Raises nothing of its own."""
    log = logger_for(request, context)

    resource = Resource(request, offer)

    def work(_event: object, _context: object) -> str:
        try:
            resource.response = _provision(request, context, watch, log)
        except Exception:
            log.exception("the provider itself failed")
            raise
        return resource.response.physical_id

    for register in (resource.create, resource.update, resource.delete):
        register(work)
    resource.run(context)


def _provision(request: Request, context: object, watch: Watch, log: Logger) -> Response:
    log.info("request received")
    home = Home.of(str(getattr(context, "invoked_function_arn", "")), request.stack_id)
    change = _Change(request, ImageBuilder(home, watch), log)
    try:
        if request.problems and request.request_type != "Delete":
            raise ProviderError("the event is malformed", details=request.problems)
        response = change.response(change.reconcile(_checked(request, log)))
    except ProviderError as error:
        reason, physical_id = change.clean_up(error), change.failure_id()
        log.error("request failed", reason=str(error), details=list(error.details), physical_id=physical_id)
        where = f"log group {group}" if (group := getattr(context, "log_group_name", "")) else ""
        return Response(FAILED, physical_id, reason, error.details, where)
    log.info("request succeeded", physical_id=response.physical_id)
    return response


def _checked(request: Request, log: Logger) -> dict[str, Any]:
    """The properties as API parameters. Raises ProviderError with all findings at once; a Delete is never judged."""
    expanded = expand(request.properties)
    if request.request_type == "Delete":
        return expanded.parameters
    findings = [
        *find(expanded),
        *validate(request.request_id, operation(CREATE).members[IDEMPOTENCY], (IDEMPOTENCY,)),
    ]
    texts = {finding: finding.render(request.properties, resource_type()) for finding in findings}
    if warnings := [text for finding, text in texts.items() if finding.severity is Severity.WARNING]:
        log.warning("the properties are accepted, but", warnings=warnings)
    if errors := tuple(text for finding, text in texts.items() if finding.severity is Severity.ERROR):
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        raise ProviderError(f"{count} with the properties, nothing was called", details=errors)
    return expanded.parameters


def find(expanded: Expanded) -> list[Finding]:
    """All that is wrong with expanded properties: names, the model's constraints, the service's own rules."""
    parameters = expanded.parameters
    return [*expanded.findings, *validate(parameters, resource_type()), *judge(parameters)]


@dataclass
class _Change:
    """One request's change to the world, and what has come of it so far."""

    request: Request
    builder: ImageBuilder
    log: Logger
    known: dict[Target, Configuration | None] = field(default_factory=dict)
    undo: tuple[Step, ...] = ()
    attempted: list[Step] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)
    wanted: Mapping[str, Any] = field(default_factory=dict)

    def reconcile(self, wanted: dict[str, Any]) -> Plan:
        """Read, decide and carry out, anew after each surprise, until nothing is left to do."""
        self.wanted = wanted
        old = expand(self.request.old_properties).parameters
        spent = False
        for left in range(_ROUNDS - 1, -1, -1):
            self.plan = self._decide(wanted, old)
            self.undo = self.undo or self.plan.undo
            try:
                for step in self.plan.steps:
                    self._carry_out(step, spent)
            except ProviderError as error:
                if error.outcome not in _SURPRISES or not left:
                    raise
                self.log.warning("what the service answered leads to reading again", answer=str(error))
                if not self._read_again(error, self.plan):
                    raise
                spent = spent or error.outcome is Outcome.TOKEN_SPENT
            else:
                break
        return self.plan

    def response(self, plan: Plan) -> Response:
        """The answer to a request that succeeded."""
        if self.request.request_type == "Delete":
            return Response(SUCCESS, self.request.physical_id or self.request.marker)
        written = next((r for r in reversed(self.receipts) if r.request_id), None)
        subject = plan.subject
        arn = written.arn if written else subject.arn if subject else ""
        regions = [entry["region"] for entry in self.wanted.get("distributions", ())]
        data = {
            "Arn": arn,
            "DistributionConfigurationArn": arn,
            "Name": subject.name if subject else self.wanted.get(NAME, ""),
            "Regions": ",".join(regions),
            "ClientToken": written.client_token if written else self.request.request_id,
            "RequestId": written.request_id if written else subject.request_id if subject else "",
            "DateUpdated": written.date if written else subject.date_updated if subject else "",
        }
        return Response(SUCCESS, arn, data=data, expendable=("Regions", "DateUpdated", "Name"))

    def clean_up(self, error: ProviderError) -> str:
        """Undo what nobody would answer for, as far as that can be; the reason for the stack, with how it went."""
        touched = any(isinstance(step, CreateConfiguration | UpdateConfiguration) for step in self.attempted)
        if not self.undo or not touched:
            return str(error)
        told_so_far = str(error)
        for step in self.undo:
            try:
                undone = self._undo(step)
            except ProviderError as failure:
                told_so_far += f". {_name_of(step, self)} could not be put back: {failure.problem}"
            else:
                told_so_far += f". {undone}" if undone else ""
        return told_so_far

    def failure_id(self) -> str:
        """The physical ID of a FAILED answer: the event's own, or of what its Create brought into being."""
        if self.request.request_type == "Create" and NAME in self.wanted:
            own = self._own()
            if own is not None:
                return own.arn
        return self.request.failure_id

    def _decide(self, wanted: Mapping[str, Any], old: Mapping[str, Any]) -> Plan:
        while isinstance(decision := decide(self.request, wanted, old, self.known), Read):
            self.known[decision.target] = self.builder.read(decision.target)
        for warning in decision.warnings:
            self.log.warning(warning)
        if decision.differences:
            self.log.info("difference", changes=told(decision.differences))
        return decision

    def _carry_out(self, step: Step, spent: bool) -> None:
        self.attempted.append(step)
        token = derived_token(self.request.request_id, step) if spent else self.request.request_id
        try:
            self.receipts.append(self.builder.carry_out(step, token))
        except ProviderError as error:
            if error.outcome is not Outcome.UNKNOWN:
                self.attempted.pop()
            raise

    def _read_again(self, error: ProviderError, plan: Plan) -> bool:
        """Read anew what the decision rested on; False where that cannot lead to another one."""
        targets: set[Target] = {t for t in self.known if isinstance(t, Named) or self.known[t] is not None}
        targets |= {Named(step.name) for step in plan.steps if isinstance(step, CreateConfiguration)}
        self.known |= {target: self.builder.read(target) for target in targets}
        return error.outcome is not Outcome.EXISTS or any(self.known[target] for target in targets)

    def _own(self) -> Configuration | None:
        """The configuration of the wanted name, if it bears this resource's marks and this request touched it."""
        target = Named(self.wanted[NAME])
        if target not in self.known and not self.attempted:
            return None
        try:
            live = self.builder.read(target) if self.attempted else self.known[target]
        except ProviderError:
            live = self.known.get(target)
        return live if live is not None and marks_of(self.request).on(live) else None

    def _undo(self, step: Step) -> str:
        if isinstance(step, DeleteConfiguration) and step.arn == NEW:
            own = self._own()
            if own is None:
                return ""
            self.builder.carry_out(DeleteConfiguration(own.arn), "")
            return f"{own.arn}, created by this request, is deleted again"
        self.builder.carry_out(step, derived_token(self.request.request_id, step))
        return f"{getattr(step, 'arn', '')} has its former content back"


def _name_of(step: Step, change: _Change) -> str:
    if isinstance(step, DeleteConfiguration) and step.arn == NEW:
        own = change.known.get(Named(change.wanted[NAME]))
        made = next((r.arn for r in change.receipts), own.arn if own else f"the configuration {change.wanted[NAME]!r}")
        return f"{made}, created by this request,"
    return str(getattr(step, "arn", ""))


__all__ = ["Known", "answer", "find", "prepare"]
