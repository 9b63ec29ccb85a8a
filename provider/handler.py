"""Lambda's entry. Imports only the standard library at the top; whatever fails to load or run, it answers.

The work runs in a thread of its own; this one watches the time and is the only one that speaks to CloudFormation.
So there is one answer, it is on time, and nothing that hangs can keep it back.
"""

from provider import patterns  # noqa: F401 - first, as it takes effect where regular expressions are compiled

# isort: split
import gc
import logging
import math
import os
import threading
import time
from contextlib import suppress
from contextvars import copy_context
from functools import cache, partial
from typing import Any, Final

from .aws.tls import tls_context
from .cloudformation.deadline import Clock, Deadline
from .cloudformation.delivery import Undelivered, connect, deliver, is_connected
from .cloudformation.redaction import redact
from .cloudformation.request import ABOUT, MalformedEvent, Request, log_keys, parse
from .cloudformation.response import FAILED, SUCCESS, Answer, Response
from .cloudformation.response_url import expiry
from .cloudformation.worker import run

_LOG = logging.getLogger(__name__)
_INIT_SECONDS: Final = 8.0
"""Of the ten that Lambda's init phase has."""

_NOOP_SECONDS: Final = 3.0
"""Seconds for the work of a Delete that succeeds whatever fails."""


def handler(event: Any, context: Any) -> None:
    """Respond to one CloudFormation custom resource request.

    Raises MalformedEvent if the event does not say where to respond, and Undelivered if the response could not be
    delivered in time: Lambda then invokes the function again, and the same request leads to the same response.
    """
    respond(event, context, time)


def respond(event: Any, context: Any, clock: Clock) -> None:
    """Do the same by another clock: all dates and all waiting are the clock's."""
    ABOUT.set({})
    now = clock.time()
    try:
        request = parse(event, now)
    except MalformedEvent as error:
        _LOG.error("nothing was done: %s", error)
        raise
    ABOUT.set(log_keys(request, context))
    expires = expiry(request.response_url)
    left = min(request.end, math.inf if expires is None else expires) - now
    work_seconds = _NOOP_SECONDS if request.is_noop_delete else math.inf
    deadline = Deadline.of(context, left if left > 0 else math.inf, work_seconds, clock)
    deadline.may_succeed = request.is_noop_delete or request.is_rejected_create
    answer = Answer()
    if left <= 0:
        answer.offer(_too_late(request, now))
    else:
        _start(request, context, deadline, answer)
    response = answer.wait(deadline.left()) or answer.settle(_out_of_time(request, deadline))
    _deliver(request, response, deadline, clock)


def _start(request: Request, context: object, deadline: Deadline, answer: Answer) -> None:
    work = partial(copy_context().run, _work, request, context, deadline, answer)
    try:
        if not is_connected(request.response_url):
            # Meanwhile, and with it the CAs are read. A process that ends waits for it: OpenSSL wants that.
            threading.Thread(
                target=connect, args=(request.response_url, deadline.left()), name="connect", daemon=False
            ).start()
        run("work", work)
    except (RuntimeError, MemoryError) as error:
        reason = f"the provider could not start its work: {type(error).__name__}. Deploy again, or raise MemorySize"
        answer.offer(_cut_short(request, deadline, reason))


def _work(request: Request, context: object, deadline: Deadline, answer: Answer) -> None:
    try:
        _load()
        from . import provision

        provision.process(request, context, deadline, answer.offer)
    except BaseException as error:  # noqa: BLE001 - an exit, a full memory or a broken package gets a response, too
        failure = f"the provider failed while {deadline.current_operation}: {type(error).__name__}: {error}"
        reason = redact(f"{failure}. Deploy again; if it happens again, build and deploy the provider again")
        _LOG.error(reason)
        answer.offer(_cut_short(request, deadline, reason))


def _out_of_time(request: Request, deadline: Deadline) -> Response:
    trouble = f" (it was retried: {deadline.trouble})" if deadline.trouble else ""
    reason = f"timed out during {deadline.current_operation}{trouble}; the outcome is unknown. Redeploying is safe"
    return _cut_short(request, deadline, reason)


def _too_late(request: Request, now: float) -> Response:
    waited = request.end - request.date
    cause = "its response URL had expired" if now < request.end else f"CloudFormation had waited {waited:.0f} seconds"
    return Response(
        FAILED,
        request.failure_id(),
        f"this request arrived after {cause}, so it changed nothing. Deploy again",
    )


def _cut_short(request: Request, deadline: Deadline, reason: str) -> Response:
    """The response if the work returned none. It is a success only if provably nothing has to be done."""
    if deadline.may_succeed:
        return Response(SUCCESS, request.failure_id())
    return Response(FAILED, request.failure_id(), reason)


def _deliver(request: Request, response: Response, deadline: Deadline, clock: Clock) -> None:
    try:
        deliver(
            request.response_url,
            response.body(request),
            deadline.left_for_answer,
            outcome=f"{response.status} for {response.physical_id}",
            sleep=clock.sleep,
            now=clock.time,
        )
    except Undelivered as error:
        _LOG.error("%s of %s %s: %s", response.status, request.request_type, request.logical_id, error)
        if not error.final:
            raise


@cache
def _load() -> None:
    """Load the provider and make what all requests share, once an environment.

    The garbage collector rests meanwhile, and passes over what is there now ever after: modules are no garbage.
    """
    gc.disable()
    try:
        from . import provision

        provision.prepare()
    except BaseException:  # noqa: BLE001 - whatever it is, the request that needs it meets it and answers for it
        _LOG.exception("preparing failed; requests try again")
    finally:
        gc.freeze()
        gc.enable()


def _prepare() -> None:
    """Do in Lambda's init phase what the first request would otherwise wait for; it meets what trouble there is."""
    with suppress(Exception):
        tls_context()
    _load()
    with suppress(Exception):
        from .aws import client

        client.connect()


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    _preparing = threading.Thread(target=_prepare, name="prepare", daemon=True)
    _preparing.start()
    _preparing.join(_INIT_SECONDS)
