"""The last-resort function, for requests that the provider's function did not respond to.

Lambda invokes it with the record of an asynchronous invocation after all retries failed: the function crashed, ran out
of memory or time, or was throttled until the event expired. Without it, the stack would wait for an hour.
It uses only the standard library and makes no API calls.

Source: AWS Lambda Developer Guide, "Capturing records of asynchronous invocations", the record of a failure.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from .arn import is_configuration_arn
from .cloudformation.deadline import Deadline
from .cloudformation.delivery import Undelivered, deliver
from .cloudformation.redaction import redact
from .cloudformation.request import Request, parse
from .cloudformation.response import FAILED, SUCCESS, Response

_LOG = logging.getLogger(__name__)
_SWEEP: Final = "sweep"
"""The key of the event of the ledger's schedule, which has no response URL."""


def handler(record: Any, context: Any) -> None:
    """Respond to the request of a failed invocation. A failed sweep needs no response.

    Raises MalformedEvent if the record has no complete request, and Undelivered if the response was not delivered.
    After Lambda's retries, such a record goes to the queue of unanswered requests, which has an alarm.
    """
    deadline = Deadline.of(context)
    payload = record.get("requestPayload") if isinstance(record, Mapping) else record
    if isinstance(payload, Mapping) and _SWEEP in payload:
        _LOG.error("a sweep of the ledger failed; no request waits for it, and the next one does its work")
        return
    request = parse(payload)
    response = _response(request, record)
    _LOG.error(
        "the provider did not respond to %s of %s: %s",
        request.request_type,
        request.logical_id,
        redact(response.reason),
    )
    try:
        outcome = f"{response.status} for {response.physical_id}"
        deliver(request.response_url, response.body(request), deadline.left_for_response, outcome=outcome)
    except Undelivered as error:
        if not error.final:
            raise
        _LOG.error("the response was rejected: %s", error)


def _response(request: Request, record: Mapping[str, Any]) -> Response:
    if request.is_noop_delete or request.is_delete_of_rejected_create:
        return Response(SUCCESS, request.failure_id())
    return Response(FAILED, request.failure_id(), f"{_what_happened(record)}. {_what_to_check(request)}")


def _what_happened(record: Mapping[str, Any]) -> str:
    context = _mapping(record.get("requestContext"))
    payload = _mapping(record.get("responsePayload"))
    cause = ": ".join(str(payload[key]) for key in ("errorType", "errorMessage") if payload.get(key))
    if context.get("condition") == "EventAgeExceeded":
        return "Lambda did not invoke the provider's function in time (it was throttled or unavailable)"
    count = context.get("approximateInvokeCount")
    attempts = f"after {count} attempt{'' if count == 1 else 's'}" if count else "on every attempt"
    return f"the provider's function failed {attempts}{f': {cause}' if cause else ''}"


def _what_to_check(request: Request) -> str:
    if request.request_type == "Delete":
        subject = request.physical_id if is_configuration_arn(request.physical_id) else request.expected_arn
        return (
            f"Check whether {subject or 'the resource'} still exists; if it should be gone, delete it manually. "
            "Then delete the stack again, with --retain-resources if necessary"
        )
    subject = f" for {request.expected_arn}" if request.expected_arn else ""
    return f"The outcome{subject} is unknown. Check the function's log, then deploy again; redeploying is safe"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
