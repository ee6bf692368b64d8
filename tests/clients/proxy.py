"""A network that can be bad: what stands between a client and the server, and loses answers when it is told to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOST = b""


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    """Return the octets of an answer that the server never gave."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Proxy:
    """Passes octets on. What is in ``instead`` takes the place of the next answers, each after the server gave one;
    what is in ``refusals`` is answered to the next requests, which the server never sees.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.instead: list[bytes] = []
        self.refusals: list[bytes] = []
        self.requests: list[bytes] = []
        self.connections = 0

    @contextmanager
    def listening(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self.cut()
            thread.join()

    def cut(self) -> None:
        """Cut every connection."""
        for one in list(self._open):
            self._close(one)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._open |= {near, far}
                self.connections += 1
                threading.Thread(target=self._requests, args=(near, far), daemon=True).start()
                threading.Thread(target=self._answers, args=(near, far), daemon=True).start()

    def _requests(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while received := near.recv(65536):
                if b" HTTP/1.1\r\n" in received:
                    self.requests.append(received)
                if self.refusals:
                    near.sendall(self.refusals.pop(0))
                    break
                far.sendall(received)
        self._close(near, far)

    def _answers(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while received := far.recv(65536):
                if self.instead:
                    near.sendall(self.instead.pop(0))
                    break
                near.sendall(received)
        self._close(near, far)

    def _close(self, *sockets: socket.socket) -> None:
        for one in sockets:
            self._open.discard(one)
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
