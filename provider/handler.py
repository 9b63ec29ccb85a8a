"""Lambda's entry point. It responds even if the rest of the provider cannot be loaded or fails.

At module level, it imports only the standard library and modules that need nothing else. The work runs in a separate
thread. The main thread watches the deadline, and only the main thread responds to CloudFormation. So there is exactly
one response, and it is on time even if the work hangs.
"""

import gc
import logging
import math
import os
import threading
import time
from contextlib import suppress
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from .aws.tls import tls_context
from .cloudformation.deadline import Deadline
from .cloudformation.delivery import Undelivered, connect, deliver, is_connected
from .cloudformation.redaction import redact
from .cloudformation.request import MalformedEvent, Request, log_context, log_keys, parse
from .cloudformation.response import FAILED, SUCCESS, FirstResponse, Response
from .cloudformation.response_url import expiry
from .resources import LEDGER_TABLE as LEDGER_TABLE

if TYPE_CHECKING:
    from .cloudformation.deadline import Clock

_LOG = logging.getLogger(__name__)
_INIT_SECONDS: Final = 8.0
"""Lambda's init phase may take ten seconds."""

SWEEP: Final = {"sweep": "ledger"}
"""The event of the ledger's schedule."""

_NOOP_SECONDS: Final = 3.0
"""Time for the work of a Delete that succeeds even if the work fails."""


def handler(event: Any, context: Any) -> None:
    """Respond to one CloudFormation custom resource request.

    Raises MalformedEvent if the event lacks what a response needs, and Undelivered if the response was not delivered in
    time. Lambda then invokes the function again, and the same request gets the same response.
    """
    respond(event, context, time)


def respond(event: Any, context: Any, clock: "Clock") -> None:
    """Respond to a request. `clock` provides all dates and waits."""
    log_context.set({})
    if event == SWEEP:
        from .ledger import scheduled

        scheduled.sweep(context, clock)
        return
    now = clock.time()
    try:
        request = parse(event, now)
    except MalformedEvent as error:
        _LOG.error("cannot respond: %s", error)
        raise
    log_context.set(log_keys(request, context))
    expires = expiry(request.response_url)
    left = min(request.end, math.inf if expires is None else expires) - now
    is_noop = request.is_noop_delete and not os.environ.get(LEDGER_TABLE)  # a ledger has to record each Delete
    work_seconds = _NOOP_SECONDS if is_noop else math.inf
    deadline = Deadline.of(context, left if left > 0 else math.inf, work_seconds, clock)
    deadline.may_succeed = is_noop or request.is_delete_of_rejected_create
    first = FirstResponse()
    if left <= 0:
        first.set(_too_late(request, now))
    else:
        _start(request, context, deadline, first)
    response = first.wait(deadline.left()) or first.get_or_set(_out_of_time(request, deadline))
    _deliver(request, response, deadline, clock)


def _start(request: Request, context: object, deadline: Deadline, first: FirstResponse) -> None:
    work = partial(copy_context().run, _work, request, context, deadline, first)
    try:
        if not is_connected(request.response_url):
            # In parallel, because it takes long. Not a daemon thread, because OpenSSL must not be interrupted at exit.
            threading.Thread(
                target=connect, args=(request.response_url, deadline.left()), name="connect", daemon=False
            ).start()
        threading.Thread(target=work, name="work", daemon=True).start()
    except (RuntimeError, MemoryError) as error:
        problem = f"the provider could not start a thread: {type(error).__name__}"
        reason = f"{problem}. Deploy again; if it happens again, increase MemorySize"
        first.set(_without_response(request, deadline, reason))


def _work(request: Request, context: object, deadline: Deadline, first: FirstResponse) -> None:
    try:
        _load()
        from . import provision

        provision.process(request, context, deadline, first.set)
    except BaseException as error:  # noqa: BLE001 - respond even after an exit, a MemoryError, or a broken package
        failure = f"the provider failed during {deadline.current_operation}: {type(error).__name__}: {error}"
        reason = redact(f"{failure}. Deploy again. If it fails again, build and deploy the provider again")
        _LOG.error(reason)
        first.set(_without_response(request, deadline, reason))


def _out_of_time(request: Request, deadline: Deadline) -> Response:
    retried = f" (it was retried: {deadline.retry_reason})" if deadline.retry_reason else ""
    reason = f"timed out during {deadline.current_operation}{retried}; the outcome is unknown. Redeploying is safe"
    return _without_response(request, deadline, reason)


def _too_late(request: Request, now: float) -> Response:
    waited = request.end - request.date
    event = "its response URL had expired" if now < request.end else f"CloudFormation had waited {waited:.0f} seconds"
    reason = f"this request arrived after {event}, so it changed nothing. Deploy again"
    return Response(FAILED, request.failure_id(), reason)


def _without_response(request: Request, deadline: Deadline, reason: str) -> Response:
    """Return the response if the work returned none: SUCCESS only if nothing is left to do but cleanup."""
    if deadline.response is not None:
        return deadline.response
    if deadline.may_succeed:
        return Response(SUCCESS, request.failure_id())
    return Response(FAILED, request.failure_id(), reason)


def _deliver(request: Request, response: Response, deadline: Deadline, clock: "Clock") -> None:
    try:
        deliver(
            request.response_url,
            response.body(request),
            deadline.left_for_response,
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
    """Load the provider and create what all requests share, once per execution environment.

    The garbage collector is off during this time, and ignores the loaded modules afterward.
    """
    gc.disable()
    try:
        from . import provision

        provision.prepare()
    except BaseException as error:  # noqa: BLE001 - the first request fails in the same way and reports it
        # Logging does not redact yet, and a traceback may quote a secret.
        _LOG.error(
            "initialization failed; the first request will try again: %s", redact(f"{type(error).__name__}: {error}")
        )
    finally:
        gc.freeze()
        gc.enable()


def _prepare() -> None:
    """Do in Lambda's init phase what the first request would otherwise wait for. That request reports any errors."""
    with suppress(Exception):
        tls_context()
    _load()
    with suppress(Exception):
        from . import provision

        provision.connect()


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    _preparing = threading.Thread(target=_prepare, name="prepare", daemon=True)
    _preparing.start()
    _preparing.join(_INIT_SECONDS)
