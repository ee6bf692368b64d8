"""A message as signatures see it: header fields with their exact bytes, and a body with CRLF line ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mail.parsing.limits import header_end

MAX_HEAD_BYTES = 1024 * 1024
MAX_FIELDS = 2_000


class Field(NamedTuple):
    """One header field. `raw` is all of it, name and folding included, without the last line end."""

    name: str
    raw: bytes

    @property
    def value(self) -> bytes:
        return self.raw.partition(b":")[2]

    @property
    def text(self) -> str:
        """The value on one line; raw 8-bit bytes are read as UTF-8 (RFC 6532)."""
        return " ".join(self.value.decode("utf-8", "surrogateescape").split())


@dataclass(frozen=True, slots=True)
class Signable:
    """Header fields in their order, and the body. `is_cut` when there were too many to look at them all."""

    fields: tuple[Field, ...]
    body: bytes
    is_cut: bool

    def named(self, name: str) -> list[Field]:
        return [field for field in self.fields if field.name == name]


def read(raw: bytes) -> Signable:
    """Split a message into fields and body, in linear time; never raises."""
    end = header_end(raw)
    head = with_network_line_ends(raw[: min(end, MAX_HEAD_BYTES)])
    fields = _fields(head)
    return Signable(tuple(fields[:MAX_FIELDS]), _body(raw, end), end > MAX_HEAD_BYTES or len(fields) > MAX_FIELDS)


def with_network_line_ends(raw: bytes) -> bytes:
    """Return the bytes with each bare LF made a CRLF, as they travelled or should have."""
    if raw.count(b"\n") == raw.count(b"\r\n"):
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _body(raw: bytes, end: int) -> bytes:
    start = end + 2 if raw.startswith(b"\r\n", end) else end + 1
    return with_network_line_ends(raw[start:])


def _fields(head: bytes) -> list[Field]:
    fields: list[Field] = []
    lines: list[bytes] = []
    for line in [*head.split(b"\r\n"), b""]:
        if len(fields) > MAX_FIELDS:
            break
        if line[:1] in (b" ", b"\t") and lines:
            lines.append(line)
            continue
        if lines:
            _add(fields, b"\r\n".join(lines))
        lines = [line] if line else []
    return fields


def _add(fields: list[Field], raw: bytes) -> None:
    name, colon, _ = raw.partition(b":")
    if colon:
        fields.append(Field(name.rstrip(b" \t").decode("latin-1").lower(), raw))
