"""Unsubscribing: a link, and an address, by which a recipient gets no more mail of an environment (RFC 8058, RFC 2369).

The token names environment and recipient. It is encrypted: whoever has it can use it, and read nothing in it.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from environments.binding import inside
from environments.destinations import LONGEST_LOCAL_PART
from environments.encryption import CannotOpen, seal, unseal
from environments.errors import NotFound, ValidationFailed
from environments.ids import decode, encode
from environments.models import Environment
from inboxes.models import Inbox
from inboxes.services.suppressions import suppress
from mail.models import Message

PURPOSE = "unsubscribe"
TAG = "+unsubscribe@"
REASON = "unsubscribed"
UUID_LENGTH = 16


@dataclass(frozen=True)
class Leaving:
    """Who wants no more mail, and of which environment."""

    environment_id: str
    email: str


def token_for(inbox: Inbox, email: str) -> str:
    """Return the token by which this recipient unsubscribes from the inbox's environment."""
    who = decode("env", inbox.environment_id).bytes + email.lower().encode()
    return base64.urlsafe_b64encode(seal(who, environment_id="", purpose=PURPOSE)).decode().rstrip("=")


def opened(token: str) -> Leaving:
    """Return who a token is for; raise NotFound for what is no token of this server."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        who = unseal(sealed, environment_id="", purpose=PURPOSE)
        return Leaving(encode("env", UUID(bytes=who[:UUID_LENGTH])), who[UUID_LENGTH:].decode())
    except (CannotOpen, binascii.Error, ValueError) as problem:
        raise NotFound from problem


def addresses_for(inbox: Inbox, email: str) -> list[str]:
    """Return what List-Unsubscribe holds for one recipient: the link, and the address to write to where it fits."""
    token = token_for(inbox, email)
    link = f"{settings.AGENTPOST_PUBLIC_URL}/api/v1/unsubscribe/{token}"
    local, _, domain = inbox.email.rpartition("@")
    if len(local) + len(TAG) - 1 > LONGEST_LOCAL_PART:
        return [link]
    return [link, f"mailto:{local}{TAG}{domain}?subject={token}"]


def unsubscribe(leaving: Leaving) -> None:
    """Write to this recipient no more from this environment; says nothing, whether it was there or had left before."""
    environment = Environment.everywhere.filter(pk=leaving.environment_id).first()
    if environment is None:
        return
    with inside(environment):
        _suppress(environment, leaving.email)


def unsubscribe_by_mail(environment: Environment, messages: Iterable[Message]) -> None:
    """Take those off whose token has come in by mail, inside the environment; another environment's does nothing."""
    for message in messages:
        if message.status == Message.Status.QUARANTINED or not _is_about_leaving(message):
            continue
        try:
            leaving = opened("".join(message.subject.split()))
        except NotFound:
            continue
        if leaving.environment_id == environment.pk:
            _suppress(environment, leaving.email, source=message.pk)


def _is_about_leaving(message: Message) -> bool:
    return any(TAG in address.lower() for address in message.envelope_recipients)


def _suppress(environment: Environment, email: str, source: str = "") -> None:
    try:
        suppress(environment, email, reason=REASON, source=source, explanation="The recipient unsubscribed.")
    except ValidationFailed:  # of an address that cannot be suppressed, as a simulator's
        return
