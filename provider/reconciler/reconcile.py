"""Brings a resource to its desired state: read, plan, execute. After an unexpected outcome, start again."""

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..errors import Outcome, ProviderError
from ..marker import CreationStatus
from ..observability import Logger, as_json
from ..plan import (
    ByName,
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    DeleteUnfinished,
    HandBack,
    NeedsRead,
    Plan,
    PutTags,
    ReadAgain,
    RemoveTags,
    Step,
    Target,
    UpdateConfiguration,
    WriteResult,
)
from ..resources.deletion import HAND_BACK_SECONDS, is_leftover
from ..resources.interface import ResourceType
from ..resources.locations import Locations
from ..resources.ownership import Owner, Ownership, State, is_released_to
from ..schema.diff import differences
from ..schema.model import NAME
from .api_calls import ApiCalls

if TYPE_CHECKING:
    from ..cloudformation.deadline import Deadline
    from ..cloudformation.request import Request

_MAX_ATTEMPTS: Final = 4
"""Attempts of a request whose calls have unexpected outcomes."""

_READ_BACK_SECONDS: Final = 10.0
"""How long reads may lag behind a write."""

_MIN_PAUSE: Final = 0.01
_FIRST_PAUSE: Final = 0.2
_MAX_PAUSE: Final = 1.0
"""Seconds between two reads of the same configuration. Each pause is twice as long as the previous one."""

_UNREADABLE: Final = "the configuration could not be read and counts as not found"

_UNEXPECTED: Final = frozenset({Outcome.EXISTS, Outcome.NOT_FOUND, Outcome.UNKNOWN, Outcome.TOKEN_REUSED})

Result = TypeVar("Result")


