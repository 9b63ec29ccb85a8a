"""EC2 Image Builder's API: reads live state, carries out steps, turns the API's errors into ours."""

import hashlib
import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import count, islice
from typing import Any, Final, Protocol

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.parsers import ResponseParserError
from botocore.session import get_session

from provider.errors import Outcome, ProviderError, api_error
from provider.lifecycle import slug, with_name
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
from provider.properties.model import CREATE, SERVICE, TARGET, UPDATE, content_members, loader

_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 15
_READ_ATTEMPTS: Final = 5
"""Of one call that only reads and was not answered properly, on top of botocore's own attempts."""
_LONGEST_PAUSE: Final = 2.0
"""Seconds between attempts of a call that was throttled; they go on for as long as there is time."""
_LONGEST_ID: Final = 128
_MOST_NAMED: Final = 100
"""Pipelines in the way; far more than an answer holds."""
_CHECK_SETTINGS: Final = "Check the Region, the credentials and the other AWS_ settings of the provider's function"


class Watch(Protocol):
    """Who knows how much time the work has, and would tell what was being done and made when it is up."""

    doing: str
    created: str

    def left(self) -> float:
        """Seconds left."""


@dataclass(frozen=True)
class Home:
    """Where the provider runs; names of configurations are unique in it. `certain` where nothing speaks against it."""

    partition: str = "aws"
    region: str = ""
    account: str = ""
    certain: bool = False

    @classmethod
    def of(cls, function_arn: str, stack_id: str) -> "Home":
        """The home that the function's ARN names, else the stack's; certain where both name the same."""
        places = [
            arn.split(":")[:5] for arn in (function_arn, stack_id) if arn.startswith("arn:") and arn.count(":") > 4
        ]
        if not places:
            return cls()
        partition, _, region, account = places[0][1:]
        return cls(partition, region, account, len(places) == 2 and places[1][3:] == [region, account])

    def arn(self, name: str) -> str:
        """The ARN of the configuration that a name leads to here."""
        return with_name(
            f"arn:{self.partition}:{SERVICE}:{self.region}:{self.account}:distribution-configuration/", name
        )


@dataclass(frozen=True)
class Receipt:
    """What the API answered to a step."""

    arn: str
    request_id: str = ""
    client_token: str = ""


_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


def client() -> Any:
    """The API client, made once an environment and anew only where botocore's settings in it have changed."""
    settings = {k: v for k, v in os.environ.items() if k.startswith("AWS_") or k.lower().endswith("_proxy")}
    return _client(frozenset(settings.items()))


@lru_cache(maxsize=1)
def _client(_settings: frozenset[tuple[str, str]]) -> Any:
    core = get_session()
    core.register_component("data_loader", loader())
    config = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS)
    if "AWS_RETRY_MODE" not in os.environ:
        config = config.merge(Config(retries={"mode": "standard"}))
    session: Any = boto3.Session(botocore_session=core, region_name=os.environ.get("AWS_REGION"))
    made = session.client(SERVICE, config=config)
    made.meta.events.register(f"before-send.{SERVICE}", _only_in_time)
    return made


def _only_in_time(**_: object) -> None:
    """Stop botocore's own retries once the request has been answered: no change may come after the answer."""
    watch = _watch.get()
    if watch is not None and watch.left() <= 0:
        raise _out_of_time(watch)


