"""Octets of a mail on the wire: where DATA ends, and what was meant by it (RFC 5321 sections 2.3.8, 4.1.1.4, 4.5.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mail.intake import Refused

END_OF_DATA = b"\r\n.\r\n"
READ_LIMIT = 64 * 1024
"""Octets after which a piece of a mail is taken out of the connection's buffer."""

BARE_LINE_END = "554 5.6.0 Bare CR or LF refused, lines end with CR LF: https://www.postfix.org/smtp-smuggling.html"


class SessionOver(ConnectionResetError):
    """The conversation has ended, by the peer or by us. The command loop takes it like a lost connection."""


class WireReader(asyncio.StreamReader):
    """The stream of one connection, which can also read a whole mail without looking at its lines."""

    _buffer: bytearray

    async def readuntil(self, separator: bytes = b"\n") -> bytes:  # type: ignore[override]
        """Read up to and including `separator`.

        Raises SessionOver when the peer has closed before it, LimitOverrunError like the standard reader.
        """
        try:
            return await super().readuntil(separator)
        except asyncio.IncompleteReadError:
            raise SessionOver from None

    async def read_mail(self, keep: Callable[[int], bool]) -> bytes:
        """Read what follows 354, up to the one true end of data and not an octet further.

        `keep` is told the size of each piece as it comes. Once it says no, everything is read and forgotten.
        Returns CRLF, the octets as sent, the final dot and CRLF: what `unstuffed` expects. Raises SessionOver.
        """
        # The CRLF that ended the DATA command also begins the end of an empty mail.
        self._buffer[:0] = b"\r\n"
        pieces: list[bytes] = []
        piece = b""
        while not piece.endswith(END_OF_DATA):
            piece = await self._next_piece()
            if keep(len(piece)):
                pieces.append(piece)
            else:
                pieces.clear()
        return b"".join(pieces)

    async def _next_piece(self) -> bytes:
        """Return everything up to the end of data, or a large part that holds no octet of it."""
        try:
            return await self.readuntil(END_OF_DATA)
        except asyncio.LimitOverrunError as overrun:
            return await self.read(overrun.consumed)


def unstuffed(wire: bytes) -> bytes:
    """Return the mail in what `read_mail` read, its transparency dots removed.

    Raises Refused for a CR or LF that is not part of a CRLF: another server may see an end of data there.
    """
    if not wire.count(b"\r\n") == wire.count(b"\r") == wire.count(b"\n"):
        raise Refused(BARE_LINE_END, "bare_line_end")
    lines = wire.removesuffix(b".\r\n")
    # Searching first is several times cheaper than a replacement that finds nothing.
    if b"\r\n." in lines:
        lines = lines.replace(b"\r\n.", b"\r\n")
    return lines.removeprefix(b"\r\n")
