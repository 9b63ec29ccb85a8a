"""What the service model says of an operation and of members, as plain text."""

from __future__ import annotations

import html
import re

from botocore.model import StructureShape

from provider.properties.model import service_model


def of_operation(operation: str) -> str:
    """The first paragraph on an operation."""
    return _plain(service_model().operation_model(operation).documentation.partition("</p>")[0])


def of_member(shape: str, member: str) -> str:
    """All that is said of a structure's member."""
    structure = service_model().shape_for(shape)
    return _plain(structure.members[member].documentation) if isinstance(structure, StructureShape) else ""


def _plain(documentation: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", documentation)).split()).replace(" .", ".")
