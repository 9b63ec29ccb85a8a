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

from provider.protocol.deadline import Deadline
from provider.protocol.delivery import Undelivered, connect, deliver, is_connected
from provider.protocol.redaction import redact
from provider.protocol.request import ABOUT, MalformedEvent, Request, log_keys, parse
from provider.protocol.response import FAILED, SUCCESS, Answer, Response
from provider.protocol.response_url import expiry
from provider.protocol.worker import run
from provider.tls import tls_context

_LOG = logging.getLogger(__name__)
_INIT_SECONDS: Final = 8.0
"""Of the ten that Lambda's init phase has."""


def handler(event: Any, context: Any) -> None:
    """Answer one CloudFormation custom resource request.

    Raises MalformedEvent where the event names nobody to answer, and Undelivered where the answer could not be
    delivered in time: Lambda then invokes the function again, and the same request comes to the same answer.
    """
    ABOUT.set({})
    try:
        request = parse(event)
    except MalformedEvent as error:
        _LOG.error("nothing was done: %s", error)
        raise
    ABOUT.set(log_keys(request, context))
    end = expiry(request.response_url)
    left = math.inf if end is None else end - time.time()
    deadline = Deadline.of(context, left if left > 0 else math.inf)
    answer = Answer()
    if left <= 0:
        answer.offer(_too_late(request))
    else:
        _start(request, context, deadline, answer)
    response = answer.wait(deadline.left()) or answer.settle(_out_of_time(request, deadline))
    deadline.end_work()
    _deliver(request, response, deadline)


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
        answer.offer(_fallen_short(request, deadline, reason))


def _work(request: Request, context: object, deadline: Deadline, answer: Answer) -> None:
    try:
        _load()
        from provider import provision

        provision.answer(request, context, deadline, answer.offer)
    except BaseException as error:  # noqa: BLE001 - an exit, a full memory or a broken package is an answer, too
        failure = f"the provider failed at {deadline.doing}: {type(error).__name__}: {error}"
        reason = redact(f"{failure}. Deploy again; if it stays, build and deploy the provider anew")
        _LOG.error(reason)
        answer.offer(_fallen_short(request, deadline, reason))


def _out_of_time(request: Request, deadline: Deadline) -> Response:
    return _fallen_short(
        request,
        deadline,
        f"time ran out during {deadline.doing}; whether that happened is not known. "
        "Deploy again: the next request finds out and goes on from there",
    )


def _too_late(request: Request) -> Response:
    return Response(
        FAILED,
        request.fallback_id,
        "the request came after its response URL had expired; nothing was called and nothing changed. Deploy again",
    )


def _fallen_short(request: Request, deadline: Deadline, reason: str) -> Response:
    """The answer where the work did not get to one. It is a success only where provably nothing was to be done."""
    if request.asks_for_nothing:
        return Response(SUCCESS, request.fallback_id)
    own = deadline.created if request.request_type == "Create" else ""
    return Response(FAILED, own or request.fallback_id, reason)


def _deliver(request: Request, response: Response, deadline: Deadline) -> None:
    try:
        outcome = f"{response.status} for {response.physical_id}"
        deliver(request.response_url, response.body(request), deadline.left_for_answer, outcome=outcome)
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
        from provider import provision

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
        from provider import client

        client.connect()


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    _preparing = threading.Thread(target=_prepare, name="prepare", daemon=True)
    _preparing.start()
    _preparing.join(_INIT_SECONDS)
