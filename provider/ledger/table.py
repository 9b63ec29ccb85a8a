"""The five operations of the ledger's table, through botocore's client. All reads are consistent.

Each write is an update of some attributes of one item, and conditional on the values of some. So it can be repeated
after any failure: whether it took effect shows in an attribute that each write sets to another value.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..aws.client import before_send, call, client
from ..errors import Outcome, ProviderError
from ..schema.model import LEDGER_SERVICE

if TYPE_CHECKING:
    from random import Random
    from typing import Protocol

    from ..cloudformation.deadline import Deadline

    class Table(Protocol):
        """A table of items, partitioned and sorted by two keys. Raises ProviderError if it cannot be reached."""

        def get(self, key: "Key") -> "Item | None":
            """Return an item; None if there is none."""

        def query(self, partition: str) -> "Iterator[Item]":
            """Yield all items of a partition, in the order of their sort keys."""

        def scan(self, attributes: Sequence[str]) -> "Iterator[Item]":
            """Yield these attributes of all items."""

        def write(self, write: "Write") -> bool:
            """Write an item. Returns whether its condition was met."""

        def transact(self, writes: "Sequence[Write]") -> frozenset[int]:
            """Write items, all or none. Returns the indexes of those whose condition failed; empty if it succeeded."""


PARTITION_KEY: Final = "pk"
SORT_KEY: Final = "sk"
EXPIRES: Final = "expires"
"""The attribute after which DynamoDB may delete an item, in seconds since the epoch."""

MAX_TRANSACTION: Final = 100
"""Items of one transaction."""

OPERATIONS: Final = ("GetItem", "Query", "Scan", "TransactWriteItems", "UpdateItem")
"""The operations that the ledger calls."""

Value = str | int | float | bool | bytes


class Key(NamedTuple):
    """The key of an item."""

    partition: str
    sort: str


Item = Mapping[str, Value]


class Write(NamedTuple):
    """An update of one item. A change to None removes the attribute; an expected None means that there is none.

    Without changes, a transaction only checks the condition.
    """

    key: Key
    changes: Mapping[str, Value | None]
    expected: Mapping[str, Value | None]


_NONCE: Final = "nonce"
"""The attribute that each write sets to another value."""
_ATTEMPTS: Final = 5
"""Attempts of a call that returns no usable response, each with botocore's own retries."""
_MAX_PAUSE: Final = 1.0
_CONDITION_FAILED: Final = "ConditionalCheckFailed"
_CANCELED: Final = "TransactionCanceledException"
_BUSY: Final = frozenset(
    {
        "ThrottlingException",
        "ThrottlingError",
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "TransactionConflictException",
        "TransactionConflict",
        "TransactionInProgressException",
    }
)
"""Error codes, and reasons of a canceled transaction, after which the same call may succeed."""


