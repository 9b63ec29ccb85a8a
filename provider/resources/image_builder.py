"""Reads distribution configurations and executes the steps of plans through EC2 Image Builder's API."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from ..arn import Location, slug
from ..errors import Outcome, ProviderError, request_id_of
from ..plan import (
    ByName,
    Configuration,
    CreateConfiguration,
    DeleteConfiguration,
    PutTags,
    RemoveTags,
    Step,
    Target,
    UpdateConfiguration,
    WriteResult,
)
from ..schema.model import CREATE, TARGET, UPDATE, content_members
from .locations import Locations

if TYPE_CHECKING:
    from ..reconciler.api_calls import ApiCalls

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
"""The operations that the provider calls. The function's artifact and its role contain no others."""

_LIST: Final[Operation] = "ListDistributionConfigurations"
_MAX_PIPELINES: Final = 100
"""How many pipelines a message names; far more than fit into a response."""


class ImageBuilder:
    """The distribution configurations in the locations of a request: the `Adapter` of this resource type."""

    def __init__(self, calls: "ApiCalls", locations: Locations) -> None:
        self.not_found: ProviderError | None = None
        self._calls = calls
        self._locations = locations

    def read(self, target: Target) -> Configuration | None:
        if isinstance(target, str):
            return self._get(target)
        desired = self._locations.desired
        found = self._get(desired.arn(target.name)) if desired.region else None
        return found if found or desired.is_verified else self._find(target)

    def arn(self, target: Target) -> str:
        return target if isinstance(target, str) else self._locations.desired.arn(target.name)

    def summaries(self, subject: str) -> Iterator[Mapping[str, Any]]:
        """Yield the summaries of all configurations in the desired location, by the API's names.

        `subject` is what they are read for.
        """
        return self._calls.pages(self._locations.desired, _LIST, subject, "distributionConfigurationSummaryList")

    def execute(self, step: Step, token: str) -> WriteResult:
        match step:
            case CreateConfiguration(name, content, tags):
                parameters = {"name": name, "tags": dict(tags), **content}
                return self._write(self._locations.desired, CREATE, name, token, parameters)
            case UpdateConfiguration(arn, content):
                return self._write(self._locations.at(arn), UPDATE, arn, token, {TARGET: arn, **content})
            case DeleteConfiguration(arn):
                self._delete(arn)
            case PutTags(arn, tags):
                self._call("TagResource", arn, resourceArn=arn, tags=dict(tags))
            case RemoveTags(arn, keys):
                self._call("UntagResource", arn, resourceArn=arn, tagKeys=list(keys))
        return WriteResult(arn)

    def _get(self, arn: str) -> Configuration | None:
        try:
            response = self._call("GetDistributionConfiguration", arn, "distributionConfiguration", **{TARGET: arn})
        except ProviderError as error:
            if error.outcome is not Outcome.NOT_FOUND:
                raise
            self.not_found = error
            return None
        live = response["distributionConfiguration"]
        return Configuration(
            arn=arn,
            name=live.get("name", arn.rpartition("/")[2]),
            content={member: live[member] for member in content_members() if member in live},
            tags=live["tags"] if "tags" in live else self._tags(arn),
            created_at=_timestamp(live.get("dateCreated")),
            changed_at=_newest(live.get("dateCreated"), live.get("dateUpdated")),
            date_updated=live.get("dateUpdated") or live.get("dateCreated", ""),
            request_id=request_id_of(response),
        )

    def _tags(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a configuration whose response lacks them."""
        tags: Mapping[str, str] = self._call("ListTagsForResource", arn, resourceArn=arn).get("tags", {})
        return tags

    def _find(self, target: ByName) -> Configuration | None:
        """Search the list of configurations, because the location is not verified."""
        for summary in self.summaries(target.name):
            if str(summary.get("arn", "")).rpartition("/")[2] == slug(target.name):
                return self._get(summary["arn"])
        return None

    def _call(self, operation: Operation, arn: str, expected: str = "", /, **parameters: Any) -> dict[str, Any]:
        """Call an operation on a configuration, in its location."""
        return self._call_in(self._locations.at(arn), operation, arn, expected, parameters)

    def _call_in(
        self, location: Location, operation: Operation, subject: str, expected: str, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            return self._calls.call(location, operation, subject, expected, **parameters)
        except ProviderError as error:
            raise self._locations.explained(error, location) from error

    def _write(
        self, location: Location, operation: Operation, subject: str, token: str, parameters: dict[str, Any]
    ) -> WriteResult:
        response = self._call_in(location, operation, subject, TARGET, {**parameters, "clientToken": token})
        return WriteResult(response[TARGET], request_id_of(response), token)

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
        location = self._locations.at(arn)
        pages = self._calls.pages(location, "ListImagePipelines", subject, "imagePipelineList", filters=filters)
        try:
            pipelines = tuple(
                f"{pipeline.get('name', 'a pipeline')} ({pipeline.get('arn', 'no ARN returned')})"
                for pipeline in islice(pages, _MAX_PIPELINES)
            )
        except ProviderError as failure:
            pipelines = (f"which ones could not be read: {failure.problem}",)
        return ProviderError(
            f"{arn} cannot be deleted, because image pipelines use it",
            remediation="Point them at another distribution configuration or delete them, then repeat the deletion",
            details=pipelines,
        )


def _timestamp(date: object) -> float | None:
    """Return a date of the API in seconds since the epoch; None if it cannot be parsed."""
    try:
        parsed = datetime.fromisoformat(str(date))
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _newest(*dates: object) -> float | None:
    return max((found for date in dates if (found := _timestamp(date)) is not None), default=None)
