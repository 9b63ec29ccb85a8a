"""Asynchronous invocations of the deployed functions that fail for good: who answers, and what is left."""

import json
from functools import partial

from e2e.account import PROVIDER_STACK, Account
from e2e.bucket import Bucket
from e2e.patience import wait_until
from provider.emulator.emulator import Emulator, Fault

ATTEMPTS = 2
"""Of the provider's function, as template.yaml has it: one, and one retry."""


def called(service: Emulator, times: int) -> bool:
    """Whether Image Builder has been called that often."""
    return len(service.requests) == times


def test_a_provider_killed_at_each_attempt_is_answered_for(account: Account, service: Emulator, bucket: Bucket) -> None:
    """Where each of the template's attempts is killed, its failure destination answers FAILED in their place."""
    before = len(service.requests)
    service.fail("*", Fault.HANG, times=ATTEMPTS)
    request = bucket.request("create-own")
    token = account.outputs(PROVIDER_STACK)["ServiceToken"]
    account.functions.invoke(FunctionName=token, InvocationType="Event", Payload=json.dumps(request.event))
    for attempt in range(1, ATTEMPTS + 1):
        wait_until(partial(called, service, before + attempt))
        account.kill_functions()
    wait_until(lambda: request.answers == 1)
    assert not request.answer.succeeded
    assert "the provider's function failed" in request.answer.reason
    assert len(service.requests) == before + ATTEMPTS


def test_what_nobody_can_answer_is_kept_in_the_queue(account: Account) -> None:
    """A request that even the last resort cannot answer ends in the queue that the stack's output names, whole."""
    payload = {"RequestType": "Create", "ResponseURL": "http://not-loopback.example/answer"}
    function = account.resource(PROVIDER_STACK, "LastResortFunction")
    record = json.dumps({"requestPayload": payload})
    account.functions.invoke(FunctionName=function, InvocationType="Event", Payload=record)
    queue = account.outputs(PROVIDER_STACK)["UnansweredQueueUrl"]
    (message,) = account.queues.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    assert json.loads(message["Body"])["requestPayload"]["requestPayload"] == payload
