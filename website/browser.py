"""Drives a headless Chromium through its DevTools protocol, over a pipe.

Source: Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/; `--remote-debugging-pipe` reads
commands from file descriptor 3 and writes responses to 4, each ended by a null byte.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from typing import IO, Any, Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_SECONDS: Final = 30
_OPTIONS: Final = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
    # Only the server of the tests can be reached.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
)


def executable() -> str | None:
    """Return the path of the installed browser, if any."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class BrowserError(Exception):
    """The browser reported an error, or did not respond in time."""


class NavigatedError(BrowserError):
    """The tab went on to another page meanwhile."""


class Page:
    """A tab. `problems` are its errors: exceptions, messages of the console, and failed requests."""

    def __init__(self, commands: IO[bytes], responses: IO[bytes]) -> None:
        self._commands, self._responses = commands, responses
        self._count = 0
        self._session = ""
        self._loaded = False
        self.problems: list[str] = []

    def attach(self) -> None:
        """Open the tab."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def size(self, width: int, height: int) -> None:
        """Set the size of the window, in CSS pixels. Below 500, the page is shown as on a phone."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def open(self, url: str) -> None:
        """Load a page, and wait until its diagrams are drawn."""
        self._loaded, self.problems = False, []
        self._call("Page.navigate", url=url)
        self._until(lambda: self._loaded)
        self.wait("document.querySelectorAll('pre.mermaid:not([data-processed])').length === 0")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise BrowserError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        self._until(lambda: bool(self.evaluate(f"Boolean({expression})")))

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not _succeeds(done):
            if time.monotonic() > deadline:
                raise BrowserError(f"nothing happened within {_SECONDS} seconds; problems: {self.problems}")
            self._call("Browser.getVersion", of_tab=False)

    def _call(self, method: str, *, of_tab: bool = True, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session and of_tab and not method.startswith("Target."):
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        for received in self._messages():
            if received.get("id") == self._count:
                if "error" in received:
                    navigated = "navigated" in received["error"]["message"]
                    raise (NavigatedError if navigated else BrowserError)(f"{method}: {received['error']}")
                result: dict[str, Any] = received["result"]
                return result
            self._note(received.get("method", ""), received.get("params", {}))
        raise BrowserError("the browser ended")

    def _messages(self) -> Iterator[dict[str, Any]]:
        buffer = bytearray()
        while byte := self._responses.read(1):
            if byte != b"\0":
                buffer += byte
                continue
            yield json.loads(buffer)
            buffer.clear()

    def _note(self, event: str, details: dict[str, Any]) -> None:
        match event:
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.exceptionThrown":
                self.problems.append(str(details["exceptionDetails"].get("exception", details)))
            case "Log.entryAdded" if details["entry"]["level"] in ("error", "warning"):
                self.problems.append(f"{details['entry']['text']} {details['entry'].get('url', '')}")
            case "Runtime.consoleAPICalled" if details["type"] in ("error", "warning", "assert"):
                self.problems.append(str([one.get("value") for one in details["args"]]))
            case "Network.loadingFailed" if not details.get("canceled"):
                self.problems.append(details["errorText"])
            case "Network.responseReceived" if details["response"]["status"] >= 400:
                self.problems.append(f"{details['response']['status']} {details['response']['url']}")


def _succeeds(done: Callable[[], bool]) -> bool:
    try:
        return done()
    except NavigatedError:
        return False


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Start a browser with a new profile, and end it afterward. Raises BrowserError if none is installed."""
    program = executable()
    if program is None:
        raise BrowserError(f"install one of {', '.join(NAMES)}")
    # Only root needs --no-sandbox; the pages are our own.
    options = [*_OPTIONS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    # Above 9, so that neither is 3 or 4 already.
    passed = [fcntl(end, F_DUPFD, 10) for end in (theirs_in, theirs_out)]
    command = ["bash", "-c", f'exec "$0" "$@" 3<&{passed[0]} 4>&{passed[1]}', program, *options]
    with subprocess.Popen(command, pass_fds=passed, stderr=subprocess.DEVNULL) as process:
        for end in (theirs_in, theirs_out, *passed):
            os.close(end)
        with os.fdopen(ours_out, "wb") as commands, os.fdopen(ours_in, "rb") as responses:
            page = Page(commands, responses)
            try:
                page.attach()
                yield page
            finally:
                process.terminate()
