"""Asynchronous invocations of the deployed functions that fail at each attempt: their failure destinations."""

import json
from functools import partial

from e2e.account import PROVIDER_STACK, Account
from e2e.bucket import Bucket
from e2e.waiting import wait_until
from provider.emulator.emulator import Emulator, Fault

ATTEMPTS = 2
"""Of the provider's function, as in template.yaml: one, and one retry."""


def called(service: Emulator, times: int) -> bool:
    """Return whether Image Builder has received so many calls."""
    return len(service.requests) == times


def test_the_last_resort_responds_for_a_killed_provider(account: Account, service: Emulator, bucket: Bucket) -> None:
    """If each attempt is killed, the failure destination responds FAILED."""
    before = len(service.requests)
    service.fail("*", Fault.HANG, times=ATTEMPTS)
    request = bucket.request("create-own")
    token = account.outputs(PROVIDER_STACK)["ServiceToken"]
    account.functions.invoke(FunctionName=token, InvocationType="Event", Payload=json.dumps(request.event))
    for attempt in range(1, ATTEMPTS + 1):
        wait_until(partial(called, service, before + attempt))
        account.kill_functions()
    wait_until(lambda: request.response_count == 1)
    assert not request.response.succeeded
    assert "the provider's function failed" in request.response.reason
    assert len(service.requests) == before + ATTEMPTS


def test_the_queue_keeps_a_request_without_a_response(account: Account) -> None:
    """If the last-resort function cannot respond either, the queue in the stack's output receives the whole request."""
    payload = {"RequestType": "Create", "ResponseURL": "http://not-loopback.example/answer"}
    function = account.resource(PROVIDER_STACK, "LastResortFunction")
    record = json.dumps({"requestPayload": payload})
    account.functions.invoke(FunctionName=function, InvocationType="Event", Payload=record)
    queue = account.outputs(PROVIDER_STACK)["UnansweredQueueUrl"]
    (message,) = account.queues.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    assert json.loads(message["Body"])["requestPayload"]["requestPayload"] == payload
