"""Which addresses mail can be sent to, in the form in which it is sent."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from environments.destinations import LONGEST_ADDRESS, LONGEST_LOCAL_PART
from environments.domain_names import ascii_domain
from mail.parsing import Address

ROUTED = set('%!:"\\')  # by which some relays read another address out of a local part, or a second spelling of one
BEYOND_ASCII = re.compile(r"[^\x00-\x9f]")
UNPRINTABLE = ("C", "Z")  # Unicode's categories of what is no sign: controls, and blanks


def sendable(email: str, name: str = "") -> Address | None:
    """Return the address as mail can be sent to it, its domain in ASCII (RFC 5890); None where there is no such one.

    A local part may hold signs beyond ASCII (RFC 6531); they come out in Unicode's form NFC. Quoted local parts, and
    those with ``%`` or ``!``, are not sent to: relays take other addresses out of them (``a%b.example@c.example``), and
    then the mail would reach somebody whom no rule has seen.
    """
    local, _, domain = email.rpartition("@")
    local = unicodedata.normalize("NFC", local)
    if len(email) > LONGEST_ADDRESS or not _is_local_part(local):
        return None
    try:
        address = f"{local}@{ascii_domain(domain)}"
        validate_email(BEYOND_ASCII.sub("x", address))
    except (ValueError, ValidationError):
        return None
    return Address(address, name)


def _is_local_part(local: str) -> bool:
    signs = [character for character in local if not character.isascii()]
    is_printable = not any(unicodedata.category(character).startswith(UNPRINTABLE) for character in signs)
    return is_printable and not ROUTED & set(local) and len(local.encode("utf-8", "replace")) <= LONGEST_LOCAL_PART
