"""Guessing is slowed down in the database, by django-axes, for all processes together: by name and address."""

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.signals import user_locked_out
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from environments.console.account.addresses import address_of
from environments.services.accounts import note_lockout

TOO_MANY = 429
LONGEST_NAME = 255  # that axes keeps


def is_allowed(request: HttpRequest, name: str) -> bool:
    """Return whether this may be tried again from where the request comes; where not, the answer will say so."""
    allowed = AxesProxyHandler.is_allowed(request, {"username": name[:LONGEST_NAME]})
    if not allowed:
        request.axes_locked_out = True  # type: ignore[attr-defined]
    return allowed


def count(request: HttpRequest, name: str) -> None:
    """Count a try, whatever came of it."""
    AxesProxyHandler.user_login_failed(__name__, {"username": name[:LONGEST_NAME]}, request)


def locked_out(request: HttpRequest, _: HttpResponse | None = None, __: Any = None) -> HttpResponse:
    """Return the page for whoever tried too often: the same for everybody and for every reason."""
    from environments.console.site import site

    page = site.page(request, "console/account/locked_out.html", TOO_MANY, title="Too many attempts")
    page["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME * 3600))
    return page.render()


@receiver(user_locked_out)
def record_lockout(request: HttpRequest, username: str | None, **_: Any) -> None:
    """Record the moment at which guessing was stopped; not every try after it."""
    if username and getattr(request, "axes_failures_since_start", None):
        note_lockout(username, address_of(request))
