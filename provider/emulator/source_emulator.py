"""Emulates the calls of Organizations and SSM that read account sources, on the loopback interface."""

import json
from collections.abc import Sequence
from email.message import Message
from types import TracebackType
from typing import Any, Self

from .faults import Fault
from .server import LoopbackServer, Reply

_SERVICES = ("ORGANIZATIONS", "SSM")


class SourceEmulator:
    """Listens in a `with` block. `accounts` are the account IDs of each source, by its ID or name."""

    def __init__(self) -> None:
        self.accounts: dict[str, Sequence[str]] = {}
        self._server: LoopbackServer | None = None

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self._respond)
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()

    def environment(self) -> dict[str, str]:
        """The environment variables that direct a botocore process to this emulator."""
        assert self._server is not None
        return {f"AWS_ENDPOINT_URL_{service}": self._server.url for service in _SERVICES}

    def _respond(self, _method: str, _target: str, body: bytes, headers: Message) -> Reply | Fault:
        operation = str(headers["X-Amz-Target"]).rpartition(".")[2]
        parameters = json.loads(body)
        source = parameters.get("ParentId") or parameters.get("Name")
        if source not in self.accounts:
            code = "ParameterNotFound" if operation == "GetParameter" else "ParentNotFoundException"
            return _reply(400, {"__type": code, "message": f"{source} is not emulated"})
        return _reply(200, self._output(operation, source))

    def _output(self, operation: str, source: str) -> dict[str, Any]:
        accounts = self.accounts[source]
        if operation == "ListAccountsForParent":
            return {"Accounts": [{"Id": account, "State": "ACTIVE"} for account in accounts]}
        if operation == "ListOrganizationalUnitsForParent":
            return {"OrganizationalUnits": []}
        return {"Parameter": {"Name": source, "Type": "StringList", "Value": ",".join(accounts)}}


def _reply(status: int, content: dict[str, Any]) -> Reply:
    return Reply(status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode())
