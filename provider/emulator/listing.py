"""Filters, order, and pages of the List operations."""

import base64
from collections.abc import Iterable, Mapping, Set
from typing import Any

from .faults import ServiceError
from .rejections import invalid_value

_PAGE_SIZE = 25

Summary = Mapping[str, Any]


def listing(
    resources: Iterable[Summary], parameters: Mapping[str, Any], filters: Set[str], result: str
) -> dict[str, Any]:
    """One page of `resources`, as the member `result`, and `nextToken` if more follow.

    A resource matches if each filter of the request lists its value. Raises ServiceError for a filter whose name is
    not in `filters`, and for an invalid token.
    """
    _check_names(parameters.get("filters", []), filters)
    requested = [(each["name"], each.get("values", [])) for each in parameters.get("filters", [])]
    # The token is the last ARN returned, so that resources created or deleted between calls do not shift the pages.
    last = _last_arn(parameters["nextToken"]) if "nextToken" in parameters else ""
    rest = sorted(
        (each for each in resources if each["arn"] > last and _matches(each, requested)),
        key=lambda each: str(each["arn"]),
    )
    size = parameters.get("maxResults", _PAGE_SIZE)
    more = {"nextToken": base64.urlsafe_b64encode(rest[size - 1]["arn"].encode()).decode()} if len(rest) > size else {}
    return {result: rest[:size], **more}


def _check_names(filters: list[dict[str, Any]], known: Set[str]) -> None:
    for index, each in enumerate(filters):
        if each.get("name") not in known:
            raise invalid_value(f"filters[{index}].name", f"Filter by one of: {', '.join(sorted(known))}.")


def _matches(resource: Summary, requested: list[tuple[str, list[str]]]) -> bool:
    return all(resource.get(name) in values for name, values in requested)


def _last_arn(token: str) -> str:
    try:
        arn = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        arn = ""
    if not arn.startswith("arn:"):
        raise ServiceError("InvalidPaginationTokenException", "The pagination token is not valid.")
    return arn
