"""Domains as DNS knows them, and when two of them belong together (RFC 7489, 3.1 and 3.2)."""

from __future__ import annotations

import functools
import re

import idna
from publicsuffixlist import PublicSuffixList

MAX_DOMAIN = 253
MAX_LABEL = 63
_HOST = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+")


@functools.cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def to_ascii(domain: str) -> str:
    """Return a domain in lower case with A-labels (RFC 5890), without a final dot; "" for what is no host name."""
    if len(domain) > MAX_DOMAIN * 4:
        return ""
    name = domain.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            return ""
    return name if len(name) <= MAX_DOMAIN and _HOST.fullmatch(name) else ""


def domain_of(address: str) -> str:
    """Return the domain of an address as DNS knows it, or "" where it has none, or an IP literal."""
    return to_ascii(address.rpartition("@")[2]) if "@" in address else ""


@functools.lru_cache(maxsize=4096)
def organizational(domain: str) -> str:
    """Return the domain that somebody registered: one label below the public suffix; a suffix stands for itself."""
    return _public_suffixes().privatesuffix(domain) or domain


def is_aligned(domain: str, author: str, *, strict: bool = False) -> bool:
    """Whether a domain that was proven speaks for the author's domain; both as `to_ascii` returns them."""
    if not domain or not author:
        return False
    return domain == author or (not strict and organizational(domain) == organizational(author))
