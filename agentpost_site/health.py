"""Whether the house stands: for load balancers, for people, for Prometheus."""

import socket
import uuid
from collections.abc import Callable

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from environments.doors import smtp_door
from environments.gates import ask

OLDEST_QUEUE_SECONDS = 300.0
PATIENCE = 2.0


def healthz(_: HttpRequest) -> HttpResponse:
    """Answer 200 while this process serves at all."""
    return JsonResponse({"status": "ok"})


def readyz(_: HttpRequest) -> HttpResponse:
    """Answer 200 when everything that mail needs works, 503 with what does not otherwise."""
    checks = {name: _outcome(check) for name, check in CHECKS.items()}
    ready = all(outcome == "ok" for outcome in checks.values())
    return JsonResponse({"status": "ok" if ready else "failing", "checks": checks}, status=200 if ready else 503)


def _outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except (DatabaseError, OSError, LateQueue) as problem:
        return type(problem).__name__ if not isinstance(problem, LateQueue) else str(problem)
    return "ok"


class LateQueue(Exception):
    """Webhook deliveries wait longer than they should."""


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _queue() -> None:
    waiting = seconds_waited()
    if waiting > OLDEST_QUEUE_SECONDS:
        raise LateQueue(f"the oldest webhook delivery is {waiting:.0f} s late")


def seconds_waited() -> float:
    """Return for how long the oldest due webhook delivery has waited."""
    [(seconds,)] = ask("seconds_to_next_delivery")
    return max(0.0, -(seconds or 0.0))


def _smtp() -> None:
    _greets(*smtp_door())


def _submission() -> None:
    """Knock at the port with STARTTLS; the one inside TLS belongs to the same processes and answers with it."""
    host, _ = smtp_door()
    if settings.AGENTPOST_SUBMISSION_PORT:
        _greets(host, settings.AGENTPOST_SUBMISSION_PORT)
    elif settings.AGENTPOST_SUBMISSION_TLS_PORT:
        socket.create_connection((host, settings.AGENTPOST_SUBMISSION_TLS_PORT), PATIENCE).close()


def _greets(host: str, port: int) -> None:
    with socket.create_connection((host, port), PATIENCE) as connected:
        connected.settimeout(PATIENCE)
        if not connected.recv(3).startswith(b"220"):
            raise ConnectionError


def _storage() -> None:
    name = f"readyz-{uuid.uuid4().hex}"
    default_storage.save(name, ContentFile(b"ready"))
    default_storage.open(name).close()  # a bucket may let us write and not read
    default_storage.delete(name)


CHECKS = {"database": _database, "queue": _queue, "smtp": _smtp, "submission": _submission, "storage": _storage}


def metrics(_: HttpRequest) -> HttpResponse:
    """Answer with what Prometheus scrapes; no environment, address or content in it."""
    registry = CollectorRegistry()
    up = Gauge("agentpost_check_ok", "Whether a readiness check passes.", ["check"], registry=registry)
    for name, check in CHECKS.items():
        up.labels(name).set(_outcome(check) == "ok")
    late = Gauge("agentpost_webhook_queue_late_seconds", "How late the oldest webhook is.", registry=registry)
    try:
        late.set(seconds_waited())
    except DatabaseError:
        late.set(float("nan"))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
