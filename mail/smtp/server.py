"""Listening: the public entry of the SMTP front."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from mail.intake import Admit, Examine, Note, Resolve, Store, Submit
from mail.smtp.lmtp import LmtpSession
from mail.smtp.options import SmtpOptions
from mail.smtp.reception import Reception
from mail.smtp.session import SmtpSession
from mail.smtp.submission import SubmissionSession

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
    submission: tuple[Address, ...]
    """Where mail is submitted, STARTTLS first."""
    submission_tls: tuple[Address, ...]
    reception: Reception
    """What their connections share."""
    _servers: tuple[asyncio.Server, ...]

    async def stop(self) -> None:
        """Accept nobody any more, finish the mails in progress within `Limits.stop_timeout`, end everything."""
        _close(self._servers)
        await self.reception.close()


async def start_listeners(
    options: SmtpOptions,
    resolve: Resolve,
    examine: Examine,
    store: Store,
    *,
    note: Note | None = None,
    submission: tuple[Admit, Submit] | None = None,
) -> Listeners:
    """Listen as `options` say, in the running event loop, beside other processes on the same port.

    `resolve` and `examine` are called in a few threads, `store` in one, `note` in another; without `note` nothing is
    noted, without `submission` nothing submitted.

    Raises OSError for a port or certificate that cannot be had; a machine without IPv6 only loses its IPv6 hosts.
    """
    reception = Reception(options, resolve, examine, store, note, submission)
    servers: list[asyncio.Server] = []
    found: list[tuple[Address, ...]] = []
    try:
        for session, port, context in _ports(options, reception):
            opened = [] if port is None else await _listen(reception, session, port, context)
            servers += opened
            found.append(_addresses(opened))
    except OSError:
        _close(servers)
        await reception.close()
        raise
    smtp, lmtp, submitted, submitted_in_tls = found
    log.info("SMTP on %s, LMTP on %s, submission on %s, inside TLS on %s", *found)
    return Listeners(smtp, lmtp, submitted, submitted_in_tls, reception, tuple(servers))


def _ports(
    options: SmtpOptions, reception: Reception
) -> list[tuple[type[SmtpSession], int | None, ssl.SSLContext | None]]:
    """Return what is spoken on which port, and inside which TLS."""
    submission = tls = None
    if reception.desk and reception.desk.tls_context:
        submission, tls = options.submission_port, options.submission_tls_port
    return [
        (SmtpSession, options.port, None),
        (LmtpSession, options.lmtp_port, None),
        (SubmissionSession, submission, None),
        (SubmissionSession, tls, reception.desk.tls_context if reception.desk else None),
    ]


def serve(
    options: SmtpOptions,
    resolve: Resolve,
    examine: Examine,
    store: Store,
    *,
    note: Note | None = None,
    submission: tuple[Admit, Submit] | None = None,
    beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> None:
    """Receive mail until SIGTERM or SIGINT, then finish what is in progress. Raises what `start_listeners` raises.

    `beside` is entered in the event loop while there are listeners.
    """
    # aiosmtpd tells every command there, addresses included, and warns of what is none, be it a password or a mail.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    asyncio.run(
        _serve_until_told(
            lambda: start_listeners(options, resolve, examine, store, note=note, submission=submission),
            beside,
        )
    )


async def _serve_until_told(
    start: Callable[[], Awaitable[Listeners]], beside: Callable[[], AbstractAsyncContextManager[None]]
) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    listeners = await start()
    async with beside():
        await told_to_stop.wait()
    await listeners.stop()


async def _listen(
    reception: Reception, session: type[SmtpSession], port: int, context: ssl.SSLContext | None
) -> list[asyncio.Server]:
    """Open `port` on every host there is. Raises OSError if one cannot be had, or none is there."""
    servers: list[asyncio.Server] = []
    missing: OSError | None = None
    for host in reception.options.hosts:
        try:
            servers.append(await _listen_on(host, port, reception, session, context))
        except OSError as error:
            if ":" not in host or error.errno not in _NO_SUCH_ADDRESS_FAMILY:
                _close(servers)
                raise
            log.warning("No IPv6 here, not listening on %s", host)
            missing = error
    if missing and not servers:
        raise missing
    return servers


async def _listen_on(
    host: str, port: int, reception: Reception, session: type[SmtpSession], context: ssl.SSLContext | None
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: session(reception), host, port, ssl=context, reuse_port=True, backlog=_BACKLOG
    )
    if not server.sockets:
        raise OSError(errno.EAFNOSUPPORT, f"cannot listen on {host}")
    return server


def _close(servers: Sequence[asyncio.Server]) -> None:
    for server in servers:
        server.close()


def _addresses(servers: Sequence[asyncio.Server]) -> tuple[Address, ...]:
    return tuple(socket.getsockname()[:2] for server in servers for socket in server.sockets)
