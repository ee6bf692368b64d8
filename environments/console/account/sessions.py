"""How long a session lasts, and what a person can see of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from environments import clock

BEGUN, SEEN = "session_begun_at", "session_seen_at"


class SessionLifeMiddleware:
    """End a session of the console that was not used for long, or is old; note now and then that it is used.

    Needs the user before it. Paths outside the console pass untouched.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if is_of_console(request) and request.user.is_authenticated:
            if has_run_out(request):
                logout(request)
            else:
                note_use(request)
        return self.get_response(request)


def is_of_console(request: HttpRequest) -> bool:
    """Return whether a request is for a page of the console."""
    return request.path.startswith(_root())


@cache
def _root() -> str:
    """Return where the console begins; kept, since every call of the API asks it."""
    return reverse("admin:index")


def has_run_out(request: HttpRequest) -> bool:
    """Return whether the session was idle for longer, or began longer ago, than sessions last."""
    now = clock.now()
    seen, begun = (_moment(request, key) for key in (SEEN, BEGUN))
    return now - seen > settings.SESSION_IDLE or now - begun > settings.SESSION_LONGEST


def _moment(request: HttpRequest, key: str) -> datetime:
    return datetime.fromtimestamp(request.session.get(key, clock.now().timestamp()), UTC)


def note_use(request: HttpRequest) -> None:
    """Write down that the session is used, from where and with what; every few minutes, not every time."""
    now = clock.now().timestamp()
    request.session.setdefault(BEGUN, now)
    if now - request.session.get(SEEN, 0) < settings.SESSION_NOTED_EVERY:
        return
    request.session[SEEN] = now
    UserSession.objects.create_from_request(request)
