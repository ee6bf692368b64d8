"""Rate limits: calls per minute, of a key and of an environment, counted by all processes together.

One statement a call, on an unlogged table: no durable write, and a crash forgives at most a minute. The headers are
those of https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ in their widely used form.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apikeys.models import RateWindow
from environments import clock
from environments.asking import AGAIN
from environments.errors import RateLimited
from environments.ids import decode
from environments.prepared import Prepared

COUNT = """
    INSERT INTO apikeys_ratewindow (subject, minute, calls)
    SELECT unnest($1::uuid[]), $2, 1
    ON CONFLICT ON CONSTRAINT one_window_per_subject_and_minute
    DO UPDATE SET calls = apikeys_ratewindow.calls + 1
    RETURNING calls
"""
_COUNT = Prepared("apikeys_ratewindow", COUNT, 2)


class PerMinute(BaseThrottle):
    """Count the call; refuse it with 429 when its key, or its environment, has no calls left in this minute."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if request.META.get(AGAIN):
            return True
        now = clock.now()
        reset = 60 - now.second
        limit = settings.AGENTPOST_REQUESTS_PER_MINUTE
        calls = _counted(request, now.replace(second=0, microsecond=0))
        request.rate_headers = {  # type: ignore[attr-defined]
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(0, limit - calls)),
            "RateLimit-Reset": str(reset),
        }
        if calls > limit:
            raise RateLimited(headers={"Retry-After": str(reset), **request.rate_headers})  # type: ignore[attr-defined]
        return True


def _counted(request: Request, minute: Any) -> int:
    """Count one call of the request's key (or member) and environment; return the larger count of the two."""
    caller = request.auth
    who = caller.actor.id  # type: ignore[union-attr]
    subjects = {decode(who.partition("_")[0], who)}
    environment = getattr(request, "environment", None)
    if environment is not None:
        subjects.add(decode("env", environment.pk))
    return max(counted(subjects, minute))


def counted(subjects: Iterable[UUID], minute: datetime) -> list[int]:
    """Count one call of each subject in this minute; return how many each has had in it, in no order."""
    return [row[0] for row in _COUNT.rows([sorted(subjects), minute])]


def calls_of(subject: UUID, minute: datetime) -> int:
    """Return how many calls of a subject were counted in this minute."""
    row = RateWindow.objects.filter(subject=subject, minute=minute).first()
    return row.calls if row else 0
