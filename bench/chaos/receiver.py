"""A webhook endpoint that keeps what it was told, and may drip its answers."""

import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.site.listeners import Listening

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


class Receiver:
    """Answers 200 at once; one octet each ``pause`` seconds while that is not 0. ``told`` counts each event id."""

    def __init__(self, host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> None:
        self.told: Counter[str] = Counter()
        self.pause = 0.0
        self.is_over = threading.Event()
        self._lock = threading.Lock()
        self._server = Listening((host, 0), self._exchange())
        self._scheme = "https" if context else "http"
        if context:  # the handshake is left to the exchange's thread: who dies in it holds up no other
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )

    @property
    def url(self) -> str:
        """Where it stands."""
        host, port = self._server.server_address[:2]
        return f"{self._scheme}://{host!s}:{port}/hook"

    def receive(self, event_id: str) -> None:
        """Keep that an event was told."""
        with self._lock:
            self.told[event_id] += 1

    def _exchange(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                receiver.receive(self.headers["webhook-id"])
                with suppress(OSError):
                    self.answer()

            def answer(self) -> None:
                if not receiver.pause:
                    self.wfile.write(ANSWER)
                    return
                for octet in ANSWER:
                    self.wfile.write(bytes([octet]))
                    self.wfile.flush()
                    receiver.is_over.wait(receiver.pause)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        return Exchange


@contextmanager
def receiving(host: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Receive until the block ends."""
    receiver = Receiver(host, context)
    serving = threading.Thread(target=receiver._server.serve_forever, args=(0.02,), daemon=True)  # noqa: SLF001
    serving.start()
    try:
        yield receiver
    finally:
        receiver.is_over.set()
        receiver._server.shutdown()  # noqa: SLF001
        receiver._server.server_close()  # noqa: SLF001
        serving.join()
