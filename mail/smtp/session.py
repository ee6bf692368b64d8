"""One SMTP conversation (RFC 5321), on top of aiosmtpd's command loop."""

from __future__ import annotations

import asyncio
import functools
import logging
import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import NoReturn, cast

from aiosmtpd.smtp import SMTP, Session, TLSSetupException, syntax

from environments.telemetry import traces
from mail.intake import STORED, Arrival, Recipient, Refused
from mail.smtp import telling
from mail.smtp.budget import REASONS, TOO_BUSY, TOO_LARGE, Allowance
from mail.smtp.commands import address_in, parse_mail, parse_rcpt
from mail.smtp.reception import Reception, network_of
from mail.smtp.replies import printable, with_enhanced_code
from mail.smtp.transaction import Client, Transaction
from mail.smtp.wire import READ_LIMIT, SessionOver, WireReader, unstuffed

log = logging.getLogger(__name__)

OUR_TROUBLE = "451 4.3.0 Trouble on our side, try again later"
_HOST_NAME = re.compile(r"[!-~]{1,255}")
_REFUSAL = re.compile(r"[45]\d\d ")


@functools.cache
def _commands(session: type[SMTP]) -> list[str]:
    return [name for name in dir(session) if name.startswith("smtp_")]


class SmtpSession(SMTP):
    """What a peer may say to us, and what it is answered."""

    line_length_limit = READ_LIMIT
    door = "smtp"

    def __init__(self, reception: Reception) -> None:
        limits = reception.limits
        # aiosmtpd keeps these on the class, where each greeting of any session raises them for all.
        self.command_size_limit = limits.max_command_length
        self.command_size_limits = defaultdict(lambda: limits.max_command_length)
        self._transaction = Transaction()
        super().__init__(
            None,
            data_size_limit=reception.options.max_message_size,
            enable_SMTPUTF8=True,
            hostname=reception.options.hostname,
            ident="ESMTP AgentPost",
            tls_context=reception.tls_context,
            timeout=limits.idle_timeout,
            loop=asyncio.get_running_loop(),
        )
        # Once more, because aiosmtpd gives no say in which reader the protocol feeds.
        self._wire = WireReader(limit=READ_LIMIT, loop=self.loop)
        asyncio.StreamReaderProtocol.__init__(self, self._wire, self._cb_client_connected, loop=self.loop)
        self._reception = reception
        self._limits = limits
        self._errors = self._mails = 0
        self._is_receiving = False
        self._end = ""

    def __dir__(self) -> list[str]:
        # aiosmtpd goes through all attributes for its commands, several times for each connection.
        return _commands(type(self))  # type: ignore[arg-type]

    @property
    def peer(self) -> str:
        """The remote IP address; empty if the connection was lost before it could be asked."""
        return self.session.peer[0] if self.session is not None and self.session.peer else ""

    @property
    def task(self) -> asyncio.Task[None]:
        """The conversation."""
        return cast("asyncio.Task[None]", self._handler_coroutine)

    @property
    def _client(self) -> Client:
        return Client(self.peer, self._talk.host_name or "", self._is_secure)

    @property
    def _is_secure(self) -> bool:
        return self.transport is not None and self.transport.get_extra_info("ssl_object") is not None

    @property
    def _talk(self) -> Session:
        """What aiosmtpd's command loop knows of the conversation."""
        return cast("Session", self.session)

    def wind_down(self) -> None:
        """End the conversation as soon as no mail is in progress."""
        if not self._is_receiving:
            self._end = "server_closing"
            self._part(self._reception.closing_reply)

    def abort(self) -> None:
        """End the conversation now."""
        self._end = self._end or "server_closing"
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()

    def eof_received(self) -> bool:
        """Let a peer that has nothing more to say still hear the answers to what it said."""
        asyncio.StreamReaderProtocol.eof_received(self)
        # Of TLS that we have closed, asyncio's transport can no longer be asked.
        return self.transport is not None and not self.transport.is_closing() and not self._is_secure

    def _timeout_cb(self) -> None:
        self._end = self._end or "timed_out"
        self._part("421 4.4.2 Timed out")

    def _part(self, reply: str) -> None:
        """Say `reply` if the peer still reads, and end the conversation from outside its task."""
        if self.transport is None:
            return
        if cast("asyncio.Transport", self.transport).get_write_buffer_size():
            self.abort()
        else:
            self._writer.write(reply.encode() + b"\r\n")
        self.task.cancel()

    def _set_post_data_state(self) -> None:
        super()._set_post_data_state()  # type: ignore[no-untyped-call]
        self._end_transaction("not_sent")

    def _end_transaction(self, reason: str) -> None:
        """Begin anew; note those who were to have the mail, if it never came."""
        if self._transaction.sender is not None:
            self._reception.note(self._transaction.left_over(self._client, reason))
        self._transaction = Transaction()

    async def _handle_client(self) -> None:
        try:
            with telling.conversation(self.door, self.peer):
                if objection := self._reception.objection_to(self):
                    await self._send(objection)
                else:
                    self._reception.enter(self)
                    await super()._handle_client()
        except ConnectionError as error:
            log.debug("%s: %r", self.peer, error)
        finally:
            self._end_transaction(self._end or "not_sent")
            self._reception.leave(self)
            self._writer.close()

    async def handle_exception(self, error: Exception) -> str:
        """Return the reply to a command that raised: a refusal, or trouble that is none of the peer's business."""
        if isinstance(error, Refused):
            return error.reply
        if isinstance(error, TLSSetupException):
            log.info("%s: no TLS: %r", self.peer, error.__cause__)
        else:
            log.error("%s: a command failed", self.peer, exc_info=error)
        return OUR_TROUBLE

    async def push(self, status: str | bytes) -> None:
        """Send one line of answer; too many 5xx end the conversation."""
        reply = printable(status if isinstance(status, str) else status.decode("ascii", "replace"))
        is_banner = reply.startswith(f"220 {self.hostname} ")
        await self._send(reply if is_banner else printable(with_enhanced_code(reply)))
        await self._count_error(reply)

    async def _count_error(self, reply: str) -> None:
        if reply.startswith("5"):
            self._errors += 1
            if self._errors >= self._limits.max_errors:
                await self._hang_up("421 4.7.0 Too many errors")

    async def _send(self, reply: str) -> None:
        telling.replied(self.door, reply)
        self._writer.write(reply.encode("ascii", "replace") + b"\r\n")
        await self._writer.drain()

    async def _hang_up(self, reply: str) -> NoReturn:
        await self._send(reply)
        raise SessionOver

    @syntax("HELO hostname")
    async def smtp_HELO(self, hostname: str | None) -> None:  # noqa: N802
        """Greet a peer without extensions."""
        await self._greet(hostname, extended=False)

    @syntax("EHLO hostname")
    async def smtp_EHLO(self, hostname: str | None) -> None:  # noqa: N802
        """Greet a peer and tell which extensions there are."""
        await self._greet(hostname, extended=True)

    async def _greet(self, hostname: str | None, *, extended: bool) -> None:
        if not hostname or not _HOST_NAME.fullmatch(hostname):
            raise Refused("501 5.5.4 A host name or address literal is needed")
        self._set_rset_state()  # type: ignore[no-untyped-call]
        self._talk.host_name = hostname
        self._talk.extended_smtp = extended
        lines = [self.hostname, *(self._extensions() if extended else ())]
        await self._send("\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"]))

    def _extensions(self) -> list[str]:
        return [
            "PIPELINING",
            f"SIZE {self._reception.options.max_message_size}",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            *(["STARTTLS"] if self.tls_context and not self._is_secure else []),
            "HELP",
        ]

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str | None) -> None:  # noqa: N802
        """Begin TLS (RFC 3207), once."""
        if self._is_secure:
            raise Refused("503 5.5.1 TLS is on already")
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, _arg: str | None) -> None:  # noqa: N802
        """Refuse: this port only takes mail for addresses of ours."""
        raise Refused("502 5.5.1 AUTH is not offered here")

    @syntax("VRFY address")
    async def smtp_VRFY(self, _arg: str | None) -> None:  # noqa: N802
        """Tell nothing (RFC 5321 section 7.3)."""
        await self.push("252 2.1.5 Send a mail to find out")

    @syntax("MAIL FROM:<address>", extended=" [SIZE=octets] [BODY=8BITMIME] [SMTPUTF8]")
    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        """Begin a mail transaction."""
        if await self.check_helo_needed():
            return
        if self._transaction.refusal:
            self._end_transaction("")
        if self._transaction.sender is not None:
            raise Refused("503 5.5.1 Sender already given")
        if self._mails >= self._limits.max_mails_per_connection:
            await self._hang_up("421 4.7.0 Enough mails for one connection, connect again")
        sender = parse_mail(arg or "", extended=self._talk.extended_smtp)
        self._transaction = Transaction(sender.address, sender.smtputf8, sender.size or None)
        self._refuse_for_size(sender.size)
        await self.push("250 2.1.0 Sender OK")

    def _refuse_for_size(self, declared: int) -> None:
        """Raise Refused for a mail that is too large, or too large right now."""
        if declared > self._reception.options.max_message_size:
            reply = TOO_LARGE
        elif not self._reception.budget.has_room(declared):
            reply = TOO_BUSY
        else:
            return
        self._transaction.refusal = Refused(reply, REASONS[reply])
        raise self._transaction.refusal

    @syntax("RCPT TO:<address>")
    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        """Add a recipient, if there is an inbox behind the address."""
        transaction = self._transaction
        if transaction.sender is None:
            raise Refused("503 5.5.1 Need MAIL first")
        address = self._address(arg or "")
        if transaction.refusal is not None:
            self._note("mail", transaction.refusal, address)
            transaction.is_noted = True
            raise Refused("503 5.5.1 Need MAIL first")
        try:
            transaction.recipients.append(await self._resolve(address))
        except Refused as refused:
            self._note("rcpt", refused, address)
            raise
        await self.push("250 2.1.5 Recipient OK")

    def _address(self, argument: str) -> str:
        try:
            return parse_rcpt(argument, smtputf8=self._transaction.smtputf8, hostname=self.hostname)
        except Refused as refused:
            self._note("rcpt", Refused(refused.reply, "malformed_recipient"), address_in(argument))
            raise

    async def _resolve(self, address: str) -> Recipient:
        if len(self._transaction.recipients) >= self._limits.max_recipients:
            raise Refused("452 4.5.3 Too many recipients", "too_many_recipients")
        try:
            return await self._reception.lookups.ask(address, self._limits.lookup_timeout)
        except Refused as refused:
            if _REFUSAL.match(refused.reply):
                raise
            log.exception("%s: a refusal of RCPT that is none", self.peer)
        except Exception:
            log.exception("%s: could not look up a recipient", self.peer)
        raise Refused(OUR_TROUBLE, "our_trouble")

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        """Take the mail, and answer when it is stored."""
        if arg:
            raise Refused("501 5.5.4 DATA takes no argument")
        if not self._transaction.recipients:
            raise Refused("503 5.5.1 Need a valid recipient first")
        self._mails += 1
        self._is_receiving = self._transaction.is_noted = True
        try:
            await self._receive()
        except (ConnectionError, asyncio.CancelledError):
            self._note_all("data", Refused("", self._end or "connection_lost"))
            raise
        finally:
            self._is_receiving = False
            self._set_post_data_state()
            self._reset_timeout()
        if self._reception.is_closing:
            await self._hang_up(self._reception.closing_reply)

    async def _receive(self) -> None:
        began = perf_counter()
        await self._send("354 End data with <CR><LF>.<CR><LF>")
        shares = self._shares()
        with Allowance(self._reception.budget, self._reception.options.max_message_size) as allowance:
            try:
                replies = await self._replies(await self._read_content(allowance), shares, allowance)
            except Refused as refused:
                self._note_all("data", refused)
                replies = [refused.reply] * len(shares)
        self._transaction.recipients.clear()
        await self._send("\r\n".join(map(printable, replies)))
        telling.mail_answered(self.door, replies, began)
        await self._count_error(min(replies))

    async def _read_content(self, allowance: Allowance) -> bytes:
        """Read the mail. Raises Refused if it is not to be stored, but only after its last octet."""
        self._reset_timeout(self._limits.data_timeout)
        wire = await self._wire.read_mail(allowance.keep)
        if allowance.refusal:
            raise Refused(allowance.refusal, REASONS[allowance.refusal])
        content = unstuffed(wire)
        if len(content) > self._reception.options.max_message_size:
            raise Refused(TOO_LARGE, REASONS[TOO_LARGE])
        telling.taken(self.door, len(content))
        return content

    def _shares(self) -> list[tuple[Recipient, ...]]:
        """Return the recipients by the answers that are due: in SMTP all of them share one."""
        return [tuple(dict.fromkeys(self._transaction.recipients))]

    async def _replies(self, content: bytes, shares: list[tuple[Recipient, ...]], allowance: Allowance) -> list[str]:
        return await self._store(await self._examined(content), shares, allowance)

    async def _examined(self, content: bytes) -> Arrival:
        """Return the mail, for all its recipients, with what was found out about it. Raises Refused."""
        self._reset_timeout(self._limits.examine_timeout + self._limits.idle_timeout)
        return await self._reception.examiner.examined(self._arrival(content), network_of(self.peer))

    async def _store(self, arrival: Arrival, shares: list[tuple[Recipient, ...]], allowance: Allowance) -> list[str]:
        """Store the mail once for each different share, and return the reply for each share."""
        self._reset_timeout(self._limits.store_timeout + self._limits.idle_timeout)
        arrivals = {share: replace(arrival, recipients=share) for share in shares}
        outcomes = await self._reception.committer.store(
            tuple(arrivals.values()),
            settled=functools.partial(self._reception.budget.release, allowance.hand_over()),
        )
        replies = {
            share: self._verdict(outcome, given)
            for (share, given), outcome in zip(arrivals.items(), outcomes, strict=True)
        }
        telling.mail_came(arrival, set(replies.values()))
        return [replies[share] for share in shares]

    def _arrival(self, content: bytes) -> Arrival:
        return Arrival(
            raw=content,
            envelope_sender=self._transaction.sender or "",
            recipients=tuple(self._transaction.recipients),
            peer=self.peer,
            helo=self._talk.host_name or "",
            tls=self._is_secure,
            received_at=datetime.now(UTC),
            transaction=self._transaction.id,
            origin=traces.origin(),
        )

    def _verdict(self, outcome: Exception | None, arrival: Arrival) -> str:
        """Return the reply; note what the store could not, since its transaction failed."""
        if outcome is None:
            self._errors = 0
            return STORED
        if isinstance(outcome, Refused) and _REFUSAL.match(outcome.reply):
            return outcome.reply
        trouble, size = Refused(OUR_TROUBLE, "our_trouble"), len(arrival.raw)
        of_one = functools.partial(self._transaction.attempt, self._client, "store", trouble, size=size)
        self._reception.note([of_one(recipient.address, recipient) for recipient in arrival.recipients])
        return OUR_TROUBLE

    def _note_all(self, stage: str, refused: Refused) -> None:
        self._reception.note(self._transaction.attempts(self._client, stage, refused))

    def _note(self, stage: str, refused: Refused, address: str) -> None:
        self._reception.note([self._transaction.attempt(self._client, stage, refused, address)])
