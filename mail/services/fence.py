"""What a language model may be shown of a message: data that it can tell from instructions."""

import secrets
from collections.abc import Iterable

from mail.inspection import text_for_model
from mail.models import Message
from mail.parsing import Address

NONCE_BYTES = 16


def fenced(message: Message, filenames: Iterable[str]) -> str:
    """Return the message's new text between markers of a fresh nonce, its flags and authentication in front."""
    return text_for_model(
        nonce=secrets.token_hex(NONCE_BYTES),
        text=message.extracted_text,
        flags=message.flags,
        authentication=message.authentication,
        sender=Address(message.from_email, message.from_name) if message.from_email else None,
        subject=message.subject,
        filenames=filenames,
    )