class ImageBuilder:
    """The API as one request uses it: within its time, with its token."""

    def __init__(self, home: Home, watch: Watch) -> None:
        self.not_found: ProviderError | None = None
        """What the API last answered about something that is not there."""
        self._home = home
        self._watch = watch
        _watch.set(watch)

    def read(self, target: Target) -> Configuration | None:
        """The live state of a configuration; None where there is none."""
        if isinstance(target, str):
            return self._get(target)
        found = self._get(self._home.arn(target.name)) if self._home.region else None
        return found if found or self._home.certain else self._find(target)

    def carry_out(self, step: Step, token: str) -> Receipt:
        """Carry out one step. `token` is the client token where the call takes one. Raises ProviderError."""
        match step:
            case CreateConfiguration(name, content, tags):
                receipt = self._write(CREATE, name, token, {"name": name, "tags": dict(tags), **content})
                self._watch.created = receipt.arn
                return receipt
            case UpdateConfiguration(arn, content):
                return self._write(UPDATE, arn, token, {TARGET: arn, **content})
            case DeleteConfiguration(arn):
                self._delete(arn)
            case PutTags(arn, tags):
                self._call("TagResource", arn, resourceArn=arn, tags=dict(tags))
            case RemoveTags(arn, keys):
                self._call("UntagResource", arn, resourceArn=arn, tagKeys=list(keys))
        return Receipt(arn)

    def _get(self, arn: str) -> Configuration | None:
        try:
            answer = self._call("GetDistributionConfiguration", arn, "distributionConfiguration", **{TARGET: arn})
        except ProviderError as error:
            if error.outcome is not Outcome.GONE:
                raise
            self.not_found = error
            return None
        live = answer["distributionConfiguration"]
        return Configuration(
            arn=arn,
            name=live.get("name", arn.rpartition("/")[2]),
            content={member: live[member] for member in content_members() if member in live},
            tags=live["tags"] if "tags" in live else self._tags(arn),
            date_updated=live.get("dateUpdated") or live.get("dateCreated", ""),
            request_id=_request_id(answer),
        )

    def _tags(self, arn: str) -> Mapping[str, str]:
        """The tags, where the configuration came without them."""
        tags: Mapping[str, str] = self._call("ListTagsForResource", arn, resourceArn=arn).get("tags", {})
        return tags

    def _find(self, target: Named) -> Configuration | None:
        """Look through the list: function and stack are of two accounts, or one of them is not known."""
        member = "distributionConfigurationSummaryList"
        for summary in self._list("ListDistributionConfigurations", target.name, [], member):
            if str(summary.get("arn", "")).rpartition("/")[2] == slug(target.name):
                return self._get(summary["arn"])
        return None

    def _list(
        self, operation: str, subject: str, filters: list[dict[str, Any]], member: str
    ) -> Iterator[Mapping[str, Any]]:
        page: dict[str, Any] = {}
        while True:
            answer = self._call(operation, subject, **({"filters": filters} if filters else {}), **page)
            yield from answer.get(member, [])
            if not answer.get("nextToken"):
                return
            page = {"nextToken": answer["nextToken"]}

    def _write(self, operation: str, subject: str, token: str, parameters: dict[str, Any]) -> Receipt:
        answer = self._call(operation, subject, TARGET, **parameters, clientToken=token)
        return Receipt(answer[TARGET], _request_id(answer), token)

    def wait(self, seconds: float) -> None:
        """Wait, as long as there is time."""
        time.sleep(max(0.0, min(seconds, self._watch.left())))

    def _delete(self, arn: str) -> None:
        try:
            self._call("DeleteDistributionConfiguration", arn, TARGET, **{TARGET: arn})
        except ProviderError as error:
            if error.outcome is Outcome.IN_USE:
                raise self._in_use(arn).citing(error) from error
            if error.outcome is not Outcome.GONE:
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

    def _call(self, operation: str, subject: str, expected: str = "", /, **parameters: Any) -> dict[str, Any]:
        """One call of the API. An answer without its `expected` member (a proxy's page, say) counts as none."""
        reads = operation.startswith(("Get", "List"))
        for attempt in count(1):
            if self._watch.left() <= 0:
                raise _out_of_time(self._watch)
            self._watch.doing = f"{operation} of {subject}"
            try:
                return _checked(operation, expected, _send(operation, parameters))
            except ProviderError as error:
                unread = reads and error.outcome is Outcome.UNKNOWN and attempt < _READ_ATTEMPTS
                again = unread or error.outcome is Outcome.THROTTLED
                pause = random.uniform(0.0, min(_LONGEST_PAUSE, 0.1 * 2**attempt))  # noqa: S311 - jitter, no secret
                if not again or self._watch.left() <= pause:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")


def derived_token(request_id: str, step: Step) -> str:
    """The token for another attempt where the service knows the request's ID with other content: 64 characters."""
    content = json.dumps([request_id, type(step).__name__, asdict(step)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _send(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        api = client()
    except (BotoCoreError, ValueError) as error:
        raise ProviderError(f"{operation} could not be called: {error}", cure=_CHECK_SETTINGS) from error
    try:
        answer: dict[str, Any] = getattr(api, xform_name(operation))(**parameters)
    except ProviderError:
        raise
    except ClientError as error:
        told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        status = int(meta.get("HTTPStatusCode", 0))
        refusal = api_error(
            operation, str(told.get("Code", "")), str(told.get("Message", "")), status, str(meta.get("RequestId", ""))
        )
        if refusal.outcome is Outcome.REFUSED and meta.get("RetryAttempts"):
            refusal.outcome = Outcome.UNKNOWN  # an earlier attempt of botocore's may have come through
        raise refusal from error
    except (HTTPClientError, ResponseParserError) as error:
        raise ProviderError(
            f"{operation} was not answered properly ({type(error).__name__})",
            cure="Whether it happened is not known; deploy again",
            outcome=Outcome.UNKNOWN,
        ) from error
    except BotoCoreError as error:
        raise ProviderError(f"{operation} could not be called: {error}", cure=_CHECK_SETTINGS) from error
    except BaseException as error:  # an exit or a full memory, too, leaves open whether the call came through
        raise ProviderError(
            f"{operation} broke off inside the client ({type(error).__name__}: {error})",
            cure="Whether it happened is not known; deploy again",
            outcome=Outcome.UNKNOWN,
        ) from error
    return answer


def _checked(operation: str, expected: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, if it is the service's own: botocore takes a proxy's page with status 200 for an empty one."""
    kind = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("content-type", "")
    if (expected and expected not in answer) or "html" in kind:
        raise ProviderError(
            f"{operation} was answered with something that is not the service's: a proxy's page, perhaps",
            cure="Whether it happened is not known. Check proxies and endpoint settings, then deploy again",
            outcome=Outcome.UNKNOWN,
            request_id=_request_id(answer),
        )
    return answer


def _out_of_time(watch: Watch) -> ProviderError:
    return ProviderError(f"time ran out before {watch.doing}", cure="Deploy again")


def _request_id(answer: Mapping[str, Any]) -> str:
    return str(answer.get("requestId") or answer.get("ResponseMetadata", {}).get("RequestId", ""))[:_LONGEST_ID]
