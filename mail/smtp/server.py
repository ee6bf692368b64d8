"""Listening: the public entry of the SMTP front."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from mail.intake import Examine, Note, Resolve, Store
from mail.smtp.lmtp import LmtpSession
from mail.smtp.options import SmtpOptions
from mail.smtp.reception import Reception
from mail.smtp.session import SmtpSession

log = logging.getLogger(__name__)

_BACKLOG = 512
_NO_SUCH_ADDRESS_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Listeners:
    """The open ports of one process."""

    smtp: tuple[Address, ...]
    """Where SMTP is spoken, with the actual port."""
    lmtp: tuple[Address, ...]
    reception: Reception
    """What their connections share."""
    _servers: tuple[asyncio.Server, ...]

    async def stop(self) -> None:
        """Accept nobody any more, finish the mails in progress within `Limits.stop_timeout`, end everything."""
        _close(self._servers)
        await self.reception.close()


async def start_listeners(
    options: SmtpOptions, resolve: Resolve, examine: Examine, store: Store, *, note: Note | None = None
) -> Listeners:
    """Listen as `options` say, in the running event loop, beside other processes on the same port.

    `resolve` and `examine` are called in a few threads, `store` in one, `note` in another; without `note` nothing is
    noted. Raises OSError for a port or certificate that cannot be had; a machine without IPv6 only loses its IPv6
    hosts.
    """
    reception = Reception(options, resolve, examine, store, note)
    servers: list[asyncio.Server] = []
    try:
        smtp = await _listen(reception, SmtpSession, options.port)
        servers += smtp
        lmtp = [] if options.lmtp_port is None else await _listen(reception, LmtpSession, options.lmtp_port)
        servers += lmtp
    except OSError:
        _close(servers)
        await reception.close()
        raise
    listeners = Listeners(_addresses(smtp), _addresses(lmtp), reception, tuple(servers))
    log.info("SMTP on %s, LMTP on %s", listeners.smtp, listeners.lmtp)
    return listeners


def serve(options: SmtpOptions, resolve: Resolve, examine: Examine, store: Store, *, note: Note | None = None) -> None:
    """Receive mail until SIGTERM or SIGINT, then finish what is in progress. Raises what `start_listeners` raises."""
    # aiosmtpd tells every command there, addresses included.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    asyncio.run(_serve_until_told(options, resolve, examine, store, note))


async def _serve_until_told(
    options: SmtpOptions, resolve: Resolve, examine: Examine, store: Store, note: Note | None
) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    listeners = await start_listeners(options, resolve, examine, store, note=note)
    await told_to_stop.wait()
    await listeners.stop()


async def _listen(reception: Reception, session: type[SmtpSession], port: int) -> list[asyncio.Server]:
    """Open `port` on every host there is. Raises OSError if one cannot be had, or none is there."""
    servers: list[asyncio.Server] = []
    missing: OSError | None = None
    for host in reception.options.hosts:
        try:
            servers.append(await _listen_on(host, port, reception, session))
        except OSError as error:
            if ":" not in host or error.errno not in _NO_SUCH_ADDRESS_FAMILY:
                _close(servers)
                raise
            log.warning("No IPv6 here, not listening on %s", host)
            missing = error
    if missing and not servers:
        raise missing
    return servers


async def _listen_on(host: str, port: int, reception: Reception, session: type[SmtpSession]) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: session(reception), host, port, reuse_port=True, backlog=_BACKLOG)
    if not server.sockets:
        raise OSError(errno.EAFNOSUPPORT, f"cannot listen on {host}")
    return server


def _close(servers: Sequence[asyncio.Server]) -> None:
    for server in servers:
        server.close()


def _addresses(servers: Sequence[asyncio.Server]) -> tuple[Address, ...]:
    return tuple(socket.getsockname()[:2] for server in servers for socket in server.sockets)
