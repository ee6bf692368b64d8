"""Has this person proven a second factor, and lately? What lets mail out asks ``demanded`` first, and returns it."""

from datetime import timedelta
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from environments import clock
from environments.models import User
from environments.services.second_factors import is_enrolled

MINUTES = 15
FRESH = timedelta(minutes=MINUTES)
ENROL = "This needs a second factor, and you have none yet. Set one up; then you come back to where you were."
PROVE = (
    f"This needs a second factor, proven within the last {MINUTES} minutes. "
    "Prove it; then you come back to where you were."
)


def is_fresh(request: HttpRequest) -> bool:
    """Return whether the person has a second factor and proved it in this session lately."""
    return bool(_records(request, "mfa")) and is_enrolled(request.user)


def _records(request: HttpRequest, method: str) -> list[dict[str, Any]]:
    """Return how the person proved who they are in this session, by this method and lately."""
    if not request.user.is_authenticated:
        return []
    since = clock.now().timestamp() - FRESH.total_seconds()
    records = get_authentication_records(request, request.user)
    return [record for record in records if record["method"] == method and record["at"] > since]


def gave_password_again(request: HttpRequest) -> bool:
    """Return whether the person gave their password in this session lately, apart from the sign-in that began it."""
    return any(record.get("reauthenticated") for record in _records(request, "password"))


def demanded(request: HttpRequest) -> HttpResponse | None:
    """Return None when the second factor is fresh, else the answer that leads to it and from there back to this page.

    A person without one is led to set one up. What was posted is not carried out, and not kept.
    """
    if is_fresh(request):
        return None
    has_one = is_enrolled(request.user)
    messages.warning(request, PROVE if has_one else ENROL)
    where = reverse("mfa_reauthenticate" if has_one else "mfa_activate_totp")
    return HttpResponseRedirect(f"{where}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")


class Demanded(Exception):
    """The second factor is not fresh; what was posted is undone, and answered with the way to it."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__(response.status_code)


def demand(request: HttpRequest) -> None:
    """Raise Demanded unless the second factor is fresh: for what saves a form, which ``refusable`` answers for."""
    if elsewhere := demanded(request):
        raise Demanded(elsewhere)


def note_password(request: HttpRequest) -> None:
    """Remember in the session that this person gave their password now."""
    record_authentication(request, request.user, "password", reauthenticated=True)


def note_proof(request: HttpRequest, user: User, factor: Authenticator) -> None:
    """Remember in the session that this person proved this factor now."""
    factor.record_usage()
    record_authentication(request, user, "mfa", id=factor.pk, type=factor.type)