class DynamoTable:
    """A DynamoDB table. Calls are retried while the deadline allows, and none starts after it."""

    def __init__(self, name: str, region: str | None, deadline: "Deadline", random: "Random") -> None:
        self._name, self._region = name, region
        self._deadline, self._random = deadline, random

    def get(self, key: Key) -> Item | None:
        response = self._call("GetItem", Key=_key(key), ConsistentRead=True)
        return _item(response["Item"]) if "Item" in response else None

    def query(self, partition: str) -> Iterator[Item]:
        return self._pages(
            "Query",
            ConsistentRead=True,
            KeyConditionExpression="#p = :p",
            ExpressionAttributeNames={"#p": PARTITION_KEY},
            ExpressionAttributeValues={":p": {"S": partition}},
        )

    def scan(self, attributes: Sequence[str]) -> Iterator[Item]:
        names = {f"#{number}": name for number, name in enumerate((PARTITION_KEY, SORT_KEY, *attributes))}
        return self._pages(
            "Scan", ConsistentRead=True, ProjectionExpression=", ".join(names), ExpressionAttributeNames=names
        )

    def write(self, write: Write) -> bool:
        nonce = self._nonce()
        try:
            self._call("UpdateItem", **_update(write, nonce))
        except ProviderError as error:
            if not error.code.startswith(_CONDITION_FAILED):
                raise
            # An attempt whose response was lost may have taken effect.
            return (self.get(write.key) or {}).get(_NONCE) == nonce
        return True

    def transact(self, writes: Sequence[Write]) -> frozenset[int]:
        nonce = self._nonce()
        items = [
            {"Update": {"TableName": self._name, **_update(write, nonce)}}
            if write.changes
            else {"ConditionCheck": {"TableName": self._name, **_check(write)}}
            for write in writes
        ]
        try:
            self._call("TransactWriteItems", TransactItems=items, ClientRequestToken=nonce)
        except ProviderError as error:
            failed = {index for index, code in enumerate(_reasons(error)) if code == _CONDITION_FAILED}
            if not failed:
                raise
            return frozenset() if self._took_effect(writes, nonce) else frozenset(failed)
        return frozenset()

    def _took_effect(self, writes: Sequence[Write], nonce: str) -> bool:
        """Return whether a transaction took effect, although a repetition of it failed."""
        first = next((write for write in writes if write.changes), None)
        return first is not None and (self.get(first.key) or {}).get(_NONCE) == nonce

    def _nonce(self) -> str:
        return uuid.UUID(int=self._random.getrandbits(128), version=4).hex

    def _pages(self, operation: str, **parameters: Any) -> Iterator[Item]:
        """Yield the items of all pages. A page without items may still have a successor."""
        page: dict[str, Any] = {}
        while True:
            response = self._call(operation, **parameters, **page)
            yield from map(_item, response.get("Items", []))
            if not response.get("LastEvaluatedKey"):
                return
            page = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    @cached_property
    def _client(self) -> Any:
        return client(LEDGER_SERVICE, self._region)

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if operation != "TransactWriteItems":
            parameters["TableName"] = self._name
        for attempt in count(1):
            try:
                response = self._attempt(operation, parameters)
            except ProviderError as error:
                if _is_decided(error):
                    raise
                pause = self._random.uniform(0.0, min(_MAX_PAUSE, 0.05 * 2**attempt))
                if not _is_repeatable(error, attempt) or self._deadline.left() <= pause:
                    raise self._unreachable(error) from error
                self._deadline.retry_reason = error.problem
                self._deadline.wait(pause)
            else:
                self._deadline.retry_reason = self._deadline.retry_reason if attempt == 1 else ""
                return response
        raise AssertionError("unreachable")

    def _attempt(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._deadline.current_operation = f"{operation} of the ledger's table {self._name}"
        self._stop_in_time()
        api = self._client
        hook = before_send.set(self._stop_in_time)
        try:
            response = call(api, operation, parameters)
        finally:
            before_send.reset(hook)
        headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        if "html" in headers.get("content-type", ""):
            raise ProviderError(f"{operation} returned a page that is not from DynamoDB", outcome=Outcome.UNKNOWN)
        return response

    def _stop_in_time(self) -> None:
        if self._deadline.left() <= 0:
            problem = f"no time was left for {self._deadline.current_operation}"
            raise ProviderError(problem, remediation="Deploy again", outcome=Outcome.OUT_OF_TIME)

    def _unreachable(self, error: ProviderError) -> ProviderError:
        return ProviderError(
            f"the ledger (DynamoDB table {self._name}) cannot be reached: {error.problem}",
            remediation="Check that the table exists and that the provider's role may access it, then deploy again",
            outcome=Outcome.OUT_OF_TIME if error.outcome is Outcome.OUT_OF_TIME else Outcome.REFUSED,
            code=error.code,
            request_id=error.request_id,
        )


def _is_decided(error: ProviderError) -> bool:
    """Return whether a failed condition is the reason: the caller handles it."""
    return error.code.startswith(_CONDITION_FAILED) or _CONDITION_FAILED in _reasons(error)


def _is_repeatable(error: ProviderError, attempt: int) -> bool:
    if error.outcome in (Outcome.OUT_OF_TIME, Outcome.DENIED):
        return False
    reasons = set(_reasons(error)) - {"None"}
    if error.code in _BUSY or error.outcome is Outcome.THROTTLED or (reasons and reasons <= _BUSY):
        return True
    # A rejection after botocore's own retries has an unknown outcome, but a code.
    is_lost = error.outcome in (Outcome.UNKNOWN, Outcome.UNSENT) and not (error.code and error.code not in _FAULTS)
    return is_lost and attempt < _ATTEMPTS


_FAULTS: Final = frozenset(
    {"InternalServerError", "InternalFailure", "ServiceUnavailable", "InternalServerErrorException"}
)
"""Error codes of a service-side failure."""


def _reasons(error: ProviderError) -> list[str]:
    """Return the reason for each item of a canceled transaction; empty for any other error."""
    if error.code != _CANCELED:
        return []
    response = getattr(error.__cause__, "response", {})
    return [str(reason.get("Code", "None")) for reason in response.get("CancellationReasons", [])]


def _update(write: Write, nonce: str) -> dict[str, Any]:
    """Return the parameters of an UpdateItem call, or of an update in a transaction."""
    expression = _Expression()
    changes: dict[str, Value | None] = {**write.changes, _NONCE: nonce}
    put = [
        f"{expression.name(name)} = {expression.value(value)}" for name, value in changes.items() if value is not None
    ]
    removed = [expression.name(name) for name, value in changes.items() if value is None]
    update = f"SET {', '.join(put)}" + (f" REMOVE {', '.join(removed)}" if removed else "")
    return {"UpdateExpression": update, **_condition(write, expression)}


def _check(write: Write) -> dict[str, Any]:
    return _condition(write, _Expression())


def _condition(write: Write, expression: "_Expression") -> dict[str, Any]:
    conditions = [
        f"attribute_not_exists({expression.name(name)})"
        if value is None
        else f"{expression.name(name)} = {expression.value(value)}"
        for name, value in write.expected.items()
    ]
    parameters: dict[str, Any] = {"Key": _key(write.key), "ExpressionAttributeNames": expression.names}
    if conditions:
        parameters["ConditionExpression"] = " AND ".join(conditions)
    if expression.values:
        parameters["ExpressionAttributeValues"] = expression.values
    return parameters


class _Expression:
    """The placeholders of an expression, because many names are reserved."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def name(self, name: str) -> str:
        placeholder = f"#{name}"
        self.names[placeholder] = name
        return placeholder

    def value(self, value: Value) -> str:
        placeholder = f":{len(self.values)}"
        self.values[placeholder] = _attribute(value)
        return placeholder


def _key(key: Key) -> dict[str, Any]:
    return {PARTITION_KEY: {"S": key.partition}, SORT_KEY: {"S": key.sort}}


def _attribute(value: Value) -> dict[str, Any]:
    """Return a value in DynamoDB's notation."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case _:
            return {"N": repr(value)}


def _item(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Value]:
    return {name: _python(attribute) for name, attribute in attributes.items()}


def _python(attribute: Mapping[str, Any]) -> Value:
    ((type_name, value),) = attribute.items()
    if type_name == "N":
        with suppress(ValueError):
            return int(value)
        return float(value)
    python: Value = value
    return python
