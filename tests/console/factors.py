"""Second factors as tests give and prove them."""

from datetime import datetime

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.http import HttpRequest
from django.test import Client

from environments import clock
from environments.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_at(moment: datetime | None = None, secret: str = SECRET) -> str:
    """Return what the person's app shows at a moment, or now."""
    return format_hotp_value(hotp_value(secret, int((moment or clock.now()).timestamp()) // 30))


def with_factor(user: User) -> User:
    """Let the person have a second factor of this secret."""
    if not Authenticator.objects.filter(user=user).exists():
        TOTP.activate(user, SECRET)
    return user


def proven(client: Client) -> Client:
    """Return the client whose person has just proved a second factor, set up if need be."""
    request = HttpRequest()
    request.session = client.session
    user = User.objects.get(pk=request.session["_auth_user_id"])
    record_authentication(request, with_factor(user), "mfa", type="totp")
    request.session.save()
    return client
