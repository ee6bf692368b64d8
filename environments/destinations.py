"""Where mail may go: addresses and domains as an allowlist and a redirect name them."""

import re
from collections.abc import Sequence

from environments.domain_names import ascii_domain
from environments.errors import field_error

LOCAL_PART = re.compile(r"[^\s@\x00-\x1f\x7f<>(),;:\\\"\[\]]{1,64}")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
DOMAIN = re.compile(rf"(?=.{{1,253}}$){LABEL}(?:\.{LABEL})*")
LONGEST_ADDRESS = 320  # 64, an @ and 255: RFC 5321 section 4.5.3.1
LONGEST_LOCAL_PART = 64  # octets: RFC 5321 section 4.5.3.1.1
MOST_ENTRIES = 1000


def allowlist(entries: Sequence[str]) -> list[str]:
    """Return addresses and domains as they are stored: in lower case, domains in ASCII (RFC 5890), each once, sorted.

    ``@example.com`` is ``example.com``; it does not cover subdomains. Raises ValidationFailed for what is neither an
    address nor a domain, and for too many.
    """
    if len(entries) > MOST_ENTRIES:
        raise field_error("allowlist", f"At most {MOST_ENTRIES} addresses and domains.")
    return sorted({_entry(entry) for entry in entries})


def redirect_address(text: str) -> str:
    """Return an address as it is stored; empty for none. Raises ValidationFailed."""
    if not text.strip():
        return ""
    found = _address(text)
    if not found:
        raise field_error("redirect_address", "Must be an address such as ann@example.com.")
    return found


def _entry(text: str) -> str:
    found = _domain(text.strip().removeprefix("@")) if text.rfind("@") <= 0 else _address(text)
    if not found:
        raise field_error("allowlist", f"{text[:80]!r} is neither an address nor a domain.")
    return found


def _address(text: str) -> str:
    """Return the normalised address, or an empty string for what is none."""
    local, _, given = text.strip().rpartition("@")
    domain, local = _domain(given), local.lower()
    is_address = domain and LOCAL_PART.fullmatch(local) and len(local) + len(domain) < LONGEST_ADDRESS
    return f"{local}@{domain}" if is_address else ""


def _domain(text: str) -> str:
    """Return the normalised domain, or an empty string for what is none."""
    if len(text) > LONGEST_ADDRESS:
        return ""
    try:
        domain = ascii_domain(text)
    except ValueError:
        return ""
    return domain if DOMAIN.fullmatch(domain) else ""
