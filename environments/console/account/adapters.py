"""What allauth asks of us."""

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from environments.console.account.addresses import address_of
from environments.encryption import seal, unseal
from environments.services.second_factors import PURPOSE

UNKNOWN = "0.0.0.0"  # noqa: S104 - not listened on: what is written where nothing better is known


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up, nothing is mailed from here, and no address of elsewhere is led to."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """Return whether the address is a path of this server's, which needs no host."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request) or UNKNOWN

    def add_message(self, *_: Any, **__: Any) -> None:
        """Say nothing: our own views do."""

    def send_mail(self, *_: Any, **__: Any) -> None:
        """Mail nothing: ``environments.services.notices`` does."""


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of second factors are sealed at rest, like all others."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(seal(text.encode(), environment_id="", purpose=PURPOSE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(base64.b64decode(encrypted_text), environment_id="", purpose=PURPOSE).decode()
