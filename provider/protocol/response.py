"""Response within what CloudFormation takes: 4,096 bytes, one line of reason, never without its IDs.

Source: AWS CloudFormation User Guide, "Custom resource response objects". Standard library only.
"""

import json
import re
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from provider.protocol.redaction import redact
from provider.protocol.request import Request

LIMIT: Final = 4096
"""Bytes of UTF-8 that CloudFormation reads of an answer."""

SUCCESS: Final = "SUCCESS"
FAILED: Final = "FAILED"

_CONTROL = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufdd0-\\ufdef"
    + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(17))
    + "]+"
)
"""Line breaks, control characters, and what XML forbids or discourages: surrogates and noncharacters."""
_BIDIRECTIONAL = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TORN = re.compile(r"<(?:U(?:\+[0-9A-F]{0,4})?)?\Z")


class Response(NamedTuple):
    """The answer to one request.

    `reason` is the sentence, `details` go behind it as far as they fit, `omitted` counts further ones, and `elsewhere`
    says where the rest is.
    `data` are the attributes; where they do not fit those in `expendable` go, in that order.
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
        """The JSON body of the PUT that answers `request`."""
        data = dict(self.data)
        frame = self._json(request, "", data)
        for name in self.expendable:
            if len(frame) > LIMIT:
                data.pop(name, None)
                frame = self._json(request, "", data)
        return self._json(request, self._reason(LIMIT - len(frame)), data)

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
        """As much of the reason as `room` bytes of JSON hold, the head kept."""
        head = one_line(self.reason)
        shown: list[str] = []
        for detail in self.details:
            if shown and _size("; ".join(shown)) > room:
                break
            shown.append(one_line(detail))
        while True:
            hidden = len(self.details) - len(shown) + self.omitted
            more = [f"and {hidden} more{self._elsewhere()}"] if hidden else []
            text = ": ".join(part for part in (head, "; ".join([*shown, *more])) if part)
            if _size(text) <= room or len(shown) < 2:
                return cut(text, room)
            shown.pop()

    def _elsewhere(self) -> str:
        return f": see {one_line(self.elsewhere)}" if self.elsewhere else ""


def one_line(text: str) -> str:
    """A text without secrets, line breaks, and characters that XML forbids.

    Bidirectional control characters are shown as <U+202A>: without them, two different names could look the same.
    """
    line = _CONTROL.sub(lambda found: "; " if "\n" in found[0] else " ", redact(text).strip())
    return line if line.isascii() else _BIDIRECTIONAL.sub(lambda found: f"<U+{ord(found[0]):04X}>", line)


def cut(text: str, room: int) -> str:
    """The head of a text that `room` bytes of JSON hold, marked where something is missing.

    It ends between two characters, and a <U+202A> counts as one.
    """
    if _size(text) <= room:
        return text
    while text and _size(f"{text}...") > room:
        text = text[: -max(1, (_size(f"{text}...") - room) // 8)]
    text = _TORN.sub("", text)
    return f"{text}..." if text else ""


def _size(text: str) -> int:
    """Bytes that a text takes inside a JSON string."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "replace")) - 2


class Answer:
    """The place for the one answer to a request: who comes first has spoken, later ones are not heard."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given = threading.Event()
        self._response: Response | None = None

    def offer(self, response: Response) -> bool:
        """Give the answer; False where there is one already."""
        with self._lock:
            if self._response is not None:
                return False
            self._response = response
        self._given.set()
        return True

    def settle(self, response: Response) -> Response:
        """Give the answer if there is none yet; the answer that stands."""
        self.offer(response)
        return self._response or response

    def wait(self, seconds: float) -> Response | None:
        """The answer, or None where there is none within `seconds`."""
        self._given.wait(max(0.0, seconds))
        with self._lock:
            return self._response
