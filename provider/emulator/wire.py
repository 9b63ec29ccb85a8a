"""The rest-json protocol by botocore's service model: parses requests into operations, and writes responses as JSON.

It supports only what Image Builder's model uses: members in the path, the query string, and the JSON body.
"""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from .faults import ServiceError
from .server import Reply


class Call(NamedTuple):
    """A parsed request. `parameters` are by API names and not validated.

    If no operation matches, `operation` is None and `name` describes the request. `error` is why it is malformed.
    """

    name: str
    operation: OperationModel | None
    parameters: dict[str, Any]
    error: ServiceError | None


class Route(NamedTuple):
    """The operation of a request, and its decoded path labels and query parameters by their wire names."""

    operation: OperationModel
    labels: Mapping[str, str]
    query: Mapping[str, list[str]]


class Router:
    """Finds the operation of a request by its method and path."""

    def __init__(self, model: ServiceModel) -> None:
        operations = [model.operation_model(name) for name in model.operation_names]
        self._routes = [(each.http["method"], _path_pattern(each.http["requestUri"]), each) for each in operations]

    def route(self, method: str, target: str) -> Route | None:
        """The route for the method and target of an HTTP request line; None if no operation matches."""
        path, query = urlsplit(target)[2:4]
        for route_method, pattern, operation in self._routes:
            match = pattern.fullmatch(path)
            if match and method == route_method:
                labels = {name: unquote(text) for name, text in match.groupdict().items()}
                return Route(operation, labels, parse_qs(query, keep_blank_values=True))
        return None


class RestJson:
    """The rest-json protocol of one service."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self._router = Router(model)
        self.service = model.endpoint_prefix

    def parse(self, method: str, target: str, body: bytes) -> Call:
        """The call that a request is."""
        route = self._router.route(method, target)
        if route is None:
            message = "No operation has this method and path."
            error = ServiceError("UnknownOperationException", message, 404)
            return Call(f"{method} {target.partition('?')[0]}", None, {}, error)
        try:
            return Call(route.operation.name, route.operation, parameters_of(route, body), None)
        except ServiceError as malformed:
            return Call(route.operation.name, route.operation, {}, malformed)

    def reply(self, operation: OperationModel, output: Mapping[str, Any]) -> Reply:
        """The response with the output of an operation."""
        shape = operation.output_shape
        return _json_reply(200, output, has_id=isinstance(shape, StructureShape) and "requestId" in shape.members)

    def error(self, error: ServiceError) -> Reply:
        """The response for an error."""
        status = error.status or 400
        if error.status is None and error.code in self._model.shape_names:
            status = self._model.shape_for(error.code).metadata["error"]["httpStatusCode"]
        return _json_reply(status, {"message": error.message}, error_code=error.code)


def _json_reply(status: int, content: Mapping[str, Any], has_id: bool = True, error_code: str = "") -> Reply:
    request_id = str(uuid.uuid4())
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
    if error_code:
        headers["x-amzn-ErrorType"] = error_code
    return Reply(status, headers, json.dumps({"requestId": request_id, **content} if has_id else content).encode())


def parameters_of(route: Route, body: bytes) -> dict[str, Any]:
    """The parameters of a request by API names, not validated. Unknown members and nulls are dropped.

    Raises ServiceError if the body is not a JSON object.
    """
    shape = route.operation.input_shape
    if not isinstance(shape, StructureShape):
        return {}
    parameters: dict[str, Any] = _decoded(shape, _json_object(body))
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                parameters[name] = route.labels[wire_name]
            case "querystring" if wire_name in route.query:
                texts = route.query[wire_name]
                parameters[name] = texts if isinstance(member, ListShape) else texts[0]
    return parameters


def _path_pattern(uri: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(uri)))


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body or b"{}")
    except ValueError as error:
        raise ServiceError("InvalidRequestException", "The request body is not valid JSON.") from error
    if not isinstance(content, dict):
        raise ServiceError("InvalidRequestException", "The request body is not a JSON object.")
    return content


def _decoded(shape: Shape, value: Any) -> Any:
    # A value of the wrong type is left unchanged; constraints.py reports it.
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return _decoded_members(shape, value)
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_decoded(shape.member, each) for each in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _decoded(shape.value, each) for key, each in value.items()}
    return value


def _decoded_members(shape: StructureShape, value: dict[str, Any]) -> dict[str, Any]:
    body_members = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    present = {name: value.get(member.serialization.get("name", name)) for name, member in body_members.items()}
    return {name: _decoded(shape.members[name], each) for name, each in present.items() if each is not None}
