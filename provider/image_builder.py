"""EC2 Image Builder's API: reads live state, carries out steps, turns the API's errors into ours."""

import hashlib
import json
import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from itertools import count, islice
from typing import Any, Final, Literal, NamedTuple, Protocol, get_args

from provider.arn import configuration_arn, slug
from provider.client import before_send, call, client
from provider.errors import Outcome, ProviderError
from provider.plan import (
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    Named,
    PutTags,
    RemoveTags,
    Step,
    Target,
    UpdateConfiguration,
)
from provider.properties.model import CREATE, TARGET, UPDATE, content_members

Operation = Literal[
    "CreateDistributionConfiguration",
    "DeleteDistributionConfiguration",
    "GetDistributionConfiguration",
    "ListDistributionConfigurations",
    "ListImagePipelines",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
    "UpdateDistributionConfiguration",
]
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)
"""What is called; the function's artifact knows no other operation, and its role allows no other."""

_READ_ATTEMPTS: Final = 5
"""Of one read that returned no usable response, on top of botocore's own attempts."""
_LONGEST_PAUSE: Final = 2.0
"""Seconds between attempts of a call that was throttled or not sent; they go on for as long as there is time."""
_DENIED_SECONDS: Final = 20.0
"""How long a Create retries calls that are denied: a role from the same deployment may be allowed a bit later."""
_LONGEST_ID: Final = 128
_MOST_NAMED: Final = 100
"""Pipelines in the way; far more than a response holds."""


class Watch(Protocol):
    """The time that the work has. `doing` is the current operation, `trouble` why it is being retried.

    `may_succeed` says whether the response is a success if the work returns none.
    """

    doing: str
    trouble: str
    may_succeed: bool

    def now(self) -> float:
        """Seconds since the epoch."""

    def left(self) -> float:
        """Seconds left."""

    def wait(self, seconds: float) -> None:
        """Wait, at most until no time is left."""


class Home(NamedTuple):
    """Where the provider runs; names of configurations are unique in it. `certain` if nothing speaks against it."""

    partition: str = "aws"
    region: str = ""
    account: str = ""
    certain: bool = False

    @classmethod
    def of(cls, function_arn: str, stack_id: str) -> "Home":
        """The home that the function's ARN names, else the stack's; certain unless the two differ."""
        places = [
            arn.split(":")[:5] for arn in (function_arn, stack_id) if arn.startswith("arn:") and arn.count(":") > 4
        ]
        if not places:
            return cls()
        partition, _, region, account = places[0][1:]
        return cls(partition, region, account, all(place[3:] == [region, account] for place in places))

    def arn(self, name: str) -> str:
        """The ARN of the configuration that a name leads to here."""
        return configuration_arn(self.partition, self.region, self.account, name)


class WriteResult(NamedTuple):
    """What the API answered to a step."""

    arn: str
    request_id: str = ""
    client_token: str = ""


