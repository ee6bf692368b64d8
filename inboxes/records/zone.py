"""A zone file (RFC 1035, section 5), as BIND and the import of most DNS providers read it."""

from __future__ import annotations

from collections.abc import Iterable

from inboxes.records.values import Record

TTL = 3600
LONGEST_STRING = 255  # RFC 1035, section 3.3


def zone_file(domain: str, records: Iterable[Record]) -> str:
    """Return the records as text, each below what it is for; names are absolute."""
    lines = [f"; DNS records of {domain}", f"$ORIGIN {domain}.", f"$TTL {TTL}"]
    for record in records:
        value = _quoted(record.value) if record.type == "TXT" else record.value
        lines += ["", f"; {record.purpose}", f"{record.name}.\tIN\t{record.type}\t{value}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a TXT value in strings of at most 255 octets, which belong together without a blank."""
    pieces = [_escaped(text[start : start + LONGEST_STRING]) for start in range(0, len(text), LONGEST_STRING)]
    quoted = " ".join(f'"{piece}"' for piece in pieces or [""])
    return f"( {quoted} )" if len(pieces) > 1 else quoted


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
