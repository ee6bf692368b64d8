"""DKIM signatures on what leaves: `sign`, a pure function from bytes and keys to bytes (RFC 6376, RFC 8463)."""

from mail.signing.keys import Key, load
from mail.signing.signing import sign

__all__ = ["Key", "load", "sign"]
