"""The rest-json protocol by botocore's service model: parses an HTTP request into an operation and its parameters.

It supports only what Image Builder's model uses: members in the path, the query string, and the JSON body.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from .faults import ServiceError


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
