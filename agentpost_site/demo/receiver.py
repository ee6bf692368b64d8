"""The agent's end of a webhook: a real HTTP server on a free port of this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue

PATIENCE = 30.0


@dataclass(frozen=True)
class Posted:
    """What was posted; header names are in lower case."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers 204 to every POST and keeps what came."""

    def __init__(self, server: ThreadingHTTPServer, posted: "Queue[Posted]") -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        self._posted = posted

    def next(self) -> Posted:
        """Return the next POST; raise TimeoutError when none comes."""
        try:
            return self._posted.get(timeout=PATIENCE)
        except Empty:
            raise TimeoutError(f"No webhook came within {PATIENCE:.0f} s.") from None


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive webhooks until the block ends."""
    posted: Queue[Posted] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posted.put(Posted({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Receiver(server, posted)
        finally:
            server.shutdown()
            thread.join()
