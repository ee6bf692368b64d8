"""Examine: what can be found out about a mail before anybody's environment is asked, once for all who receive it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from django.conf import settings

from mail import extraction
from mail.authentication import Authentication, Resolver, Trust, Unanswered, authenticate
from mail.automatic import Automatic, classify, report_of
from mail.inspection import Inspection, begin
from mail.intake import Arrival
from mail.parsing import ParsedMail, parse
from mail.services import blobs

DNS_PATIENCE = 8.0  # seconds for all questions about one mail


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail as it was understood."""

    raw: bytes
    digest: bytes
    mail: ParsedMail
    extracted: extraction.Extracted
    inspection: Inspection
    automatic: Automatic
    report: dict[str, Any] | None
    authentication: Authentication

    @property
    def flags(self) -> tuple[str, ...]:
        """What was repaired, left out or simplified."""
        return (*self.mail.flags, *(["html_too_complex"] if self.extracted.is_simplified else []))


def examine(arrival: Arrival) -> Reading:
    """Read a mail, and ask DNS about its sender, in bounded time. Never raises for what a stranger sends."""
    return _reading(arrival, resolver())


def examine_offline(arrival: Arrival) -> Reading:
    """Read a mail for whose sender there was no time: whatever DNS would have had to tell is ``temperror``."""
    return _reading(arrival, Silence())


class Silence:
    """A door to DNS behind which nobody is."""

    def lookup(self, name: str, kind: str, until: float) -> NoReturn:
        """See ``mail.authentication.Resolver.lookup``."""
        raise Unanswered("there was no time to ask DNS")


@cache
def resolver() -> Resolver:
    """Return this process's resolver, with its memory."""
    return Resolver(settings.AGENTPOST_DNS_SERVERS)


@cache
def trust() -> Trust:
    """Return whose word about a sender is taken. Raises ValueError for settings that name no network."""
    return Trust.of(
        authserv_ids=settings.AGENTPOST_TRUSTED_AUTHSERV_IDS,
        networks=settings.AGENTPOST_TRUSTED_NETWORKS,
        arc_sealers=settings.AGENTPOST_TRUSTED_ARC_SEALERS,
    )


def _reading(arrival: Arrival, names: Resolver | Silence) -> Reading:
    mail = parse(arrival.raw)
    extracted = extraction.extract(mail.text_body, mail.html_body, subject=mail.subject)
    report = report_of(mail)
    return Reading(
        raw=arrival.raw,
        digest=blobs.digest(arrival.raw),
        mail=mail,
        extracted=extracted,
        inspection=begin(mail, extracted),
        automatic=classify(mail, arrival.envelope_sender),
        report=report.as_json() if report else None,
        authentication=authenticate(
            arrival.raw,
            peer=arrival.peer,
            helo=arrival.helo,
            envelope_sender=arrival.envelope_sender,
            resolver=names,
            trust=trust(),
            deadline=DNS_PATIENCE,
            shown_from=mail.from_address.email if mail.from_address else None,
        ),
    )
