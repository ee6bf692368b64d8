"""Idempotency keys: a POST that is sent again, because its answer was lost, is answered again and not done again.

The lock, the record and what the call does share one transaction: a call that is refused, or dies, leaves no trace of
its key, and of two that race one finds the lock taken. See
https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import orjson
from django.db import connection
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys.models import IdempotencyRecord
from environments import clock
from environments.errors import Conflict, field_error
from environments.models import Environment

HEADER = "Idempotency-Key"
LIFE = timedelta(hours=24)
LONGEST_KEY = 255


class IdempotencyMismatch(Conflict):
    """The key was used for something else."""

    code = "idempotency_mismatch"
    message = "This Idempotency-Key was used for another request."
    fix = "Use a fresh key for each thing to be done once, and the same body when a request is sent again."


class IdempotencyInProgress(Conflict):
    """The first request with the key has no answer yet."""

    code = "idempotency_in_progress"
    message = "A request with this Idempotency-Key is being carried out right now."
    fix = "Wait a moment, then send it again."


def answered_once(environment: Environment, request: Request, what: str, work: Callable[[], Response]) -> Response:
    """Return what ``work`` answers, or answered the first time that this request was made with its Idempotency-Key.

    Runs inside the environment; keys are its own. ``what`` names the action and what it acts on. Answers are kept for
    24 hours, refusals are not. Raises IdempotencyMismatch or IdempotencyInProgress.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return work()
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise field_error(HEADER, f"Must be 1 to {LONGEST_KEY} printable ASCII characters.")
    _lock(environment, key)
    rows = IdempotencyRecord.objects.in_environment(environment).filter(key=key)
    fingerprint = hashlib.sha256(
        what.encode() + b"\n" + orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
    ).digest()
    first = rows.filter(expires_at__gt=clock.now()).first()
    if first:
        return _again(first, fingerprint)
    rows.delete()
    response = work()
    _keep(environment, key, fingerprint, response)
    return response


def _lock(environment: Environment, key: str) -> None:
    """Take the key until the transaction ends; raise IdempotencyInProgress when another one has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"once {environment.pk} {key}"])
        if not cursor.fetchone()[0]:
            raise IdempotencyInProgress


def _again(first: IdempotencyRecord, fingerprint: bytes) -> Response:
    if bytes(first.fingerprint) != fingerprint:
        raise IdempotencyMismatch
    return Response(orjson.loads(first.body or "null"), first.status, headers={"Idempotency-Replayed": "true"})


def _keep(environment: Environment, key: str, fingerprint: bytes, response: Response) -> None:
    IdempotencyRecord(
        environment=environment,
        key=key,
        fingerprint=fingerprint,
        status=response.status_code,
        body=orjson.dumps(response.data).decode(),  # as text, so that the order of its keys stays
        expires_at=clock.now() + LIFE,
    ).save(force_insert=True)
