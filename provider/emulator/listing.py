"""What the List operations share: filters, order and pages."""

import base64
from collections.abc import Iterable, Mapping, Set
from typing import Any

from .faults import ServiceError
from .rejections import invalid_value

_PAGE_SIZE = 25

Resource = Mapping[str, Any]


def listing(
    resources: Iterable[Resource], parameters: Mapping[str, Any], filters: Set[str], result: str
) -> dict[str, Any]:
    """One page of `resources`, as the member `result` and, where more follow, `nextToken`.

    A resource passes if every filter of the request has its value among the values asked for. Raises ServiceError
    for a filter whose name is not among `filters`, and for a token that none of these pages gave.
    """
    _check_names(parameters.get("filters", []), filters)
    wanted = [(each["name"], each.get("values", [])) for each in parameters.get("filters", [])]
    # The token is the last ARN given, so that what is created or deleted in between shifts no page.
    last = _last_arn(parameters["nextToken"]) if "nextToken" in parameters else ""
    rest = sorted(
        (each for each in resources if each["arn"] > last and _passes(each, wanted)),
        key=lambda each: str(each["arn"]),
    )
    size = parameters.get("maxResults", _PAGE_SIZE)
    more = {"nextToken": _token(rest[size - 1]["arn"])} if len(rest) > size else {}
    return {result: rest[:size], **more}


def _check_names(filters: list[dict[str, Any]], known: Set[str]) -> None:
    for index, each in enumerate(filters):
        if each.get("name") not in known:
            raise invalid_value(f"filters[{index}].name", f"Filter by one of: {', '.join(sorted(known))}.")


def _passes(resource: Resource, wanted: list[tuple[str, list[str]]]) -> bool:
    return all(resource.get(name) in values for name, values in wanted)


def _token(arn: str) -> str:
    return base64.urlsafe_b64encode(arn.encode()).decode()


def _last_arn(token: str) -> str:
    try:
        arn = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        arn = ""
    if not arn.startswith("arn:"):
        raise ServiceError("InvalidPaginationTokenException", "The pagination token is not valid.")
    return arn
