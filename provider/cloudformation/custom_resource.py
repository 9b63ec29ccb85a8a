"""crhelper, quarantined.

What crhelper 2.0.12 does to an ordinary request, and where it is taken away:

- imports boto3 as it is loaded, for clients that nothing here wants: it gets a module that loads when it is used;
- makes three API clients and sets up the root logger when constructed: `__init__` does not call its own;
- logs the event with its pre-signed URL: it never gets the URL, and its loggers are off;
- keeps state between requests: one instance serves one request;
- answers half a second before the end while the work goes on: `_set_timeout` sets no timer, the handler watches;
- invents physical IDs: `_cfn_response` answers with the response that the work made;
- sleeps before it answers a Delete: `_wait_for_cwlogs` does not;
- keeps only the tail of a reason, and delivers blindly: `_send` hands the response over to who delivers it.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def _loaded_when_used(name: str) -> Iterator[None]:
    """Have an `import` of a module get one that loads the real one as soon as anything of it is asked for."""
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    stand_in.__getattr__ = lambda attribute: getattr(import_module(name), attribute)  # type: ignore[method-assign]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


with _loaded_when_used("boto3"):
    from crhelper.resource_helper import FAILED, SUCCESS, CfnResource

from .request import Request  # noqa: E402
from .response import Response  # noqa: E402

for _name in ("crhelper.resource_helper", "crhelper.utils", "crhelper.log_helper"):
    logging.getLogger(_name).disabled = True


class Resource(CfnResource):
    """One request's way through crhelper: from its event to `offer`, which takes the response.

    The work that is registered puts its answer into `response`.
    """

    def __init__(self, request: Request, offer: Callable[[Response], object]) -> None:
        self.response: Response | None = None
        self._request = request
        self._offer = offer
        self._create_func = self._update_func = self._delete_func = None
        self._poll_create_func = self._poll_update_func = self._poll_delete_func = None
        self._timer = self._sam_local = None

    def run(self, context: object) -> None:
        """Have crhelper call what is registered for the request's type, and answer."""
        self({"RequestType": self._request.request_type}, context)

    def _log_setup(self, event: Mapping[str, Any], context: object) -> None:
        """The provider sets up its own logging."""

    def _set_timeout(self) -> None:
        """The handler watches the time."""

    def _wait_for_cwlogs(self, sleep: object = None) -> None:
        """Log lines are written when they are written; nobody waits for that."""

    def _crhelper_init(self, event: Mapping[str, Any], context: object) -> bool:
        self._event, self._context = event, context
        self.RequestType = event["RequestType"]
        self.Status, self.Reason, self.PhysicalResourceId = SUCCESS, "", ""
        self._wrap_function(getattr(self, f"_{self.RequestType.lower()}_func"))  # type: ignore[attr-defined]  # the stub leaves it out
        return True

    def _cfn_response(self, _event: Mapping[str, Any]) -> None:
        self._send(self.Status, self.Reason)

    def _send(self, status: str | None = None, reason: str = "") -> None:
        if status == FAILED or self.response is None:
            self.response = Response("FAILED", self._request.failure_id(), reason)
        self._offer(self.response)
