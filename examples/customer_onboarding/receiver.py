"""The customers' end of their webhooks: an HTTP server on a free port of this machine."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

PATIENCE = 30.0


@dataclass(frozen=True)
class Posted:
    """What was posted: the exact bytes, and the headers."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """Keeps what was posted, path by path."""

    def __init__(self) -> None:
        self.url = ""
        self.posted: defaultdict[str, Queue[Posted]] = defaultdict(Queue)

    def next(self, path: str) -> Posted:
        """Return the next POST to a path. Raises queue.Empty when none comes within half a minute."""
        return self.posted[path].get(timeout=PATIENCE)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Receive webhooks until the block ends."""
    receiver = Receiver()

    class Pages(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.posted[self.path].put(Posted(dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
