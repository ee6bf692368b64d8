"""Return paths (VERP): an envelope sender for each mail and recipient, so that a bounce says what it is about.

``bounces+<token>@bounces.example.com`` where the domain's return-path record is verified, and otherwise
``support+<token>@example.com``, the inbox's own address with a tag. The token is the id of the hand-over and 64 bits of
a keyed hash over it, in base 32. Whoever got the mail knows it, and nobody else can make one. It leads to the
environment that made it and to no other: the hand-over is a row of that one.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.crypto import constant_time_compare, salted_hmac

from environments.destinations import LONGEST_LOCAL_PART
from environments.encryption import server_secrets
from environments.gates import ask
from environments.ids import decode, encode
from inboxes.models import Inbox
from inboxes.records.wanted import RETURN_PATH
from inboxes.services.addresses import normalise
from mail.models import HandOver

OF_THE_ID, OF_THE_MAC = 16, 8
TOKEN = re.compile(r"[a-z2-7]{39}")
PADDING = "="
LOCAL_PART, LABEL = RETURN_PATH, f"{RETURN_PATH}."
SALT = "agentpost return path"
DAYS = 30


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """What an address of ours says: the hand-over, the inbox address behind a tag, or the domain below ``bounces.``."""

    hand_over: uuid.UUID
    inbox_email: str
    domain: str

    @property
    def hand_over_id(self) -> str:
        """Return the public id of the hand-over."""
        return encode("hov", self.hand_over)


def address_for(hand_over: HandOver, inbox: Inbox, has_return_path: bool) -> str:  # noqa: FBT001 - as the sender asks
    """Return the envelope sender of a mail that is handed over.

    ``has_return_path`` tells whether the record of ``bounces.<domain>`` is verified. An inbox whose name leaves no room
    for a token is named as it is; its bounces are then known by the Message-ID that they quote.
    """
    token = token_of(hand_over.pk)
    if has_return_path:
        return f"{LOCAL_PART}+{token}@{LABEL}{inbox.domain_name}"
    local = f"{inbox.username}+{token}"
    return f"{local}@{inbox.domain_name}" if len(local) <= LONGEST_LOCAL_PART else inbox.email


def token_of(hand_over_id: str) -> str:
    """Return the token that names a hand-over: 39 lower-case letters and digits."""
    return _signed(decode("hov", hand_over_id).bytes, server_secrets()[0])


def _signed(name: bytes, secret: str) -> str:
    mac = salted_hmac(SALT, name, secret=secret, algorithm="sha256").digest()[:OF_THE_MAC]
    return base64.b32encode(name + mac).decode().rstrip(PADDING).lower()


def looks_like_one(address: str) -> bool:
    """Return whether an address has the form of a return path, whoever made it."""
    return TOKEN.fullmatch(_tag(normalise(address))) is not None


def read(address: str) -> ReturnPath | None:
    """Return what a return path of this server says; None for any other address, and for what was made up.

    Asks nobody: that there is such a hand-over, and where, is what ``find_hand_over`` or its environment tell.
    """
    address = normalise(address)
    hand_over = _opened(_tag(address))
    if hand_over is None:
        return None
    local, _, domain = address.rpartition("@")
    base = local.partition("+")[0]
    is_below = base == LOCAL_PART and domain.startswith(LABEL)
    return ReturnPath(hand_over, f"{base}@{domain}", domain.removeprefix(LABEL) if is_below else "")


def _tag(address: str) -> str:
    local = address.rpartition("@")[0]
    return local.partition("+")[2]


def _opened(token: str) -> uuid.UUID | None:
    if not TOKEN.fullmatch(token):
        return None
    try:
        octets = base64.b32decode(token.upper() + PADDING)
    except binascii.Error:
        return None
    name = octets[:OF_THE_ID]
    is_ours = any(constant_time_compare(token, _signed(name, secret)) for secret in server_secrets())
    return uuid.UUID(bytes=name) if is_ours else None


def find_inbox(path: ReturnPath) -> tuple[uuid.UUID, uuid.UUID] | None:
    """Return environment and inbox of a hand-over, through a gate; None when it is gone, is long over, or is elsewhere.

    The address must be one that the hand-over's own inbox sends from.
    """
    rows = ask("find_hand_over", path.hand_over, path.inbox_email, path.domain, DAYS)
    return (rows[0][0], rows[0][1]) if rows else None


def hand_over_ids(addresses: Iterable[str]) -> list[str]:
    """Return the ids of the hand-overs that genuine return paths among these addresses name."""
    found = (read(address) for address in addresses if looks_like_one(address))
    return list(dict.fromkeys(path.hand_over_id for path in found if path))
