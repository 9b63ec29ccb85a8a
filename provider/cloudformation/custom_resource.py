"""Isolates crhelper: overrides the defaults that the provider must not use.

What crhelper 2.0.12 does by default, and what prevents it here:

- imports boto3, for clients that the provider does not need: it gets a proxy that loads boto3 on first use;
- creates three API clients and configures the root logger in its constructor: `__init__` does not call it;
- reconfigures logging for each request: `_log_setup` does nothing;
- logs the event with its presigned URL: it never gets the URL, and its loggers are disabled;
- keeps state between requests: each request has its own instance;
- responds half a second before the timeout while the work goes on: `_crhelper_init` starts no timer;
- invents physical IDs: `_crhelper_init` sets the ID of a failed request;
- sleeps before it responds to a Delete: `_wait_for_cwlogs` does nothing;
- truncates the start of a reason, and delivers without retries: `_send` passes on the whole response.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from .request import Request
from .response import Response


@contextmanager
def _loaded_on_first_use(name: str) -> Iterator[None]:
    """Make imports of a module return a proxy that loads the module on first use of an attribute."""
    if name in sys.modules:
        yield
        return
    proxy = ModuleType(name)
    proxy.__getattr__ = lambda attribute: getattr(import_module(name), attribute)  # type: ignore[method-assign]  # PEP 562
    sys.modules[name] = proxy
    try:
        yield
    finally:
        del sys.modules[name]


with _loaded_on_first_use("boto3"):
    from crhelper.resource_helper import FAILED, SUCCESS, CfnResource

for _name in ("crhelper.resource_helper", "crhelper.utils", "crhelper.log_helper"):
    logging.getLogger(_name).disabled = True


class CrhelperResource(CfnResource):
    """Runs one request through crhelper and passes the response to `respond`.

    The function that is registered for the request type sets `response`.
    """

    def __init__(self, request: Request, respond: Callable[[Response], object]) -> None:
        self.response: Response | None = None
        self._request = request
        self._respond = respond
        self._create_func = self._update_func = self._delete_func = None
        self._poll_create_func = self._poll_update_func = self._poll_delete_func = None
        self._timer = self._sam_local = None

    def run(self, context: object) -> None:
        """Let crhelper call the registered function and respond."""
        self({"RequestType": self._request.request_type}, context)

    def _log_setup(self, event: Mapping[str, Any], context: object) -> None:
        """Do nothing: the provider configures its own logging."""

    def _wait_for_cwlogs(self, sleep: object = None) -> None:
        """Do nothing: logging needs no wait."""

    def _crhelper_init(self, event: Mapping[str, Any], context: object) -> bool:
        self._event, self._context = event, context
        self.RequestType = event["RequestType"]
        self.Status, self.Reason, self.PhysicalResourceId = SUCCESS, "", self._request.failure_id()
        self._wrap_function(getattr(self, f"_{self.RequestType.lower()}_func"))  # type: ignore[attr-defined]  # the stub leaves it out
        return True

    def _send(self, status: str | None = None, reason: str = "") -> None:
        if FAILED in (status, self.Status) or self.response is None:
            self.response = Response("FAILED", self._request.failure_id(), reason or self.Reason)
        self._respond(self.response)
