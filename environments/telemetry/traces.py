"""Traces, for whoever runs a collector: what led to an event, and where it went (W3C Trace Context, OTLP over HTTP).

The id of a trace is the id of the event it is about, or of the message on its way out, so that it crosses the queues
without a column, and no receiver learns from it what another environment was told
(docs/decisions/0069-what-logs-and-traces-may-tell.md). Without AGENTPOST_OTLP_ENDPOINT nothing
of OpenTelemetry's is imported.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.conf import settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

SERVICE = "agentpost"
Attributes = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Origin:
    """What something came from: spans around it, the outermost first, that began at these seconds of the epoch."""

    spans: tuple[tuple[str, float], ...]
    attributes: Attributes = field(default_factory=dict)

    def within(self, name: str, began: float) -> Origin:
        """Return the same with one more span around what is to come."""
        return Origin((*self.spans, (name, began)), self.attributes)


class Writing(NamedTuple):
    """What writes spans, and what gives them their ids, as the thread that asks has said last."""

    provider: TracerProvider
    tracer: Tracer
    ids: Any


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


def is_on() -> bool:
    """Return whether there is a collector."""
    return bool(settings.AGENTPOST_OTLP_ENDPOINT)


@contextmanager
def coming_from(name: str, **attributes: str | int | bool) -> Iterator[None]:
    """Let what happens in the block have come from a span that begins now."""
    before = _origin.set(Origin(((name, time.time()),), attributes))
    try:
        yield
    finally:
        _origin.reset(before)


def origin() -> Origin | None:
    """Return what this thread or task came from."""
    return _origin.get()


def span_id(trace: UUID, name: str) -> int:
    """Return the id of the span that has this name in a trace: whoever knows the trace knows it."""
    return int.from_bytes(hashlib.sha256(name.encode() + trace.bytes).digest()[:8], "big") or 1


def new_span_id() -> int:
    """Return an id for a span of which there may be several in a trace."""
    return secrets.randbits(64) or 1


def traceparent(trace: UUID, span: int) -> str:
    """Return the header that tells a receiver which span its own belong under."""
    return f"00-{trace.hex}-{span:016x}-01"


def happened(trace: UUID, name: str, source: Origin | None, attributes: Attributes) -> None:
    """Write a span of this moment, within those that it came from, which end now too: what follows is not of it."""
    parent = None
    found = source or Origin(())
    for outer, began in found.spans:
        parent = write_span(trace, outer, found.attributes, began=began, parent=parent)
    write_span(trace, name, attributes, began=time.time(), parent=parent)


def write_span(
    trace: UUID, name: str, attributes: Attributes, *, began: float, parent: int | None, span: int | None = None
) -> int:
    """Write a span that began at a second of the epoch and ends now; return its id."""
    own = span or span_id(trace, name)
    now = writing()
    now.ids.trace, now.ids.span = trace.int, own
    started = now.tracer.start_span(name, _under(trace, parent), attributes=attributes, start_time=int(began * 1e9))
    started.end()
    return own


def _under(trace: UUID, parent: int | None) -> Any:
    from opentelemetry import trace as api

    if parent is None:
        return api.set_span_in_context(api.INVALID_SPAN)
    above = api.SpanContext(trace.int, parent, is_remote=True, trace_flags=api.TraceFlags(api.TraceFlags.SAMPLED))
    return api.set_span_in_context(api.NonRecordingSpan(above))


@cache
def writing() -> Writing:
    """Return what writes the spans of this process, and sends them once a second."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class Ids(threading.local, IdGenerator):
        trace = span = 0

        def generate_trace_id(self) -> int:
            return self.trace

        def generate_span_id(self) -> int:
            return self.span

    ids = Ids()
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}), id_generator=ids)
    exporter = OTLPSpanExporter(f"{settings.AGENTPOST_OTLP_ENDPOINT.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    return Writing(provider, provider.get_tracer(SERVICE), ids)
