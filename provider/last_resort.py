"""The second function, for requests that the first could not answer. Standard library only, and no API calls.

Lambda hands it what became of an asynchronous invocation that failed for good: the function crashed, ran out of
memory or time, or was throttled until the event aged out. Nobody else can tell the stack, which would wait an hour.

Source: AWS Lambda Developer Guide, "Capturing records of asynchronous invocations", the record of a failure.
"""

import logging
from collections.abc import Mapping
from typing import Any

from provider.arn import is_configuration_arn
from provider.protocol.deadline import Deadline
from provider.protocol.delivery import Undelivered, deliver
from provider.protocol.redaction import redact
from provider.protocol.request import Request, parse
from provider.protocol.response import FAILED, SUCCESS, Response

_LOG = logging.getLogger(__name__)


def handler(record: Any, context: Any) -> None:
    """Answer the request that a failed invocation was about.

    Raises MalformedEvent where the record holds no request that can be answered, and Undelivered where the answer
    did not arrive; after Lambda's own retries such a record ends in the dead-letter queue, where an alarm sees it.
    """
    deadline = Deadline.of(context)
    payload = record.get("requestPayload") if isinstance(record, Mapping) else record
    request = parse(payload)
    response = _response(request, record)
    _LOG.error(
        "%s %s was not answered by the provider: %s", request.request_type, request.logical_id, redact(response.reason)
    )
    try:
        outcome = f"{response.status} for {response.physical_id}"
        deliver(request.response_url, response.body(request), deadline.left_for_answer, outcome=outcome)
    except Undelivered as error:
        if not error.final:
            raise
        _LOG.error("the response was rejected: %s", error)


def _response(request: Request, record: Mapping[str, Any]) -> Response:
    if request.is_noop_delete or request.is_rejected_create:
        return Response(SUCCESS, request.failure_id())
    return Response(FAILED, request.failure_id(), f"{_what_happened(record)}. {_what_to_check(request)}")


def _what_happened(record: Mapping[str, Any]) -> str:
    about = _mapping(record.get("requestContext"))
    told = _mapping(record.get("responsePayload"))
    kind, message = told.get("errorType"), told.get("errorMessage")
    cause = ": ".join(str(part) for part in (kind, message) if part)
    if about.get("condition") == "EventAgeExceeded":
        return "the provider's function did not get to this request in time (it was throttled or unavailable)"
    attempts = about.get("approximateInvokeCount", "some")
    return f"the provider's function failed in {attempts} attempts{f': {cause}' if cause else ''}"


def _what_to_check(request: Request) -> str:
    if request.request_type == "Delete":
        subject = request.physical_id if is_configuration_arn(request.physical_id) else request.expected_arn
        return (
            f"Check whether {subject or 'the configuration'} still exists and delete it by hand if it should not; "
            "then delete the stack again or retain this resource"
        )
    where = f" of {request.expected_arn}" if request.expected_arn else ""
    return (
        f"Whether anything{where} changed is unknown; the next request finds out and continues from there. "
        "Look into the function's log, then deploy again"
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
