"""One conversation with an SMTP server (RFC 5321), at an address that was checked, for several mails."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiosmtplib

from mail.transports.client import Client
from mail.transports.departure import WITHHELD, Departure, for_all
from mail.transports.envelope import written
from mail.transports.targets import connected
from mail.transports.values import LONGEST_REPLY, Ending, Parcel, Result

ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", re.ASCII)
SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870
LINE_END = re.compile(rb"\r\n|\r|\n")
FIRST_DOT = re.compile(rb"(?m)^\.")
# Permanent in name only: the server wants us to sign in, or differently (RFC 4954). Somebody can mend that.
OF_THE_CONFIGURATION = {530, 534, 535, 538}
PERMANENT = range(500, 600)
BROKEN = (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError)


class Security(StrEnum):
    """How a conversation is kept from others."""

    TLS = "tls"  # from the first byte, with a certificate that is checked
    STARTTLS = "starttls"  # or not at all; with a certificate that is checked
    OPPORTUNISTIC = "opportunistic"  # STARTTLS where it is offered, with whatever certificate
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait: for a connection, for the reply to a command, to the final dot, and for all of it together."""

    connect: float = 20.0
    command: float = 60.0
    data: float = 240.0
    overall: float = 300.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server to be talked to, at one of its addresses."""

    host: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How servers are talked to; ``name`` is what this one calls itself."""

    name: str
    security: Security = Security.OPPORTUNISTIC
    user: str = ""
    password: str = ""
    patience: Patience = Patience()


class Trouble(Exception):
    """There is no conversation: the server is not there, or does not want us. Its text is a sentence."""

    def __init__(self, sentence: str, *, code: int | None = None, is_of_tls: bool = False) -> None:
        super().__init__(sentence)
        self.code = code
        self.is_of_tls = is_of_tls


async def open_session(server: Server, manner: Manner) -> Session:
    """Connect, greet, secure and sign in. Raises Trouble."""
    patience = manner.patience
    try:
        socket = await connected(server.address, server.port, patience.connect)
    except OSError as problem:  # TimeoutError is one
        raise Trouble(f"{server.host} [{server.address}] cannot be reached: {_said(problem)}") from problem
    client = Client(
        hostname=server.host,
        port=None,
        sock=socket,
        local_hostname=manner.name,
        timeout=patience.command,
        use_tls=manner.security is Security.TLS,
        start_tls=False,
        tls_context=_context(manner.security),
    )
    session = Session(client, server, patience)
    try:
        await session.begin(manner)
    except BaseException:
        session.close()
        raise
    return session


