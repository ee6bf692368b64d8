"""One conversation with a mail client of ours that submits mail (RFC 6409), after TLS and AUTH (RFC 4954)."""

from __future__ import annotations

import base64
import binascii
import logging
from typing import TYPE_CHECKING, cast

from aiosmtpd.smtp import syntax

from mail.intake import Account, Login, Recipient, Refused, Submission
from mail.smtp.commands import parse_mail
from mail.smtp.reception import Reception, SubmissionDesk, network_of
from mail.smtp.session import OUR_TROUBLE, SmtpSession

if TYPE_CHECKING:
    from mail.smtp.budget import Allowance

log = logging.getLogger(__name__)

NEEDS_TLS = "530 5.7.0 Must issue a STARTTLS command first"
NEEDS_LOGIN = "530 5.7.0 Authentication required"
NOT_YOURS = "553 5.7.1 The envelope sender is another address than the inbox's"
MALFORMED = "501 5.5.2 Malformed authentication"
LONGEST_RESPONSE = 12_288
"""RFC 4954 section 4."""


class SubmissionSession(SmtpSession):
    """What a mail client may say. Nothing of it is reception: the intake ledger does not tell of it."""

    door = "submission"
    _account: Account | None = None

    def __init__(self, reception: Reception) -> None:
        super().__init__(reception)
        self.tls_context = self._desk.tls_context

    @property
    def _desk(self) -> SubmissionDesk:
        return cast("SubmissionDesk", self._reception.desk)

    def _extensions(self) -> list[str]:
        return [*super()._extensions(), *(["AUTH PLAIN LOGIN"] if self._is_secure else [])]

    @syntax("AUTH PLAIN|LOGIN [initial-response]")
    async def smtp_AUTH(self, arg: str | None) -> None:  # noqa: N802
        """Let an inbox in, by its address and a key."""
        if not self._is_secure:
            raise Refused(NEEDS_TLS)
        if not self._talk.extended_smtp or self._account or self._transaction.sender is not None:
            raise Refused("503 5.5.1 AUTH comes once, after EHLO and before MAIL")
        mechanism, _, initial = (arg or "").partition(" ")
        match mechanism.upper():
            case "PLAIN":
                user, password = await self._plain(initial)
            case "LOGIN":
                user = await self._response(initial, "VXNlcm5hbWU6")
                password = await self._response("", "UGFzc3dvcmQ6")
            case _:
                raise Refused("504 5.5.4 The mechanisms are PLAIN and LOGIN")
        self._account = await self._admitted(Login(user, password, network_of(self.peer)))
        await self.push("235 2.7.0 Authentication successful")

    async def _plain(self, initial: str) -> tuple[str, str]:
        """Return user and password of PLAIN (RFC 4616)."""
        parts = (await self._response(initial, "")).split("\0")
        if len(parts) != 3 or parts[0] not in {"", parts[1]}:  # noqa: PLR2004 - authzid, authcid, password
            raise Refused(MALFORMED)
        return parts[1], parts[2]

    async def _response(self, initial: str, challenge: str) -> str:
        """Return what the peer answers to a challenge, or has said without one. Raises Refused."""
        if not initial:
            await self._send(f"334 {challenge}")
            initial = await self._line()
        if initial == "*":
            raise Refused("501 5.7.0 Authentication given up")
        try:
            return base64.b64decode("" if initial == "=" else initial, validate=True).decode()
        except (binascii.Error, ValueError):
            raise Refused(MALFORMED) from None

    async def _line(self) -> str:
        try:
            line: bytes = await self._wire.readline()
        except ValueError:
            line = b" " * (LONGEST_RESPONSE + 1)
        if not line:
            raise ConnectionResetError
        if len(line) > LONGEST_RESPONSE:
            await self._hang_up("500 5.5.6 Too long for an authentication")
        self._reset_timeout()
        return line.decode("ascii", "replace").strip()

    async def _admitted(self, login: Login) -> Account:
        try:
            return await self._desk.logins.ask(login, self._limits.lookup_timeout)
        except Refused:
            raise
        except Exception:
            log.exception("%s: could not check a login", self.peer)
        raise Refused("454 4.7.0 Trouble on our side, try again later")

    @syntax("MAIL FROM:<address>", extended=" [SIZE=octets] [BODY=8BITMIME] [SMTPUTF8]")
    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        """Begin a mail of the inbox that has logged in."""
        if self._account is None:
            raise Refused(NEEDS_LOGIN if self._is_secure else NEEDS_TLS)
        if not self._account.owns(parse_mail(_without_auth(arg), extended=self._talk.extended_smtp).address):
            raise Refused(NOT_YOURS)
        await super().smtp_MAIL(_without_auth(arg))

    async def _resolve(self, address: str) -> Recipient:
        """Return any address, as many as one mail may have."""
        account = cast("Account", self._account)
        if len(self._transaction.recipients) >= self._limits.max_recipients:
            raise Refused("452 4.5.3 Too many recipients")
        return Recipient(address, account.environment_id, account.inbox_id)

    async def _replies(self, content: bytes, shares: list[tuple[Recipient, ...]], allowance: Allowance) -> list[str]:
        self._reset_timeout(self._limits.store_timeout + self._limits.idle_timeout)
        submission = Submission(cast("Account", self._account), self._arrival(content))
        try:
            reply = await self._desk.mails.ask(submission, self._limits.store_timeout)
        except Refused:
            raise
        except Exception:
            log.exception("%s: could not take a submitted mail", self.peer)
            raise Refused(OUR_TROUBLE) from None
        self._errors = 0
        return [reply]

    def _end_transaction(self, reason: str) -> None:
        self._transaction.is_noted = True
        super()._end_transaction(reason)

    def _note_all(self, stage: str, refused: Refused) -> None:
        """Note nothing."""

    def _note(self, stage: str, refused: Refused, address: str) -> None:
        """Note nothing."""


def _without_auth(argument: str | None) -> str:
    """Leave out what a relay may say of who wrote a mail (RFC 4954 section 5): here it is who has logged in."""
    words = (argument or "").split(" ")
    return " ".join(word for word in words if not word.upper().startswith("AUTH="))
