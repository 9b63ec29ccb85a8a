"""The loopback server."""

import threading

from provider.emulator.server import LoopbackServer, Reply


def test_a_with_block_leaves_no_thread() -> None:
    """After its `with` block, a server has closed its socket and ended its thread."""
    before = threading.enumerate()
    with LoopbackServer(lambda *_: Reply(200, {}, b"")) as server:
        assert server.socket.fileno() >= 0
    assert server.socket.fileno() == -1
    assert set(threading.enumerate()) <= set(before)
