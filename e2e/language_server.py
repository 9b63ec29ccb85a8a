"""A language server in its own process, to which a test is the editor."""

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from e2e.tools import BIN

COMMAND = ["node", str(BIN.parent / "editor" / "node_modules" / ".bin" / "yaml-language-server"), "--stdio"]
_SECONDS = 180.0
"""How long a server may run."""


class LanguageServer:
    """yaml-language-server with an editor's settings, while its `with` block runs. `folder` is the workspace.

    Requests and notifications follow the Language Server Protocol 3.17, over standard input and output.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder, self._settings = folder, settings
        self._last = 0

    def __enter__(self) -> Self:
        variables = {"PATH": os.environ["PATH"], "HOME": str(self._folder)}
        self._process = subprocess.Popen(COMMAND, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        # Without an answer, reading would never end.
        self._limit = threading.Timer(_SECONDS, self._process.kill)
        self._limit.start()
        capabilities = {"textDocument": {"publishDiagnostics": {}}, "workspace": {"configuration": True}}
        root = self._folder.as_uri()
        folders = [{"uri": root, "name": "workspace"}]
        self.request(
            "initialize",
            {"processId": None, "rootUri": root, "workspaceFolders": folders, "capabilities": capabilities},
        )
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": self._settings})
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._limit.cancel()
        self._process.terminate()
        self._process.communicate()

    def open(self, file: Path, text: str) -> list[dict[str, Any]]:
        """Open a document and return its diagnostics. A later call with the same file replaces its text."""
        uri = file.as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": document})
        while True:
            message = self._receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                found: list[dict[str, Any]] = message["params"]["diagnostics"]
                return found

    def completions(self, file: Path, line: int, column: int) -> set[str]:
        """The labels that the editor would offer at a position, counted from 0, of an open document."""
        found = self.request("textDocument/completion", _at(file, line, column))
        items = found["items"] if isinstance(found, dict) else found
        return {item["label"] for item in items or ()}

    def hover(self, file: Path, line: int, column: int) -> str:
        """The text that the editor would show about a position, counted from 0, of an open document."""
        found = self.request("textDocument/hover", _at(file, line, column))
        return str(found["contents"]["value"]) if found else ""

    def request(self, method: str, parameters: Any) -> Any:
        """Send a request and return its result. Raises RuntimeError if the server returns an error."""
        self._last += 1
        self._send({"id": self._last, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if message.get("id") == self._last and "method" not in message:
                if "error" in message:
                    raise RuntimeError(str(message["error"]))
                return message["result"]

    def _notify(self, method: str, parameters: Any) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: Mapping[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = _opened(self._process.stdin)
        stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        stream.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message. Requests of the server, such as for the settings, are answered."""
        stream = _opened(self._process.stdout)
        length = 0
        while line := stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise RuntimeError("the language server has ended")
        message: dict[str, Any] = json.loads(stream.read(length))
        if "id" in message and "method" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        return message

    def _answer(self, message: Mapping[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        return [self._settings.get(item.get("section")) for item in message["params"]["items"]]


def _at(file: Path, line: int, column: int) -> dict[str, Any]:
    return {"textDocument": {"uri": file.as_uri()}, "position": {"line": line, "character": column}}


def _opened(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