class Reconciliation:
    """The reconciliation of one resource for one request.

    `desired` and `old` are the resource properties by the API's names, `locations` those that they specify.
    """

    def __init__(
        self,
        request: "Request",
        desired: Mapping[str, Any],
        old: Mapping[str, Any],
        resource_type: ResourceType,
        locations: Locations,
        calls: ApiCalls,
        deadline: "Deadline",
        log: Logger,
    ) -> None:
        self._request, self._desired, self._old, self._type = request, desired, old, resource_type
        self._calls, self._deadline, self._log = calls, deadline, log
        self._api, self._locations = resource_type.connect(calls, locations), locations
        self._owner = Owner.of(request)
        self._observed: dict[Target, Configuration | None] = {}
        self._plan = Plan()
        self._possibly_executed: list[Step] = []
        self._step: Step | None = None
        self._written: WriteResult | None = None
        self._failure: ProviderError | None = None
        self._token_reused = False
        self._found_unfinished = False
        self._logged = False

    def run(self) -> tuple[Configuration | None, WriteResult | None]:
        """Execute the request. Returns the resource's final state and the result of the last write of content.

        Raises ProviderError; call `clean_up` and `failure_id` then.
        """
        unexpected = 0
        for attempt in count(1):
            try:
                subject = self._execute_plan(self._make_plan())
            except ProviderError as error:
                failure = self._cause(error)
                unexpected += failure.outcome in _UNEXPECTED
                self._prepare_retry(failure, attempt, unexpected)
            else:
                self._do_best_effort()
                return subject, self._written
        raise AssertionError("unreachable")

    def clean_up(self) -> str:
        """Undo what a failed request did, as far as possible. Returns a text about it for the reason."""
        undo, happened = self._plan.undo, {type(step) for step in self._possibly_executed}
        texts = []
        if undo.created and happened & {CreateConfiguration, UpdateConfiguration}:
            texts.append(self._delete_created(undo.created))
        if undo.content and UpdateConfiguration in happened:
            texts.append(self._restore_content(undo.content))
        if happened & {PutTags, RemoveTags}:
            texts += [self._restore_tags(step) for step in (undo.put_tags, undo.remove_tags) if step]
        return ". ".join(filter(None, texts))

    def failure_id(self, error: ProviderError) -> str:
        """Return the physical ID of a FAILED response: the event's own, or the marker of a Create."""
        denied = error.outcome is Outcome.DENIED and not self._found_unfinished and not self._possibly_executed
        return self._request.failure_id(CreationStatus.DENIED if denied else CreationStatus.MAY_HAVE_CREATED)

    # plan

    def _make_plan(self) -> Plan:
        try:
            while isinstance(decision := self._decision(), NeedsRead):
                self._observe(decision.target, self._read(decision))
        except ProviderError as rejection:
            unexpected = self._failure if self._failure and self._failure.outcome in _UNEXPECTED else None
            raise rejection.citing(unexpected or self._api.not_found) from None
        if not self._possibly_executed:
            self._plan = decision
        self._log_once(decision)
        return decision

    def _decision(self) -> NeedsRead | Plan:
        return self._type.decide(
            self._request, self._desired, self._old, self._locations, self._observed, self._deadline.now()
        )

    def _observe(self, target: Target, live: Configuration | None) -> None:
        self._observed[target] = live
        if live is not None and self._owner.state_of(live.tags) is State.UNFINISHED:
            self._found_unfinished, self._deadline.may_succeed = True, False

    def _log_once(self, plan: Plan) -> None:
        if self._logged:
            return
        self._logged = True
        for warning in plan.warnings:
            self._log.warning(warning)
        if plan.differences:
            self._log.info("difference", changes=as_json(plan.differences))

    def _read(self, read: NeedsRead) -> Configuration | None:
        self._deadline.may_succeed |= read.absent_if_unreadable
        try:
            with self._calls.within(read.within_seconds):
                return self._search(read.target, read.repeat_seconds, denied_is_absent=read.absent_if_denied)
        except ProviderError as error:
            if not read.absent_if_unreadable:
                raise
            self._log.warning(_UNREADABLE, answer=str(error))
            return None

    def _search(self, target: Target, seconds: float, *, denied_is_absent: bool = False) -> Configuration | None:
        """Read a configuration. While it does not exist, repeat that for `seconds`."""
        live = None
        for _ in self._repeat(seconds):
            try:
                live = self._api.read(target)
            except ProviderError as error:
                if not (denied_is_absent and error.outcome is Outcome.DENIED):
                    raise
                self._log.warning(_UNREADABLE, answer=str(error))
            if live is not None:
                break
        return live

    def _repeat(self, seconds: float) -> Iterator[None]:
        """Yield at once, and then after each pause for `seconds`, while the request has time."""
        end, pause = self._deadline.now() + seconds, _FIRST_PAUSE
        while True:
            yield
            left = end - self._deadline.now()
            if left < _MIN_PAUSE or self._deadline.left() <= pause:
                return
            self._deadline.wait(min(pause, left))
            pause = min(2 * pause, _MAX_PAUSE)

    # execute

    def _execute_plan(self, plan: Plan) -> Configuration | None:
        subject = plan.subject
        for step in plan.steps:
            result = self._execute_step(step)
            if isinstance(step, CreateConfiguration):
                self._written = result
                subject = self._execute_plan(self._after_create(result))
            elif isinstance(step, UpdateConfiguration):
                self._written = result
                # `_confirm_release` reads the content, too.
                subject = subject if plan.releases else self._confirm_update(step, result, plan.subject)
        return self._confirm_release(subject, plan) if subject and plan.releases else subject

    def _confirm_release(self, before: Configuration, plan: Plan) -> Configuration:
        """Read until the release shows, because the previous owner's Delete may follow at once and depends on it."""
        updates = [step.content for step in plan.steps if isinstance(step, UpdateConfiguration)]
        for _ in self._repeat(_READ_BACK_SECONDS):
            live = self._api.read(before.arn)
            if live is None or not is_released_to(live.tags, self._owner):
                continue
            shows_update = not any(differences(live.content, each, self._type.schema) for each in updates)
            if live.changed_at != before.changed_at or shows_update:
                return live
        raise self._not_shown(f"reads of {before.arn} do not show the release", WriteResult(before.arn))

    def _execute_step(self, step: Step) -> WriteResult:
        self._step = step
        self._possibly_executed.append(step)
        token = derived_token(self._request.request_id, step) if self._token_reused else self._request.request_id
        try:
            result = self._api.execute(step, token)
        except ProviderError as error:
            if error.outcome is not Outcome.UNKNOWN:
                self._possibly_executed.pop()
            raise
        self._failure, self._deadline.retry_reason = None, ""
        return result

    def _after_create(self, result: WriteResult) -> Plan:
        """Plan what follows a Create, once reads show it. Raises ProviderError if they do not within ten seconds."""
        decision: ReadAgain | Plan = ReadAgain("")
        for _ in self._repeat(_READ_BACK_SECONDS):
            live = self._api.read(result.arn)
            decision = self._type.decide_after_create(self._request, self._desired, self._locations, result.arn, live)
            if isinstance(decision, Plan):
                return decision
        assert isinstance(decision, ReadAgain)
        raise self._not_shown(decision.problem, result)

    def _confirm_update(
        self, step: UpdateConfiguration, result: WriteResult, before: Configuration | None
    ) -> Configuration:
        """Read until the update shows, and return the state. Raises ProviderError if it does not in ten seconds."""
        for _ in self._repeat(_READ_BACK_SECONDS):
            try:
                live = self._api.read(result.arn)
            except ProviderError as error:
                self._log.warning("the update could not be read back", answer=str(error))
                live = before or Configuration(result.arn, "", step.content, {})
                return live._replace(content=step.content)
            if live is not None and not (_is_unchanged(live, before) and self._differ(live, step.content)):
                return live
        raise self._not_shown(f"reads of {result.arn} do not show the update", result)

    def _not_shown(self, problem: str, result: WriteResult) -> ProviderError:
        return ProviderError(
            f"{problem}, although Image Builder accepted the call: it probably replayed a cached response, because "
            "this client token was used before",
            remediation="If this is not a late copy of an earlier request, deploy again",
            request_id=result.request_id,
        )

    # retry

    def _cause(self, error: ProviderError) -> ProviderError:
        """Return the error, or if time ran out, the error that was being retried."""
        return self._failure if self._failure and error.outcome is Outcome.OUT_OF_TIME else error

    def _prepare_retry(self, error: ProviderError, attempt: int, unexpected: int) -> None:
        """Discard what was read, and wait if needed. Raises the error if another attempt cannot succeed."""
        if error.outcome not in _UNEXPECTED:
            self._calls.back_off(error, attempt)
        elif unexpected >= _MAX_ATTEMPTS or self._is_final(error):
            raise error
        else:
            self._log.warning("unexpected outcome; reading again and making a new plan", answer=str(error))
        self._read_again(error)
        self._failure = error
        self._token_reused |= error.outcome is Outcome.TOKEN_REUSED

    def _is_final(self, error: ProviderError) -> bool:
        """Return whether the configuration was deleted before its handover, or the derived token was reused, too."""
        handing_over = self._step is not None and not isinstance(self._step, UpdateConfiguration)
        deleted = error.outcome is Outcome.NOT_FOUND and (self._written is not None or handing_over)
        return deleted or (self._token_reused and error.outcome is Outcome.TOKEN_REUSED)

    def _read_again(self, error: ProviderError) -> None:
        """Discard what was read. Read again the configuration that a request by name may have found or created."""
        target = ByName(str(self._desired.get(NAME)))
        may_exist = self._written is not None or target in self._observed or error.outcome in _UNEXPECTED
        self._observed.clear()
        if error.outcome is Outcome.NOT_FOUND and isinstance(self._step, UpdateConfiguration):
            self._observe(self._step.arn, None)  # reads may still show it
        if NAME not in self._desired:
            return
        if error.outcome is Outcome.EXISTS:
            live = self._search(target, _READ_BACK_SECONDS)
            if live is None:
                raise error
            self._observe(target, live)
        elif may_exist and self._request.request_type == "Create":
            self._observe(target, self._search(target, 0.0))

    # clean up

    def _do_best_effort(self) -> None:
        self._deadline.may_succeed |= self._request.request_type == "Delete"
        for step in self._plan.best_effort:
            seconds = math.inf if isinstance(step, DeleteUnfinished) else HAND_BACK_SECONDS
            try:
                with self._calls.within(seconds):
                    self._persist(partial(self._clean, step))
            except ProviderError as error:
                self._log.warning("the request succeeded, but its cleanup failed", answer=str(error))

    def _clean(self, step: PutTags | DeleteUnfinished | HandBack) -> None:
        if isinstance(step, DeleteUnfinished):
            self._delete_unfinished(step)
        elif isinstance(step, PutTags):
            self._api.execute(step, "")
        else:
            live = self._api.read(step.arn)
            if live is not None and is_released_to(live.tags, self._owner):
                self._api.execute(PutTags(step.arn, Ownership.of(live.tags).handed_over()), "")

    def _persist(self, action: Callable[[], Result]) -> Result:
        """Retry an idempotent action until it succeeds, cannot succeed, or time runs out."""
        for attempt in count(1):
            try:
                return action()
            except ProviderError as error:
                self._calls.back_off(error, attempt, repeatable=attempt < _MAX_ATTEMPTS)
        raise AssertionError("unreachable")

    def _delete_unfinished(self, step: DeleteUnfinished) -> Configuration | None:
        """Delete a configuration if it is unfinished and the resource's own. Return what was read."""
        live = self._api.read(step.target)
        if live is not None and is_leftover(live, self._owner, step.newest):
            self._api.execute(DeleteConfiguration(live.arn), "")
            self._log.warning(f"deleted {live.arn}, which a failed update left unfinished")
        return live

    def _delete_created(self, step: DeleteUnfinished) -> str:
        try:
            live = self._persist(partial(self._delete_unfinished, step))
        except ProviderError as error:
            arn = self._api.arn(step.target)
            return f"{arn} may exist and could not be deleted ({error.problem}); the rollback deletes it"
        if live is None:
            return ""
        if self._owner.state_of(live.tags) is State.UNFINISHED:
            return f"Deleted {live.arn}, which this request had created"
        if self._owner.state_of(live.tags) is None:
            return ""
        return f"{live.arn} was handed over to this resource before, so it is retained"

    def _restore_content(self, step: UpdateConfiguration) -> str:
        """Restore the content that a failed request replaced, unless something else has changed it since."""
        try:
            live = self._api.read(step.arn)
            written = [each.content for each in self._possibly_executed if isinstance(each, UpdateConfiguration)]
            if live is None or all(self._differ(live, content) for content in (*written, step.content)):
                return f"{step.arn} was changed in the meantime, so its previous content was not restored"
            token = derived_token(self._request.request_id, step)
            self._persist(partial(self._api.execute, step, token))
        except ProviderError as error:
            return f"The previous content of {step.arn} could not be restored: {error.problem}"
        return f"Restored the previous content of {step.arn}"

    def _differ(self, live: Configuration, content: Mapping[str, Any]) -> bool:
        return bool(differences(live.content, content, self._type.schema))

    def _restore_tags(self, step: PutTags | RemoveTags) -> str:
        others = set(step.tags if isinstance(step, PutTags) else step.keys) - set(self._owner.tags())
        try:
            with self._calls.within(math.inf if others else HAND_BACK_SECONDS):
                self._persist(partial(self._api.execute, step, ""))
        except ProviderError as error:
            return f"The previous tags of {step.arn} could not be restored: {error.problem}"
        return ""


def derived_token(request_id: str, step: Step) -> str:
    """Return a token of 64 characters, for use if the service knows the request's ID with different content."""
    content = json.dumps([request_id, type(step).__name__, step._asdict()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _is_unchanged(live: Configuration, before: Configuration | None) -> bool:
    """Return whether nothing has changed, including the date."""
    return before is not None and live._replace(request_id=before.request_id) == before