def _context(security: Security) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if security is Security.OPPORTUNISTIC:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Session:
    """A conversation that has begun; it takes one mail after the other."""

    def __init__(self, client: aiosmtplib.SMTP, server: Server, patience: Patience) -> None:
        self._client = client
        self._patience = patience
        self.server = server
        self.tls = ""
        self.mails = 0
        self.idle_since = time.monotonic()

    @property
    def is_open(self) -> bool:
        """Return whether another mail may be tried here."""
        return self._client.is_connected

    async def begin(self, manner: Manner) -> None:
        """Greet, secure and sign in. Raises Trouble."""
        try:
            await self._client.connect()
            await self._client.ehlo()
        except aiosmtplib.SMTPHeloError:
            await self._greet_the_old_way()
        except BROKEN as problem:
            is_of_tls = isinstance(problem.__cause__, ssl.SSLError)
            raise self._trouble("did not greet us", problem, is_of_tls=is_of_tls) from problem
        await self._secure(manner.security)
        if manner.user:
            await self._sign_in(manner)

    async def _greet_the_old_way(self) -> None:
        try:
            await self._client.helo()
        except BROKEN as problem:
            raise self._trouble("did not greet us", problem) from problem

    async def _secure(self, security: Security) -> None:
        is_offered = self._client.supports_extension("starttls")
        if security is Security.STARTTLS and not is_offered:
            raise Trouble(f"{self.server.host} offers no STARTTLS, and without it nothing is sent there.")
        if is_offered and security in {Security.STARTTLS, Security.OPPORTUNISTIC}:
            try:
                await self._client.starttls(timeout=self._patience.connect)
                await self._client.ehlo()
            except (*BROKEN, RuntimeError) as problem:
                raise self._trouble("failed at TLS", problem, is_of_tls=True) from problem
        self.tls = self._tls_version()

    def _tls_version(self) -> str:
        try:
            found = self._client.get_transport_info("ssl_object")
        except aiosmtplib.SMTPServerDisconnected as problem:
            raise self._trouble("broke off", problem) from problem
        return found.version() if found else ""

    async def _sign_in(self, manner: Manner) -> None:
        try:
            await self._client.login(manner.user, manner.password)
        except BROKEN as problem:
            raise self._trouble("did not let us sign in", problem) from problem

    def _trouble(self, what: str, problem: BaseException, *, is_of_tls: bool = False) -> Trouble:
        code = problem.code if isinstance(problem, aiosmtplib.SMTPResponseException) else None
        sentence = f"{self.server.host} [{self.server.address}] {what}: {_said(problem)}"
        return Trouble(sentence, code=code, is_of_tls=is_of_tls)

    async def is_alive(self) -> bool:
        """Begin anew with RSET; return whether the server is still there."""
        try:
            await self._client.rset(timeout=self._patience.command)
        except BROKEN:
            self.close()
        return self.is_open

    async def hand_over(self, parcel: Parcel, departure: Departure, taken: Ending) -> dict[str, Result]:
        """Hand a mail over; ``taken`` is the ending of what the server took."""
        if (obstacle := self._obstacle(parcel)) is not None:
            return for_all(parcel.recipients, obstacle)
        results: dict[str, Result] = {}
        self.mails += 1
        try:
            await self._say_sender(parcel)
            accepted = await self._say_recipients(parcel, results)
            if not accepted or not await departure.permitted():
                await self.is_alive()
                return {**for_all(accepted, WITHHELD), **results}
            return {**results, **await self._say_mail(parcel, accepted, departure, taken)}
        except BROKEN as problem:
            left = [one for one in parcel.recipients if one not in results]
            return {**results, **for_all(left, await self._failed(problem, departure))}

    def _obstacle(self, parcel: Parcel) -> Result | None:
        """Return why this server cannot take the mail as it is, if so."""
        needed, limit = self._needed(parcel), self._size_limit()
        lacking = [name for name in needed if not self._client.supports_extension(name)]
        if lacking:
            code = "5.6.7" if "smtputf8" in lacking else "5.6.3"
            return self._refused(f"The server does not offer {', '.join(lacking).upper()}, which the mail needs.", code)
        if limit and len(parcel.raw) > limit:
            return self._refused(f"The mail has {len(parcel.raw)} octets; the server takes {limit}.", "5.3.4")
        return None

    def _refused(self, reply: str, code: str) -> Result:
        return Result(Ending.REFUSED, reply, enhanced_code=code, host=self.server.host, tls=self.tls)

    def _needed(self, parcel: Parcel) -> list[str]:
        addresses = [parcel.envelope_sender, *parcel.recipients]
        head = parcel.raw.partition(b"\r\n\r\n")[0]
        is_international = not head.isascii() or not all(written(one).isascii() for one in addresses)
        needed = ["smtputf8"] if is_international else []
        return needed if parcel.raw.isascii() else [*needed, "8bitmime"]

    def _size_limit(self) -> int:
        stated = self._client.esmtp_extensions.get("size", "")
        return int(stated) if SIZE.fullmatch(stated) else 0

    async def _say_sender(self, parcel: Parcel) -> None:
        needed = self._needed(parcel)
        options = [f"SIZE={len(parcel.raw)}"] if self._client.supports_extension("size") else []
        options += ["BODY=8BITMIME"] if "8bitmime" in needed else []
        options += ["SMTPUTF8"] if "smtputf8" in needed else []
        await self._say("MAIL", f"FROM:<{written(parcel.envelope_sender)}>", *options)

    async def _say(self, *words: str, expected: int = 250) -> aiosmtplib.SMTPResponse:
        """Say a command and return the reply. Raises SMTPResponseException for any other than expected."""
        reply = await self._client.execute_command(*(word.encode() for word in words))
        if reply.code // 10 != expected // 10:
            raise aiosmtplib.SMTPResponseException(reply.code, reply.message)
        return reply

    async def _say_recipients(self, parcel: Parcel, results: dict[str, Result]) -> list[str]:
        """Return the recipients that the server accepts; put the others into the results."""
        accepted = []
        for recipient in parcel.recipients:
            try:
                await self._say("RCPT", f"TO:<{written(recipient)}>")
            except aiosmtplib.SMTPResponseException as problem:
                if not _is_reply(problem):
                    raise
                results[recipient] = self._answer(problem.code, problem.message)
            else:
                accepted.append(recipient)
        return accepted

    async def _say_mail(
        self, parcel: Parcel, accepted: list[str], departure: Departure, taken: Ending
    ) -> dict[str, Result]:
        lines = stuffed(parcel.raw)
        await self._say("DATA", expected=354)
        if not await departure.permitted():  # the server may have taken its time
            self.close()  # and what no dot ended is no mail (RFC 5321 section 4.1.1.4)
            return for_all(accepted, WITHHELD)
        departure.is_in_doubt = True
        reply = await self._say_lines(lines)
        departure.is_in_doubt = False
        self.idle_since = time.monotonic()
        return for_all(accepted, self._answer(reply.code, reply.message, taken))

    async def _say_lines(self, lines: bytes) -> aiosmtplib.SMTPResponse:
        """Say the mail and its final dot (RFC 5321 section 4.5.2) and return the reply."""
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("The connection was lost.")
        protocol.write(lines)
        return await protocol.read_response(timeout=self._patience.data)

    async def _failed(self, problem: BaseException, departure: Departure) -> Result:
        """Return the result of a conversation that went wrong, and begin anew if the server is still there."""
        if isinstance(problem, aiosmtplib.SMTPResponseException) and _is_reply(problem):
            departure.is_in_doubt = False
            await self.is_alive()
            return self._answer(problem.code, problem.message)
        self.close()
        return departure.deferred(f"{self.server.host} broke off: {_said(problem)}", self.server.host)

    def _answer(self, code: int, text: str, taken: Ending = Ending.DEFERRED) -> Result:
        """Return a server's reply as a result; ``taken`` is what a positive one means."""
        refused = code in PERMANENT and code not in OF_THE_CONFIGURATION
        ending = Ending.REFUSED if refused else Ending.DEFERRED if code not in range(200, 300) else taken
        found = ENHANCED.match(text)
        return Result(ending, f"{code} {text}", code, found[1] if found else "", self.server.host, self.tls)

    async def quit(self) -> None:
        """Take leave, if there is time for it."""
        try:
            async with asyncio.timeout(1):
                await self._client.quit()
        except BROKEN:
            pass
        self.close()

    def close(self) -> None:
        """Break off, at once."""
        if isinstance(self._client.transport, asyncio.WriteTransport):
            self._client.transport.abort()
        self._client.close()


def _is_reply(problem: aiosmtplib.SMTPResponseException) -> bool:
    """Tell a server's own words from what could not be read as any."""
    return problem.code > 0


def stuffed(raw: bytes) -> bytes:
    """Return a mail as it follows DATA. Its line ends are CRLF alone, so that no dot in it can end it early."""
    lines = LINE_END.sub(b"\r\n", raw)
    return FIRST_DOT.sub(b"..", lines.removesuffix(b"\r\n") + b"\r\n") + b".\r\n"


def _said(problem: BaseException) -> str:
    if isinstance(problem, aiosmtplib.SMTPResponseException):
        return f"{problem.code} {problem.message}"[:LONGEST_REPLY]
    return str(problem) or type(problem).__name__


def undecided(results: Mapping[str, Result]) -> list[str]:
    """Return the recipients about whom another server may be asked."""
    return [recipient for recipient, result in results.items() if result.ending is Ending.DEFERRED]
