"""An SMTP client for servers that nobody vouches for: what one of them says is bounded."""

from __future__ import annotations

import asyncio
from typing import cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

LONGEST_REPLY = 4096  # octets; RFC 5321 section 4.5.3.1.5 allows 512 for a line
MOST_LINES = 100


class BoundedProtocol(SMTPProtocol):
    """Breaks off when a reply has too many octets or lines; each line that comes in has all of them read again."""

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol.data_received``."""
        waiter = self._response_waiter
        is_awaited = waiter is not None and self._response_pending and not waiter.done()
        if waiter is not None and is_awaited and self._is_too_long(data):
            self._set_response_exception(waiter, aiosmtplib.SMTPServerDisconnected("Its reply was too long."))
            self._break_off()
        else:
            super().data_received(data)

    def _is_too_long(self, data: bytes) -> bool:
        if len(self._buffer) + len(data) > LONGEST_REPLY:
            return True
        return self._buffer.count(b"\n") + data.count(b"\n") > MOST_LINES

    def _break_off(self) -> None:
        self._buffer.clear()
        if self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).abort()


class Client(aiosmtplib.SMTP):
    """A client on a socket that is connected already."""

    async def _create_connection(self, timeout: float | None) -> aiosmtplib.SMTPResponse:  # noqa: ASYNC109 - its signature
        """Speak by the bounded protocol; aiosmtplib offers no other place to say so."""
        protocol = BoundedProtocol(connection_lost_callback=self._on_connection_lost)
        try:
            async with asyncio.timeout(timeout):
                self.transport = await self._begun(protocol)
        except OSError as problem:  # TimeoutError and SSLError are among them
            raise aiosmtplib.SMTPConnectError(str(problem) or type(problem).__name__) from problem
        self.protocol = protocol
        greeting = await protocol.read_response(timeout=timeout)
        if greeting.code != aiosmtplib.SMTPStatus.ready:
            raise aiosmtplib.SMTPConnectResponseError(greeting.code, greeting.message)
        return greeting

    async def _begun(self, protocol: SMTPProtocol) -> asyncio.BaseTransport:
        """Put the protocol on the socket, with TLS if it begins with that."""
        transport, _ = await asyncio.get_running_loop().create_connection(
            lambda: protocol,
            sock=self.sock,
            ssl=await self._get_tls_context() if self.use_tls else None,
            server_hostname=self.hostname if self.use_tls else None,
        )
        return transport
