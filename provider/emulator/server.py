"""An HTTP/1.1 server on the loopback interface that stops at once and leaves no socket behind."""

import contextlib
import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler
from typing import Any

from .faults import Fault

_METHODS = ("GET", "PUT", "POST", "DELETE")
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Reply:
    """What goes back over HTTP. The date and the body's length are added on the way."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Respond = Callable[[str, str, bytes, Message], Reply | Fault]
"""From method, target, body and headers to the reply, or to Fault.RESET or Fault.HANG for none."""


class LoopbackServer(socketserver.ThreadingTCPServer):
    """Serves from its construction on, one daemon thread a connection, until `close`.

    `port` 0 takes a free one; OSError where the port is taken. With `tls` it speaks https.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, respond: Respond, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.respond = respond
        self._tls = tls
        self._changed = threading.Condition()
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        """Cut every connection, wait for their threads to let go, and free the port."""
        self.shutdown()
        with self._changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    # Not SSLSocket's own shutdown: it takes the TLS layer away under a reading thread.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, _STOP_SECONDS)
        self.server_close()
        self._thread.join()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. The TLS handshake is left to its own thread."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `close` can cut it, and hand it to a thread."""
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        with self._changed:
            super().shutdown_request(request)
            self._connections.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a client that went away; anything else is a bug and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self.send_error(411)
            self.close_connection = True
            return
        reply = self.server.respond(self.command, self.path, self.rfile.read(int(length)), self.headers)
        if isinstance(reply, Reply):
            self._send(reply)
        elif reply is Fault.RESET:
            self._reset()
        else:
            self._hang()

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Closed before the server's orderly shutdown, whose FIN would reach the client first.
        self.connection.close()

    def _hang(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            while self.connection.recv(4096):
                pass

    def log_message(self, *_: object) -> None:
        """Nothing goes to standard error."""


for _method in _METHODS:
    setattr(_Handler, f"do_{_method}", _Handler.answer)
