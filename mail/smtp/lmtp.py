"""One LMTP conversation (RFC 2033): SMTP that greets with LHLO and answers for each recipient after DATA."""

from __future__ import annotations

from aiosmtpd.smtp import syntax

from mail.intake import Recipient, Refused
from mail.smtp.session import SmtpSession


class LmtpSession(SmtpSession):
    """What a mail server in front of us may say."""

    door = "lmtp"

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str | None) -> None:  # noqa: N802
        """Greet a peer and tell which extensions there are."""
        await self._greet(hostname, extended=True)

    async def smtp_HELO(self, _hostname: str | None) -> None:  # noqa: N802
        """Refuse, as section 4.1 asks."""
        raise Refused("500 5.5.1 This is LMTP, greet with LHLO")

    async def smtp_EHLO(self, _hostname: str | None) -> None:  # noqa: N802
        """Refuse, as section 4.1 asks."""
        raise Refused("500 5.5.1 This is LMTP, greet with LHLO")

    def _shares(self) -> list[tuple[Recipient, ...]]:
        return [(recipient,) for recipient in self._transaction.recipients]
