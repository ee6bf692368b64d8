"""A real HTTP server on loopback that agents' endpoints stand on in tests."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

PATIENCE = 20.0


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return orjson.loads(self.body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # many connect at once, and a full queue costs them a second


class Receiver:
    """Answers 200, or for a path what ``answers`` says, in turn; ``/slow`` is answered when ``released`` is set."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self.bodies: dict[str, bytes] = {}
        self.most_at_once: defaultdict[str, int] = defaultdict(int)
        self.released = threading.Event()
        self._at_once: defaultdict[str, int] = defaultdict(int)
        self._changed = threading.Condition()
        self._server = Server(("127.0.0.1", 0), self._handler())

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def of(self, path: str) -> list[Received]:
        with self._changed:
            return [received for received in self.received if received.path == path]

    def wait_for(self, path: str, how_many: int) -> list[Received]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._of(path)) >= how_many, PATIENCE)
            return self._of(path)

    @contextmanager
    def listening(self) -> Iterator["Receiver"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _of(self, path: str) -> list[Received]:
        return [received for received in self.received if received.path == path]

    def _begin(self, received: Received) -> tuple[int, dict[str, str]]:
        with self._changed:
            self.received.append(received)
            self._at_once[received.path] += 1
            self.most_at_once[received.path] = max(self.most_at_once[received.path], self._at_once[received.path])
            self._changed.notify_all()
            planned = self.answers.get(received.path, [(200, {})])
            return planned.pop(0) if len(planned) > 1 else planned[0]

    def _end(self, path: str) -> None:
        with self._changed:
            self._at_once[path] -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): ", ".join(self.headers.get_all(name, [])) for name in self.headers}
                status, answer_headers = receiver._begin(Received(self.path, headers, body))
                if self.path.startswith("/slow"):
                    receiver.released.wait(PATIENCE)
                receiver._end(self.path)
                self.send_response(status)
                answer = receiver.bodies.get(self.path, b"")
                for name, value in {"Content-Length": str(len(answer)), **answer_headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
