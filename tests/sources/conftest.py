"""What tests of account sources share: an organization and parameters in moto, and a scripted organization."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Self

import pytest

from provider.emulator.faults import Fault
from provider.emulator.server import LoopbackServer, Reply
from tests.preflight.account import Account
from tests.stack import Resource

SOURCE_SERVICES = ("ORGANIZATIONS", "SSM", "STS")
HOME = "us-east-1"


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clients of the sources' services call this URL."""
    monkeypatch.delenv("ORGANIZATIONS_ROLE_ARN", raising=False)
    for service in SOURCE_SERVICES:
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)


@pytest.fixture(scope="session")
def running() -> Iterator[Account]:
    """One server for all tests."""
    with Account() as account:
        yield account


@pytest.fixture
def account(running: Account, resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account without an organization and parameters. Image Builder is the emulator."""
    running.reset()
    point_to(running.url, monkeypatch)
    return running


@dataclass
class Organization:
    """An organization in moto. Pages have 20 entries at most, as in Organizations."""

    account: Account
    root: str

    def unit(self, parent: str = "", name: str = "unit") -> str:
        """Create an organizational unit in another one, or in the root."""
        created = self._call("create_organizational_unit", ParentId=parent or self.root, Name=name)
        return str(created["OrganizationalUnit"]["Id"])

    def accounts(self, unit: str, count: int) -> list[str]:
        """Create accounts in an organizational unit."""
        made = []
        for number in range(count):
            name = f"{unit}-{number}"
            created = self._call("create_account", AccountName=name, Email=f"{name}@example.com")
            made.append(str(created["CreateAccountStatus"]["AccountId"]))
            self._call(
                "move_account", AccountId=made[-1], SourceParentId=self.root, DestinationParentId=unit
            ) if unit != self.root else None
        return made

    def suspend(self, account: str) -> None:
        """Close an account."""
        self._call("close_account", AccountId=account)

    def _call(self, method: str, **parameters: Any) -> Any:
        return self.account.call("organizations", method, HOME, **parameters)


@pytest.fixture
def organization(account: Account) -> Organization:
    """An organization whose management account is the provider's."""
    account.call("organizations", "create_organization", HOME, FeatureSet="ALL")
    return Organization(account, account.call("organizations", "list_roots", HOME)["Roots"][0]["Id"])


@pytest.fixture
def put_parameter(account: Account) -> Callable[[str, str, str], None]:
    """Sets an SSM parameter of a type."""

    def put(name: str, value: str, type_: str = "StringList") -> None:
        account.call("ssm", "put_parameter", HOME, Name=name, Value=value, Type=type_, Overwrite=True)

    return put


Respond = Callable[[str, Mapping[str, Any]], Mapping[str, Any] | str | int | bytes]
"""Maps an operation and its parameters to an output, an error code, an HTTP status, or any body."""


@dataclass
class Script:
    """Organizations and SSM as a test scripts them, over HTTP. `calls` are the operations with their parameters.

    `signers` are the access key and the Region that signed each call.
    """

    respond: Respond = lambda _, __: {"Accounts": [], "OrganizationalUnits": []}
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    signers: list[tuple[str, str]] = field(default_factory=list)
    is_closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._server = LoopbackServer(self._reply)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Refuse all further connections."""
        if not self.is_closed:
            self._server.close()
        self.is_closed = True

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def _reply(self, _method: str, _target: str, body: bytes, headers: Message) -> Reply | Fault:
        operation = headers["X-Amz-Target"].rpartition(".")[2]
        parameters = json.loads(body)
        with self._lock:
            self.calls.append((operation, parameters))
            access_key, _, region, *_ = headers["Authorization"].partition("Credential=")[2].split("/")
            self.signers.append((access_key, region))
            response = self.respond(operation, parameters)
        request_id = {"x-amzn-RequestId": "5e0b0c7e-0000-4000-8000-00000000feed"}
        if isinstance(response, bytes):
            return Reply(200, {"Content-Type": "text/html"}, response)
        if isinstance(response, Mapping):
            return Reply(200, request_id, json.dumps(response).encode())
        status, code = (response, "InternalFailure") if isinstance(response, int) else (400, response)
        return Reply(status, request_id, json.dumps({"__type": code, "Message": "on purpose"}).encode())


@pytest.fixture
def script(resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Organizations and SSM as a test scripts them."""
    with Script() as running:
        point_to(running.url, monkeypatch)
        yield running
