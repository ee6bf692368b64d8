"""Reply addresses that find their thread again, although a relay changed the Message-ID of what was sent.

``support+k3v5…@example.com`` reaches ``support@example.com`` like any plus address. Its tag is 80 bits of a keyed hash
over the inbox and the Message-ID of the mail that it stands in: it tells nothing, and cannot be guessed. What it leads
to is looked up in the inbox that the mail is for, so one that was made up, or made for another inbox, finds nothing.
"""

import base64
import hashlib
import re
import uuid
from collections.abc import Iterable

from django.utils.crypto import salted_hmac

from environments.destinations import LONGEST_LOCAL_PART
from inboxes.models import Inbox

OCTETS = 10
TAG = re.compile(r"[a-z2-7]{16}")
SALT = "agentpost reply address"


def token(inbox: Inbox, message_id: str) -> str:
    """Return the tag of the reply address of a mail that goes out: sixteen lower-case letters and digits."""
    mac = salted_hmac(SALT, f"{inbox.pk} {message_id}", algorithm="sha256").digest()
    return base64.b32encode(mac[:OCTETS]).decode().lower()


def reply_address(inbox: Inbox, tag: str) -> str | None:
    """Return the inbox's address with the tag; None where that made too long a local part."""
    local = f"{inbox.username}+{tag}"
    return f"{local}@{inbox.domain_name}" if len(local) <= LONGEST_LOCAL_PART else None


def digest(tag: str) -> uuid.UUID:
    """Return what a tag is looked up by. No Message-ID has the same digest: each begins with an angle bracket."""
    return uuid.UUID(bytes=hashlib.sha256(f"reply {tag}".encode()).digest()[:16])


def tagged(addresses: Iterable[str]) -> dict[str, uuid.UUID]:
    """Return those of the addresses, in lower case, that carry what looks like a tag, with its digest."""
    lowered = (address.lower() for address in addresses)
    found = ((address, address.rpartition("@")[0].rpartition("+")[2]) for address in lowered if "+" in address)
    return {address: digest(tag) for address, tag in found if TAG.fullmatch(tag)}
