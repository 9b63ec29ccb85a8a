"""The response: at most 4,096 bytes, a reason of one line, always with its IDs.

Source: AWS CloudFormation User Guide, "Custom resource response objects". Standard library only.
"""

import json
import re
import threading
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from .redaction import redact
from .request import Request

LIMIT: Final = 4096
"""The maximum size of a response, in bytes of UTF-8."""

SUCCESS: Final = "SUCCESS"
FAILED: Final = "FAILED"


class Response(NamedTuple):
    """The response to one request.

    As many `details` as fit follow the `reason`. `omitted` counts more that are not in `details`; `elsewhere` names the
    log group that has all of them. `data` are the attributes. If they do not fit, the `expendable` ones are dropped.
    """

    status: Literal["SUCCESS", "FAILED"]
    physical_id: str
    reason: str = ""
    details: tuple[str, ...] = ()
    elsewhere: str = ""
    data: Mapping[str, str] = MappingProxyType({})
    expendable: tuple[str, ...] = ()
    omitted: int = 0

    def body(self, request: Request) -> bytes:
        """Return the JSON body of the PUT that responds to `request`."""
        data = dict(self.data)
        without_reason = self._json(request, "", data)
        for name in self.expendable:
            if len(without_reason) > LIMIT:
                data.pop(name, None)
                without_reason = self._json(request, "", data)
        return self._json(request, self._reason(LIMIT - len(without_reason)), data)

    def _json(self, request: Request, reason: str, data: Mapping[str, str]) -> bytes:
        body = {
            "Status": self.status,
            "Reason": reason,
            "PhysicalResourceId": self.physical_id,
            "StackId": request.stack_id,
            "RequestId": request.request_id,
            "LogicalResourceId": request.logical_id,
            "NoEcho": False,
            "Data": data,
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def _reason(self, room: int) -> str:
        """Return the reason with as many details as fit into `room` bytes of JSON."""
        head = one_line(self.reason)
        shown: list[str] = []
        for detail in self.details:
            if shown and _size("; ".join(shown)) > room:
                break
            shown.append(one_line(detail))
        while True:
            hidden = len(self.details) - len(shown) + self.omitted
            more = [one_line(": see ".join(filter(None, (f"and {hidden} more", self.elsewhere))))] if hidden else []
            text = ": ".join(part for part in (head, "; ".join([*shown, *more])) if part)
            if _size(text) <= room or len(shown) < 2:
                return cut(text, room)
            shown.pop()


def one_line(text: str) -> str:
    """Return a text without secrets, line breaks, and characters that XML forbids.

    Bidirectional control characters become text like <U+202A>. If they were removed, two different names could look
    the same.
    """
    line = redact(text).strip()
    if line.isascii() and line.isprintable():
        return line
    line = _control_characters().sub(lambda found: "; " if "\n" in found[0] else " ", line)
    return _bidirectional_controls().sub(lambda found: f"<U+{ord(found[0]):04X}>", line)


@cache
def _control_characters() -> re.Pattern[str]:
    """Match line breaks, control characters, and what XML forbids or discourages: surrogates and noncharacters."""
    return re.compile(
        "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufdd0-\\ufdef"
        + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(17))
        + "]+"
    )


@cache
def _bidirectional_controls() -> re.Pattern[str]:
    return re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def cut(text: str, room: int) -> str:
    """Cut a text to `room` bytes of JSON, with an ellipsis. A <U+202A> is not cut in two."""
    if _size(text) <= room:
        return text
    while text and _size(f"{text}...") > room:
        text = text[: -max(1, (_size(f"{text}...") - room) // 8)]
    text = re.sub(r"<(?:U(?:\+[0-9A-F]{0,4})?)?\Z", "", text)
    return f"{text}..." if text else ""


def _size(text: str) -> int:
    """Return the number of bytes of a text in a JSON string."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")) - 2


class FirstResponse:
    """Holds the first response that is set. Later ones are discarded. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = threading.Event()
        self._response: Response | None = None

    def set(self, response: Response) -> bool:
        """Set the response; return False if there is one already."""
        with self._lock:
            if self._response is not None:
                return False
            self._response = response
        self._is_set.set()
        return True

    def get_or_set(self, response: Response) -> Response:
        """Set the response if there is none yet; return the first one."""
        self.set(response)
        return self._response or response

    def wait(self, seconds: float) -> Response | None:
        """Return the response, or None if there is none within `seconds`."""
        self._is_set.wait(max(0.0, seconds))
        with self._lock:
            return self._response
