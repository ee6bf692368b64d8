"""The operator's relay, for mail of the platform itself to its own people. What tenants send never comes this way."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

SECONDS = 30.0
TLS, STARTTLS, OPPORTUNISTIC, NONE = "tls", "starttls", "opportunistic", "none"
PORTS = {TLS: 465, STARTTLS: 587}
LOCAL = {"localhost", "127.0.0.1", "::1"}


class RelayTrouble(Exception):
    """The relay is not there, or did not take a mail. Its text is a sentence."""


@dataclass(frozen=True, slots=True)
class Relay:
    """An SMTP server that takes mail to everybody."""

    host: str
    port: int
    security: str
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Self | None:
        """Return the relay of a URL as AGENTPOST_RELAY_URL has it; None where that names no SMTP server."""
        parsed = urlsplit(url.strip())
        if parsed.scheme not in {"smtp", "smtps"} or not parsed.hostname:
            return None
        security = _security(parsed)
        port = parsed.port or PORTS.get(security, smtplib.SMTP_PORT)
        return cls(parsed.hostname, port, security, unquote(parsed.username or ""), unquote(parsed.password or ""))

    def post(self, message: EmailMessage) -> None:
        """Hand one mail over to those in its headers. Raises RelayTrouble."""
        try:
            with self._connected() as session:
                session.send_message(message)
        except (smtplib.SMTPException, OSError, ValueError) as problem:
            raise RelayTrouble(f"{self.host}:{self.port} did not take a mail: {problem}") from problem

    def _connected(self) -> smtplib.SMTP:
        if self.security == TLS:
            session: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=_context(TLS))
        else:
            session = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        try:
            self._secure(session)
        except BaseException:
            session.close()
            raise
        return session

    def _secure(self, session: smtplib.SMTP) -> None:
        session.ehlo_or_helo_if_needed()
        is_offered = session.has_extn("starttls")
        if self.security == STARTTLS or (self.security == OPPORTUNISTIC and is_offered):
            session.starttls(context=_context(self.security))
            session.ehlo()
        if self.username:
            session.login(self.username, self.password)


def _security(parsed: SplitResult) -> str:
    """Return how a connection is kept from others: a password travels encrypted unless it is told not to."""
    if parsed.scheme == "smtps":
        return TLS
    if stated := parse_qs(parsed.query).get("security"):
        return stated[0]
    if not parsed.username or parsed.hostname in LOCAL:
        return OPPORTUNISTIC
    return TLS if parsed.port == PORTS[TLS] else STARTTLS


def _context(security: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if security == OPPORTUNISTIC:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