class ImageBuilder:
    """The API as one request uses it: within its time, with its token.

    With `retries_denied`, calls that are denied are retried for twenty seconds in all.
    """

    def __init__(self, home: Home, watch: Watch, *, retries_denied: bool = False) -> None:
        self.not_found: ProviderError | None = None
        """The API's last response about a configuration that does not exist."""
        self._home = home
        self._watch = watch
        self._end = math.inf
        self._denied_seconds = _DENIED_SECONDS if retries_denied else 0.0
        before_send.set(self._only_in_time)

    @cached_property
    def _client(self) -> Any:
        return client()

    def read(self, target: Target) -> Configuration | None:
        """The live state of a configuration; None where there is none."""
        if isinstance(target, str):
            return self._get(target)
        found = self._get(self._home.arn(target.name)) if self._home.region else None
        return found if found or self._home.certain else self._find(target)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Allow the calls in this block some seconds at most."""
        self._end = self._watch.now() + seconds
        try:
            yield
        finally:
            self._end = math.inf

    def _left(self) -> float:
        """Seconds left."""
        return min(self._watch.left(), self._end - self._watch.now())

    def arn(self, target: Target) -> str:
        """The ARN that a target has, whether it exists or not."""
        return target if isinstance(target, str) else self._home.arn(target.name)

    def summaries(self, subject: str) -> Iterator[Mapping[str, Any]]:
        """What the service lists of all configurations, by the API's names. `subject` is what they are read for."""
        return self._list("ListDistributionConfigurations", subject, [], "distributionConfigurationSummaryList")

    def carry_out(self, step: Step, token: str) -> WriteResult:
        """Carry out one step. `token` is the client token where the call takes one. Raises ProviderError."""
        match step:
            case CreateConfiguration(name, content, tags):
                return self._write(CREATE, name, token, {"name": name, "tags": dict(tags), **content})
            case UpdateConfiguration(arn, content):
                return self._write(UPDATE, arn, token, {TARGET: arn, **content})
            case DeleteConfiguration(arn):
                self._delete(arn)
            case PutTags(arn, tags):
                self._call("TagResource", arn, resourceArn=arn, tags=dict(tags))
            case RemoveTags(arn, keys):
                self._call("UntagResource", arn, resourceArn=arn, tagKeys=list(keys))
        return WriteResult(arn)

    def _get(self, arn: str) -> Configuration | None:
        try:
            answer = self._call("GetDistributionConfiguration", arn, "distributionConfiguration", **{TARGET: arn})
        except ProviderError as error:
            if error.outcome is not Outcome.NOT_FOUND:
                raise
            self.not_found = error
            return None
        live = answer["distributionConfiguration"]
        return Configuration(
            arn=arn,
            name=live.get("name", arn.rpartition("/")[2]),
            content={member: live[member] for member in content_members() if member in live},
            tags=live["tags"] if "tags" in live else self._tags(arn),
            created_at=_timestamp(live.get("dateCreated")),
            changed_at=_newest(live.get("dateCreated"), live.get("dateUpdated")),
            date_updated=live.get("dateUpdated") or live.get("dateCreated", ""),
            request_id=_request_id(answer),
        )

    def _tags(self, arn: str) -> Mapping[str, str]:
        """The tags, where the configuration came without them."""
        tags: Mapping[str, str] = self._call("ListTagsForResource", arn, resourceArn=arn).get("tags", {})
        return tags

    def _find(self, target: Named) -> Configuration | None:
        """Look through the list: function and stack are of two accounts, or one of them is not known."""
        for summary in self.summaries(target.name):
            if str(summary.get("arn", "")).rpartition("/")[2] == slug(target.name):
                return self._get(summary["arn"])
        return None

    def _list(
        self, operation: Operation, subject: str, filters: list[dict[str, Any]], member: str
    ) -> Iterator[Mapping[str, Any]]:
        page: dict[str, Any] = {}
        while True:
            answer = self._call(operation, subject, **({"filters": filters} if filters else {}), **page)
            yield from answer.get(member, [])
            if not answer.get("nextToken"):
                return
            page = {"nextToken": answer["nextToken"]}

    def _write(self, operation: Operation, subject: str, token: str, parameters: dict[str, Any]) -> WriteResult:
        answer = self._call(operation, subject, TARGET, **parameters, clientToken=token)
        return WriteResult(answer[TARGET], _request_id(answer), token)

    def back_off(self, error: ProviderError, attempt: int, *, repeatable: bool = False) -> None:
        """Wait before another attempt after `attempt` ones. Raises the error if there must be none.

        Calls that were throttled or could not be sent are attempted for as long as there is time; with `repeatable`,
        so are those whose outcome is unknown.
        """
        pause = random.uniform(0.0, min(_LONGEST_PAUSE, 0.1 * 2**attempt))  # noqa: S311 - jitter, no secret
        passes = error.outcome in (Outcome.THROTTLED, Outcome.UNSENT)
        passes = passes or (repeatable and error.outcome is Outcome.UNKNOWN)
        if error.outcome is Outcome.DENIED and self._denied_seconds > 0:
            passes, pause = True, max(pause, _LONGEST_PAUSE / 4)
            self._denied_seconds -= pause
        if not passes or self._left() <= pause:
            raise error
        self._watch.trouble = error.problem
        self._watch.wait(pause)

    def _delete(self, arn: str) -> None:
        try:
            self._call("DeleteDistributionConfiguration", arn, TARGET, **{TARGET: arn})
        except ProviderError as error:
            if error.outcome is Outcome.IN_USE:
                raise self._in_use(arn).citing(error) from error
            if error.outcome is not Outcome.NOT_FOUND:
                raise

    def _in_use(self, arn: str) -> ProviderError:
        filters = [{"name": TARGET, "values": [arn]}]
        subject = f"{arn}, which is not deleted because pipelines use it"
        try:
            pipelines = tuple(
                f"{pipeline.get('name', 'a pipeline')} ({pipeline.get('arn', 'without ARN')})"
                for pipeline in islice(
                    self._list("ListImagePipelines", subject, filters, "imagePipelineList"), _MOST_NAMED
                )
            )
        except ProviderError as failure:
            pipelines = (f"which ones could not be read: {failure.problem}",)
        return ProviderError(
            f"{arn} is not deleted, because image pipelines use it",
            cure="Point them at another distribution configuration or delete them, then delete again",
            details=pipelines,
        )

    def _only_in_time(self) -> None:
        """Stop botocore's own retries once the request has been answered: no change may come after the response."""
        if self._left() <= 0:
            raise ProviderError(
                f"no time was left for {self._watch.doing}", cure="Deploy again", outcome=Outcome.OUT_OF_TIME
            )

    def _call(self, operation: Operation, subject: str, expected: str = "", /, **parameters: Any) -> dict[str, Any]:
        """One call of the API. A response without its `expected` member (a proxy's page, say) counts as none.

        Reads are repeated here. Writes are not: the decision to write may rest on what was read too long ago.
        """
        failure: ProviderError | None = None
        for attempt in count(1):
            try:
                answer = self._attempt(operation, subject, expected, parameters)
            except ProviderError as error:
                if error.outcome is Outcome.OUT_OF_TIME and failure is not None:
                    raise failure from error
                failure = error
            else:
                self._watch.trouble = self._watch.trouble if failure is None else ""
                return answer
            if not operation.startswith(("Get", "List")):
                raise failure
            self.back_off(failure, attempt, repeatable=attempt < _READ_ATTEMPTS)
        raise AssertionError("unreachable")

    def _attempt(self, operation: str, subject: str, expected: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._watch.doing = f"{operation} of {subject}"
        self._only_in_time()
        return _checked(operation, expected, call(self._client, operation, parameters))


def derived_token(request_id: str, step: Step) -> str:
    """The token for another attempt if the service knows the request's ID with other content: 64 characters."""
    content = json.dumps([request_id, type(step).__name__, step._asdict()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _checked(operation: str, expected: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, if it is the service's own: botocore takes a proxy's page with status 200 for an empty one."""
    kind = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "")
    if (expected and expected not in answer) or "html" in kind:
        raise ProviderError(
            f"{operation} returned a response that is not from Image Builder: a proxy's page, perhaps",
            cure="The outcome is unknown. Check proxies and endpoint settings, then deploy again",
            outcome=Outcome.UNKNOWN,
            request_id=_request_id(answer),
        )
    return answer


def _timestamp(date: object) -> float | None:
    """A date of the API in seconds since the epoch; None if it cannot be read."""
    try:
        found = datetime.fromisoformat(str(date))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _newest(*dates: object) -> float | None:
    return max((found for date in dates if (found := _timestamp(date)) is not None), default=None)


def _request_id(answer: Mapping[str, Any]) -> str:
    return str(answer.get("requestId") or answer.get("ResponseMetadata", {}).get("RequestId", ""))[:_LONGEST_ID]
