"""Lambda's entry. Imports only the standard library at the top; whatever fails to load or run, it answers.

The work runs in a thread of its own; this one watches the time and is the only one that speaks to CloudFormation.
So there is one answer, it is on time, and nothing that hangs can keep it back.
"""

import logging
import os
import threading
from typing import Any

from provider.protocol.deadline import Deadline
from provider.protocol.delivery import Undelivered, deliver
from provider.protocol.request import MalformedEvent, Request, parse
from provider.protocol.response import FAILED, Answer, Response

_LOG = logging.getLogger(__name__)


def handler(event: Any, context: Any) -> None:
    """Answer one CloudFormation custom resource request.

    Raises MalformedEvent where the event names nobody to answer, and Undelivered where the answer could not be
    delivered in time: Lambda then invokes the function again, and the same request comes to the same answer.
    """
    deadline = Deadline.of(context)
    try:
        request = parse(event)
    except MalformedEvent as error:
        _LOG.error("nothing was done: %s", error)
        raise
    answer = Answer()
    threading.Thread(target=_work, args=(request, context, deadline, answer), name="work", daemon=True).start()
    response = answer.wait(deadline.left())
    if response is None:
        answer.offer(_out_of_time(request, deadline))
        response = answer.wait(0)
    deadline.end_work()
    if response is not None:
        _deliver(request, response, deadline)


def _work(request: Request, context: object, deadline: Deadline, answer: Answer) -> None:
    try:
        from provider import provision

        provision.answer(request, context, deadline, answer.offer)
    except BaseException as error:  # noqa: BLE001 - an exit, a full memory or a broken package is an answer, too
        reason = f"the provider failed at {deadline.doing}: {type(error).__name__}: {error}"
        _LOG.exception(reason)
        answer.offer(Response(FAILED, request.failure_id, reason))


def _out_of_time(request: Request, deadline: Deadline) -> Response:
    reason = (
        f"time ran out during {deadline.doing}; whether that happened is not known. "
        "Deploy again: the next request finds out and goes on from there"
    )
    _LOG.error(reason)
    return Response(FAILED, request.failure_id, reason)


def _deliver(request: Request, response: Response, deadline: Deadline) -> None:
    try:
        deliver(request.response_url, response.body(request), deadline.left_for_answer)
    except Undelivered as error:
        _LOG.error("%s of %s: %s", response.status, request.request_type, error)
        if not error.final:
            raise


def _prepare() -> None:
    """Do in Lambda's init phase what the first request would otherwise wait for; trouble shows when it comes up."""
    try:
        from provider import provision

        provision.prepare()
    except BaseException:  # noqa: BLE001 - whatever it is, the next request meets it and answers for it
        _LOG.exception("preparing failed; the next request tries again")


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    _prepare()
