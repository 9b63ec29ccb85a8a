"""Image Builder's operations on distribution configurations: their effects and errors, without HTTP."""

import copy
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from .constraints import violations
from .faults import ServiceError
from .listing import listing
from .rejections import check_rules, invalid_value

Members = dict[str, Any]

_TIMEOUT_MINUTES = 720  # the service always returns this member and never uses it
_CONFIGURATION_FILTERS = {"name"}
_PIPELINE_FILTERS = {
    *("description", "distributionConfigurationArn", "imageRecipeArn", "infrastructureConfigurationArn"),
    *("name", "status"),
}


class EmulatedService:
    """One account's distribution configurations and image pipelines in one Region. Thread-safe."""

    def __init__(self, model: ServiceModel, arn_prefix: str, clock: Callable[[], float] = time.time) -> None:
        """`arn_prefix` is the start of all ARNs: `arn:aws:imagebuilder:us-east-1:123456789012`.

        `clock` returns seconds since the epoch, for the dates of changes.
        """
        self.read_lag = 0.0
        """Seconds until reads return the result of a write."""
        self._clock = clock
        self._arn_prefix = arn_prefix
        self._lock = threading.RLock()
        self._configurations: dict[str, Members] = {}
        self._history: list[tuple[float, dict[str, Members]]] = []
        self._pipelines: dict[str, Members] = {}
        self._by_token: dict[tuple[str, str], tuple[Members, Members]] = {}
        self._operations: dict[str, Callable[[Members], Members]] = {
            "CreateDistributionConfiguration": self._create,
            "GetDistributionConfiguration": self._get,
            "UpdateDistributionConfiguration": self._update,
            "DeleteDistributionConfiguration": self._delete,
            "ListDistributionConfigurations": self._list,
            "ListImagePipelines": self._list_pipelines,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }
        get = model.operation_model("GetDistributionConfiguration").output_shape
        summaries = model.operation_model("ListDistributionConfigurations").output_shape
        self._content = _members(_members(get)["distributionConfiguration"])
        self._summary = _members(_members(summaries)["distributionConfigurationSummaryList"])
        self._replaced = _members(model.operation_model("UpdateDistributionConfiguration").input_shape)
        self._max_tags: int = self._content["tags"].metadata["max"]

    def call(self, operation: OperationModel, parameters: Members, caller_arn: str = "") -> Members:
        """Execute one operation for a caller and return its output by API names, without `requestId`.

        Raises ServiceError if the service would return an error.
        """
        execute = self._operations.get(operation.name)
        if execute is None:
            message = f"The emulator does not support the operation {operation.name}."
            raise ServiceError("UnknownOperationException", message, 404)
        _check(operation, parameters)
        self._authorize(operation, parameters, caller_arn)
        with self._lock:
            self._record_history()
            return copy.deepcopy(self._call_once(operation, parameters, execute))

    def forget_tokens(self) -> None:
        """Forget all client tokens, as the service does after some time."""
        with self._lock:
            self._by_token.clear()

    def remove(self, arn: str) -> None:
        """Delete a configuration, as another client would. Raises KeyError if there is none."""
        with self._lock:
            self._record_history()
            del self._configurations[arn]

    @property
    def configurations(self) -> dict[str, Members]:
        """A copy of all configurations by ARN, each as GetDistributionConfiguration returns it."""
        with self._lock:
            return copy.deepcopy(self._configurations)

    def seed(
        self,
        *,
        name: str,
        distributions: Sequence[Mapping[str, Any]],
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Add an existing configuration, neither validated nor recorded, and return its ARN.

        Raises ValueError if one of that name exists.
        """
        content = {"name": name, "distributions": list(distributions), "tags": dict(tags or {})}
        return self._add(content if description is None else {**content, "description": description})

    def seed_pipeline(self, name: str, distribution_configuration_arn: str) -> str:
        """Add an image pipeline that uses a distribution configuration, and return the pipeline's ARN."""
        arn = self._arn("image-pipeline", name)
        with self._lock:
            self._pipelines[arn] = {
                "arn": arn,
                "name": name,
                "platform": "Linux",
                "distributionConfigurationArn": distribution_configuration_arn,
                "status": "ENABLED",
                "dateCreated": self._now(),
                "tags": {},
            }
        return arn

    def _add(self, content: Mapping[str, Any]) -> str:
        """Add a configuration without validation. Unknown members of `content` are ignored."""
        arn = self._arn("distribution-configuration", content["name"])
        given = {name: copy.deepcopy(value) for name, value in content.items() if name in self._content}
        made = {"arn": arn, "timeoutMinutes": _TIMEOUT_MINUTES, "dateCreated": self._now()}
        with self._lock:
            if arn in self._configurations:
                raise ValueError(f"{arn} already exists")
            self._configurations[arn] = {"tags": {}, **given, **made}
        return arn

    def _authorize(self, operation: OperationModel, parameters: Members, caller_arn: str) -> None:
        """Raise ServiceError for a resource of another account: distribution configurations cannot be shared.

        IAM denies it before Image Builder looks for the resource, so the error does not say whether it exists. Another
        Region's ARN is not special: IAM allows it, the model's pattern accepts it, and Image Builder finds no such
        resource among those of its own Region (ResourceNotFoundException).
        """
        arn = str(parameters.get("distributionConfigurationArn") or parameters.get("resourceArn") or "")
        if arn and arn.split(":")[4] != self._arn_prefix.split(":")[4]:
            action = f"imagebuilder:{operation.name}"
            message = (
                f"User: {caller_arn} is not authorized to perform: {action} on resource: {arn} "
                f"because no resource-based policy allows the {action} action"
            )
            raise ServiceError("AccessDeniedException", message)

    def _record_history(self) -> None:
        """Keep the state before a write, for delayed reads."""
        if self.read_lag:
            self._history.append((self._clock(), copy.deepcopy(self._configurations)))

    def _visible(self) -> dict[str, Members]:
        """The configurations that reads return: those of `read_lag` seconds ago."""
        moment = self._clock() - self.read_lag
        return next((state for until, state in self._history if until > moment), self._configurations)

    def _call_once(
        self, operation: OperationModel, parameters: Members, execute: Callable[[Members], Members]
    ) -> Members:
        """Execute an operation once per client token; return the first output again for a repeated request."""
        if not operation.idempotent_members:
            return execute(parameters)
        token = parameters[operation.idempotent_members[0]]
        first = self._by_token.get((operation.name, token))
        if first is None:
            output = execute(parameters)
            self._by_token[operation.name, token] = (parameters, output)
            return output
        first_parameters, first_output = first
        if parameters != first_parameters:
            message = f"The client token '{token}' was used before in a request with other parameters."
            raise ServiceError("IdempotentParameterMismatchException", message)
        return first_output

    def _create(self, parameters: Members) -> Members:
        check_rules(parameters["distributions"])
        arn = self._arn("distribution-configuration", parameters["name"])
        if arn in self._configurations:
            message = f"The following resource 'DistributionConfiguration' already exists: '{arn}'."
            raise ServiceError("ResourceAlreadyExistsException", message)
        if parameters.get("dryRun"):
            message = "The request would have succeeded, but it is a dry run."
            raise ServiceError("DryRunOperationException", message)
        self._add(parameters)
        return {"clientToken": parameters["clientToken"], "distributionConfigurationArn": arn}

    def _get(self, parameters: Members) -> Members:
        return {"distributionConfiguration": self._require(parameters["distributionConfigurationArn"], self._visible())}

    def _update(self, parameters: Members) -> Members:
        current = self._require(parameters["distributionConfigurationArn"])
        check_rules(parameters["distributions"])
        kept = {name: value for name, value in current.items() if name not in self._replaced}
        new = {name: copy.deepcopy(value) for name, value in parameters.items() if name in self._content}
        self._configurations[current["arn"]] = {**kept, **new, "dateUpdated": self._now()}
        return {"clientToken": parameters["clientToken"], "distributionConfigurationArn": current["arn"]}

    def _delete(self, parameters: Members) -> Members:
        arn = self._require(parameters["distributionConfigurationArn"])["arn"]
        if any(each["distributionConfigurationArn"] == arn for each in self._pipelines.values()):
            message = f"Resource dependency error: The resource ARN '{arn}' has other resources depended on it."
            raise ServiceError("ResourceDependencyException", message)
        del self._configurations[arn]
        return {"distributionConfigurationArn": arn}

    def _list(self, parameters: Members) -> Members:
        summaries = [
            {
                **{name: value for name, value in each.items() if name in self._summary},
                "regions": [distribution["region"] for distribution in each["distributions"]],
            }
            for each in self._visible().values()
        ]
        return listing(summaries, parameters, _CONFIGURATION_FILTERS, result="distributionConfigurationSummaryList")

    def _list_pipelines(self, parameters: Members) -> Members:
        return listing(self._pipelines.values(), parameters, _PIPELINE_FILTERS, result="imagePipelineList")

    def _tag(self, parameters: Members) -> Members:
        configuration = self._require(parameters["resourceArn"])
        tags = {**configuration["tags"], **parameters["tags"]}
        if len(tags) > self._max_tags:
            message = f"A resource can have {self._max_tags} tags at most; this one would have {len(tags)}."
            raise ServiceError("InvalidParameterException", message)
        configuration["tags"] = tags
        return {}

    def _untag(self, parameters: Members) -> Members:
        tags = self._require(parameters["resourceArn"])["tags"]
        for key in parameters["tagKeys"]:
            tags.pop(key, None)
        return {}

    def _list_tags(self, parameters: Members) -> Members:
        return {"tags": self._require(parameters["resourceArn"], self._visible())["tags"]}

    def _require(self, arn: str, configurations: Mapping[str, Members] | None = None) -> Members:
        found = (self._configurations if configurations is None else configurations).get(arn)
        if found is None:
            message = f"The resource with the ARN '{arn}' cannot be found."
            raise ServiceError("ResourceNotFoundException", message)
        return found

    def _now(self) -> str:
        now = datetime.fromtimestamp(self._clock(), UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _arn(self, resource: str, name: str) -> str:
        return f"{self._arn_prefix}:{resource}/{re.sub('[ _]', '-', name.lower())}"


def _members(shape: Shape | None) -> Mapping[str, Shape]:
    structure = shape.member if isinstance(shape, ListShape) else shape
    assert isinstance(structure, StructureShape)
    return structure.members


def _check(operation: OperationModel, parameters: Members) -> None:
    if operation.input_shape is None:
        return
    for violation in violations(operation.input_shape, parameters):
        error = invalid_value(violation.path, f"'{violation.path}' {violation.requirement}")
        if any(shape.name == "InvalidParameterException" for shape in operation.error_shapes):
            raise ServiceError("InvalidParameterException", error.message)
        raise ServiceError("InvalidRequestException", error.message) if violation.malformed else error
