"""Every figure that a process counts, for Prometheus.

A label has few values, all of them known beforehand: no environment, address or content is one. Each process counts in
its own memory, and its ``Heart`` writes what it has counted into its row (docs/decisions/0068-beats-and-figures.md).
"""

import zlib
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics_core import Metric

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NESTED = "api/v1/environments/<str:environment>/"
UNMATCHED = "unmatched"
QUICK = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)  # seconds, with strangers at the other end
BATCHES = (1, 2, 4, 8, 16, 32, 64)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

HTTP_REQUESTS = Counter(
    "agentpost_http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "agentpost_http_request_seconds", "From a request's turn to its answer.", ["route"], buckets=QUICK,
    registry=REGISTRY,
)  # fmt: skip
STREAMS = Gauge("agentpost_streams_open", "Connections that the event loop holds.", registry=REGISTRY)

SMTP_SESSIONS = Counter("agentpost_smtp_sessions", "Conversations begun.", ["door"], registry=REGISTRY)
SMTP_OPEN = Gauge("agentpost_smtp_sessions_open", "Conversations under way.", ["door"], registry=REGISTRY)
SMTP_REPLIES = Counter("agentpost_smtp_replies", "Replies by their first digit.", ["door", "code"], registry=REGISTRY)
MAILS = Counter(
    "agentpost_mails_received", "Mails whose last octet came, by what was answered.", ["door", "outcome"],
    registry=REGISTRY,
)  # fmt: skip
MAIL_BYTES = Counter("agentpost_mail_received_bytes", "Octets of these mails.", ["door"], registry=REGISTRY)
MAIL_SECONDS = Histogram(
    "agentpost_mail_data_seconds", "From 354 to the answer to the mail.", ["door"], buckets=SLOW, registry=REGISTRY
)
BATCH_MAILS = Histogram(
    "agentpost_commit_batch_mails", "Mails that were stored together.", buckets=BATCHES, registry=REGISTRY
)
BATCH_SECONDS = Histogram(
    "agentpost_commit_seconds", "How long such a batch took.", buckets=QUICK, registry=REGISTRY
)  # fmt: skip

ATTEMPTS = Counter(
    "agentpost_webhook_attempts", "POSTs of webhooks, by what follows.", ["outcome"], registry=REGISTRY
)  # fmt: skip
ATTEMPT_SECONDS = Histogram(
    "agentpost_webhook_attempt_seconds", "How long such a POST took.", buckets=SLOW, registry=REGISTRY
)
HAND_OVERS = Counter(
    "agentpost_hand_over_attempts", "Recipients of outgoing mail, by what the other side made of them.", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
HAND_OVER_SECONDS = Histogram(
    "agentpost_hand_over_seconds", "How long such an attempt took.", buckets=SLOW, registry=REGISTRY
)


def answer_begun(method: str, route: str, status: int) -> None:
    """Count an HTTP answer that the event loop has begun, and that may never end."""
    _count(method, route, status)


def answered(method: str | None, route: str | None, status: int, since: float) -> None:
    """Count an HTTP answer; ``route`` is what the URL configuration calls it, ``since`` of ``perf_counter``.

    The nested form of a path counts as the flat one.
    """
    name = UNMATCHED if route is None else route
    if name.startswith(NESTED):
        name = "api/v1/" + name[len(NESTED) :]
    _count(method, name, status)
    HTTP_SECONDS.labels(name).observe(perf_counter() - since)


def _count(method: str | None, route: str, status: int) -> None:
    HTTP_REQUESTS.labels(method if method in METHODS else "other", route, f"{status // 100}xx").inc()


def snapshot() -> bytes:
    """Return what this process has counted so far, for ``Snapshots``."""
    families = [
        [family.name, family.type, family.documentation, [[one.name, one.labels, one.value] for one in family.samples]]
        for family in REGISTRY.collect()
    ]
    return zlib.compress(orjson.dumps(families), 1)


class Snapshots:
    """A collector of what several processes have counted, each under the name and the kind of its process."""

    def __init__(self, of_processes: Iterable[tuple[str, str, bytes]]) -> None:
        """Take kind, name and snapshot of each process."""
        self._of_processes = list(of_processes)

    def collect(self) -> Iterator[Metric]:
        found: dict[str, Metric] = {}
        for kind, name, figures in self._of_processes:
            for family in orjson.loads(zlib.decompress(figures)):
                _add(found, family, {"process": kind, "worker": name})
        yield from found.values()


def _add(found: dict[str, Metric], family: list[Any], labels: dict[str, str]) -> None:
    name, kind, documentation, samples = family
    metric = found.setdefault(name, Metric(name, documentation, kind))
    for sample, own, value in samples:
        metric.add_sample(sample, {**own, **labels}, value)
