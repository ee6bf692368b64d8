"""A collector of traces: OTLP over HTTP, as any of them takes it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE = 60  # seconds


class Span(NamedTuple):
    trace: str
    id: str
    parent: str
    name: str
    attributes: dict[str, str]


class Collector:
    """Its address, and the spans that it was sent."""

    def __init__(self, url: str) -> None:
        self.url, self.spans = url, list[Span]()

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for spans in (scope.spans for resource in request.resource_spans for scope in resource.scope_spans):
            for span in spans:
                told = {one.key: str(one.value) for one in span.attributes}
                found = Span(span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.name, told)
                self.spans.append(found)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                collector.take(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def only(collector: Collector, name: str, trace: str) -> Span:
    """Return the one span of this name in a trace, once it has come."""
    deadline = time.monotonic() + PATIENCE
    while not (found := [span for span in collector.named(name) if span.trace == trace]):
        assert time.monotonic() < deadline, f"{name} never came"
        time.sleep(0.05)
    assert len(found) == 1
    return found[0]
