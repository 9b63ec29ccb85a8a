"""An HTTP/1.1 server on the loopback interface that stops immediately and closes all sockets."""

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
    """An HTTP response. The server adds the date and the body's length."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Respond = Callable[[str, str, bytes, Message], Reply | Fault]
"""Maps method, target, body, and headers to the reply, or to Fault.RESET or Fault.HANG."""


class LoopbackServer(socketserver.ThreadingTCPServer):
    """Serves from its construction until `close`, with one daemon thread per connection.

    `port` 0 selects a free port. Raises OSError if the port is in use. With `tls`, it serves HTTPS.
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
        """The server's URL, without a trailing slash."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.server_address[1]}"

    def close(self) -> None:
        """Close all connections, wait for their threads, and free the port."""
        self.shutdown()
        with self._changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    # SSLSocket.shutdown would remove the TLS layer while another thread reads.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._connections, _STOP_SECONDS)
        self.server_close()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        """Close the server. The inherited method closes its socket, but leaves its thread running."""
        self.close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Its own thread does the TLS handshake."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Register the connection, so that `close` can close it, and start its thread."""
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close and unregister the connection."""
        with self._changed:
            super().shutdown_request(request)
            self._connections.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore disconnected clients; print any other error, which is a bug."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def respond(self) -> None:
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
        # Close before the server's orderly shutdown, which would send a FIN first.
        self.connection.close()

    def _hang(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            while self.connection.recv(4096):
                pass

    def log_message(self, *_: object) -> None:
        """Print nothing to standard error."""


for _method in _METHODS:
    setattr(_Handler, f"do_{_method}", _Handler.respond)
