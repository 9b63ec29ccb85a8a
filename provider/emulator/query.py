"""The query protocol by botocore's service model: parses a form into an operation, and writes responses as XML.

It supports only what STS's model uses.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement, tostring

from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from .faults import ServiceError
from .server import Reply
from .wire import Call

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Query:
    """The query protocol of one service."""

    def __init__(self, model: ServiceModel) -> None:
        self._model = model
        self.service = model.endpoint_prefix

    def parse(self, _method: str, _target: str, body: bytes) -> Call:
        """The call in the form that a request's body has."""
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        action = form.get("Action", "")
        if action not in self._model.operation_names:
            message = f"Could not find operation {action} for version {self._model.api_version}"
            return Call(
                action or "POST /", None, {}, ServiceError("InvalidAction" if action else "MissingAction", message)
            )
        operation = self._model.operation_model(action)
        shape = operation.input_shape
        return Call(action, operation, _members(shape, form) if isinstance(shape, StructureShape) else {}, None)

    def reply(self, operation: OperationModel, output: Mapping[str, Any]) -> Reply:
        """The response with the output of an operation."""
        shape = operation.output_shape
        assert isinstance(shape, StructureShape)
        root = self._root(f"{operation.name}Response")
        _append(root, shape.serialization["resultWrapper"], shape, output)
        request_id = str(uuid.uuid4())
        SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = request_id
        return _xml(200, root, request_id)

    def error(self, error: ServiceError) -> Reply:
        """The response for an error."""
        status = error.status or 400
        root = self._root("ErrorResponse")
        element = SubElement(root, "Error")
        members = {"Type": "Sender" if status < 500 else "Receiver", "Code": error.code, "Message": error.message}
        for name, text in members.items():
            SubElement(element, name).text = _NOT_IN_XML.sub("?", text)
        request_id = str(uuid.uuid4())
        SubElement(root, "RequestId").text = request_id
        return _xml(status, root, request_id)

    def _root(self, name: str) -> Element:
        return Element(name, xmlns=self._model.metadata["xmlNamespace"])


def _members(shape: StructureShape, form: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    names = {name: f"{prefix}{member.serialization.get('name', name)}" for name, member in shape.members.items()}
    present = {name: key for name, key in names.items() if _is_given(key, form)}
    return {name: _decoded(shape.members[name], form, key) for name, key in present.items()}


def _is_given(key: str, form: Mapping[str, str]) -> bool:
    return any(each == key or each.startswith(f"{key}.") for each in form)


def _decoded(shape: Shape, form: Mapping[str, str], key: str) -> Any:
    # A value of the wrong type is left unchanged; constraints.py reports it.
    if isinstance(shape, StructureShape):
        return _members(shape, form, f"{key}.")
    if isinstance(shape, ListShape):
        values, item = [], f"{key}.member.1"
        while _is_given(item, form):
            values.append(_decoded(shape.member, form, item))
            item = f"{key}.member.{len(values) + 1}"
        return values
    text = form.get(key, "")
    return int(text) if shape.type_name == "integer" and re.fullmatch("-?[0-9]{1,19}", text) else text


def _append(parent: Element, name: str, shape: Shape, value: Any) -> None:
    element = SubElement(parent, name)
    if isinstance(shape, StructureShape):
        for member, each in value.items():
            _append(element, member, shape.members[member], each)
    else:
        element.text = str(value)


def _xml(status: int, root: Element, request_id: str) -> Reply:
    return Reply(status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, tostring(root))
