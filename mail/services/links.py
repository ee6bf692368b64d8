"""Short-lived signed links to attachments: good for one attachment of one environment, and for nobody else's."""

from datetime import datetime, timedelta

from django.core.signing import BadSignature, TimestampSigner

from environments import clock
from environments.errors import NotFound
from environments.ids import decode
from mail.models import Attachment

LIFE = timedelta(minutes=15)
SIGNER = TimestampSigner(salt="attachment")


def sign(attachment: Attachment) -> tuple[str, datetime]:
    """Return the token that opens this attachment, and when it runs out."""
    token = SIGNER.sign(f"{attachment.environment_id}.{attachment.pk}")
    return token.replace(":", "~"), clock.now() + LIFE


def environment_of(token: str, attachment_id: str) -> str:
    """Return the environment that a token opens this attachment in; raise NotFound for any other token."""
    try:
        signed = SIGNER.unsign(token.replace("~", ":"), max_age=LIFE)
        environment_id, _, signed_id = signed.partition(".")
        decode("env", environment_id)
    except (BadSignature, ValueError) as problem:
        raise NotFound from problem
    if signed_id != attachment_id:
        raise NotFound
    return environment_id
